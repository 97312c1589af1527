//! What was asked, allowed, issued and taken back: the memory of the authorization server.
//!
//! Nothing here knows HTTP or reads a clock: moments are durations since the server's start.

mod codes;
mod device;
mod refresh;

pub(crate) use codes::{Asked, Exchange, Login, Request};
pub(crate) use device::DeviceQuestion;

use std::collections::HashMap;
use std::time::Duration;

use subtle::ConstantTimeEq;

use self::codes::{Code, Waiting};
use self::refresh::RefreshToken;
use crate::mint::Mint;
use crate::state::Lifetimes;

/// How long things that are over are remembered, so that they can be told from things that never were.
const MEMORY: Duration = Duration::from_secs(86_400);

/// What is allowed: these scopes, to whoever sits here.
#[derive(Clone)]
pub(crate) struct Permission {
    pub(crate) scope: Vec<String>,
    pub(crate) seat: usize,
}

/// Tokens that were issued.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    /// None where the client can prove itself again.
    pub(crate) refresh_token: Option<String>,
    pub(crate) scope: Vec<String>,
    pub(crate) seat: usize,
    /// When the access token ends.
    pub(crate) until: Duration,
    pub(crate) note: &'static str,
}

/// Why no tokens were issued, in the words of RFC 6749, section 5.2.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
    pub(crate) note: Option<&'static str>,
}

/// What an access token is worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Granted { scope: Vec<String>, seat: usize },
    Expired,
    Revoked,
    Unknown,
}

/// Everything the server remembers about grants.
#[derive(Default)]
pub(crate) struct Grants {
    waiting: HashMap<String, Waiting>,
    codes: HashMap<String, Code>,
    families: HashMap<u64, Family>,
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
    devices: device::Devices,
    last_family: u64,
}

/// All tokens that descend from one consent.
struct Family {
    permission: Permission,
    revoked: bool,
}

struct AccessToken {
    family: u64,
    scope: Vec<String>,
    until: Duration,
    revoked: bool,
}

impl Grants {
    /// Takes back an access token, or with a refresh token its whole family (RFC 7009, section 2.1).
    pub(crate) fn revoke(&mut self, token: &str) -> Option<&'static str> {
        if let Some(access) = self.access.get_mut(token) {
            access.revoked = true;
            return Some("access token revoked");
        }
        let family = self.refresh.get(token)?.family;
        self.families.get_mut(&family)?.revoked = true;
        Some("refresh token revoked, with its family")
    }

    /// Says what an access token is worth now.
    pub(crate) fn access(&self, now: Duration, token: &str) -> Access {
        let Some(access) = self.access.get(token) else { return Access::Unknown };
        let family = self.families.get(&access.family).filter(|family| !family.revoked && !access.revoked);
        match family {
            None => Access::Revoked,
            Some(_) if now >= access.until => Access::Expired,
            Some(family) => Access::Granted { scope: access.scope.clone(), seat: family.permission.seat },
        }
    }

    /// Issues an access token alone, to a client that can prove itself again.
    pub(crate) fn issue_alone(
        &mut self,
        now: Duration,
        mint: &mut Mint,
        life: Lifetimes,
        permission: Permission,
        note: &'static str,
    ) -> Issued {
        self.forget(now);
        let scope = permission.scope.clone();
        let family = self.new_family(permission);
        let mut issued = self.issue(now, mint, life, family, scope, note);
        if let Some(token) = issued.refresh_token.take() {
            self.refresh.remove(&token);
        }
        issued
    }

    fn new_family(&mut self, permission: Permission) -> u64 {
        self.last_family += 1;
        self.families.insert(self.last_family, Family { permission, revoked: false });
        self.last_family
    }

    fn issue(
        &mut self,
        now: Duration,
        mint: &mut Mint,
        life: Lifetimes,
        family: u64,
        scope: Vec<String>,
        note: &'static str,
    ) -> Issued {
        let until = now.saturating_add(life.access_token);
        let seat = self.families.get(&family).map_or(0, |family| family.permission.seat);
        let (access_token, refresh_token) = (mint.access_token(), mint.refresh_token());
        let issued =
            Issued { access_token, refresh_token: Some(refresh_token.clone()), scope, seat, until, note };
        let access = AccessToken { family, scope: issued.scope.clone(), until, revoked: false };
        self.access.insert(issued.access_token.clone(), access);
        let refresh = RefreshToken::new(family, now.saturating_add(life.refresh_token));
        self.refresh.insert(refresh_token, refresh);
        issued
    }

    /// Drops what has been over for a day, so that a server can run for long.
    fn forget(&mut self, now: Duration) {
        let remembered = |until: Duration| now < until.saturating_add(MEMORY);
        self.waiting.retain(|_, waiting| remembered(waiting.until));
        self.devices.forget(now);
        self.codes.retain(|_, code| remembered(code.until));
        self.access.retain(|_, access| remembered(access.until));
        self.refresh.retain(|_, refresh| remembered(refresh.until));
        let refresh = &self.refresh;
        let access = &self.access;
        let alive: std::collections::HashSet<u64> = refresh
            .values()
            .map(|token| token.family)
            .chain(access.values().map(|token| token.family))
            .collect();
        self.families.retain(|id, _| alive.contains(id));
    }
}

impl Denied {
    fn grant(description: &'static str, note: Option<&'static str>) -> Self {
        Self { error: "invalid_grant", description, note }
    }
}

/// Compares without telling by its duration where two texts differ.
fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}
