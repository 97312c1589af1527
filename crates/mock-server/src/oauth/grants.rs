//! What was asked, allowed, issued and taken back: the memory of the authorization server.
//!
//! Nothing here knows HTTP or reads a clock: moments are durations since the server's start.

mod device;

pub(crate) use device::DeviceQuestion;

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use crate::mint::Mint;
use crate::state::Lifetimes;

/// How long a person may take to answer.
const CONSENT_LIFE: Duration = Duration::from_secs(600);
/// How long a code may wait for its exchange.
const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long things that are over are remembered, so that they can be told from things that never were.
const MEMORY: Duration = Duration::from_secs(86_400);

/// An authorization request that was found in order.
#[derive(Clone)]
pub(crate) struct Request {
    /// As sent: the exchange has to repeat it byte by byte.
    pub(crate) redirect_uri: String,
    pub(crate) target: Url,
    pub(crate) scope: Vec<String>,
    pub(crate) state: String,
    pub(crate) challenge: String,
}

/// Who has logged in so far, to answer a request.
#[derive(Clone, Default)]
pub(crate) struct Login {
    /// The seat of the person, once that is settled.
    pub(crate) seat: Option<usize>,
    /// The seat that a mail was sent for, and the code in it.
    pub(crate) mail: Option<(usize, String)>,
}

/// What is allowed: these scopes, to whoever sits here.
#[derive(Clone)]
pub(crate) struct Permission {
    pub(crate) scope: Vec<String>,
    pub(crate) seat: usize,
}

/// The hidden fields of a consent form.
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) csrf: String,
}

/// What a code exchange brings along.
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: &'a str,
    /// The official clients repeat their state here.
    pub(crate) state: Option<&'a str>,
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

struct Waiting {
    request: Request,
    login: Login,
    csrf: String,
    until: Duration,
}

struct Code {
    request: Request,
    seat: usize,
    until: Duration,
    spent: bool,
    /// What the code gave; a replay takes it back.
    family: Option<u64>,
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

struct RefreshToken {
    family: u64,
    until: Duration,
    spent: Option<Spent>,
}

struct Spent {
    at: Duration,
    successor: Issued,
}

impl Grants {
    /// Keeps a request until the person has answered.
    pub(crate) fn ask(&mut self, now: Duration, mint: &mut Mint, request: Request, login: Login) -> Asked {
        self.forget(now);
        let asked = Asked { id: mint.name("authreq_", 24), csrf: mint.name("", 43) };
        let waiting =
            Waiting { request, login, csrf: asked.csrf.clone(), until: now.saturating_add(CONSENT_LIFE) };
        self.waiting.insert(asked.id.clone(), waiting);
        asked
    }

    /// The request that somebody is logging in for, and how far that is.
    pub(crate) fn login(&mut self, now: Duration, id: &str, csrf: &str) -> Option<(&Request, &mut Login)> {
        let waiting = self.waiting.get_mut(id)?;
        (same(&waiting.csrf, csrf) && now < waiting.until).then_some((&waiting.request, &mut waiting.login))
    }

    /// Takes the request that a form answers, and who answers; a form answers once, after the login.
    pub(crate) fn decide(&mut self, now: Duration, id: &str, csrf: &str) -> Option<(Request, usize)> {
        let seat = self.login(now, id, csrf)?.1.seat?;
        Some((self.waiting.remove(id)?.request, seat))
    }

    /// Makes the code for a request the person allowed.
    pub(crate) fn allow(&mut self, now: Duration, mint: &mut Mint, request: Request, seat: usize) -> String {
        let code = mint.code();
        let kept = Code { request, seat, until: now.saturating_add(CODE_LIFE), spent: false, family: None };
        self.codes.insert(code.clone(), kept);
        code
    }

    /// Exchanges a code. Whatever comes of it, the code is spent; a second try takes back what the first gave.
    pub(crate) fn exchange(
        &mut self,
        now: Duration,
        mint: &mut Mint,
        life: Lifetimes,
        exchange: &Exchange<'_>,
    ) -> Result<Issued, Denied> {
        let code = self.codes.get_mut(exchange.code).ok_or(Denied::grant("the code is unknown", None))?;
        if std::mem::replace(&mut code.spent, true) {
            let given = code.family;
            let note = match given.and_then(|family| self.families.get_mut(&family)) {
                Some(family) => {
                    family.revoked = true;
                    "code replayed, family revoked"
                }
                None => "code replayed, it never gave a token",
            };
            return Err(Denied::grant("the code was used before", Some(note)));
        }
        if now >= code.until {
            return Err(Denied::grant("the code has expired", Some("code expired")));
        }
        if exchange.redirect_uri != code.request.redirect_uri {
            let note = Some("redirect_uri differs");
            return Err(Denied::grant("redirect_uri is not the one of the authorization request", note));
        }
        if exchange.state.is_some_and(|state| !same(state, &code.request.state)) {
            return Err(Denied::grant(
                "state is not the one of the authorization request",
                Some("state differs"),
            ));
        }
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(exchange.verifier));
        if !same(&digest, &code.request.challenge) {
            return Err(Denied::grant("code_verifier does not match code_challenge", Some("PKCE failed")));
        }
        let scope = code.request.scope.clone();
        let permission = Permission { scope: scope.clone(), seat: code.seat };
        let family = self.new_family(permission);
        if let Some(code) = self.codes.get_mut(exchange.code) {
            code.family = Some(family);
        }
        Ok(self.issue(now, mint, life, family, scope, "code exchanged"))
    }

    /// Rotates a refresh token. A spent one gives its successor again inside the reuse window; after it the token is
    /// refused, and its family ended (RFC 9700, section 4.14.2) where the settings say so.
    pub(crate) fn refresh(
        &mut self,
        now: Duration,
        mint: &mut Mint,
        life: Lifetimes,
        token: &str,
        scope: Option<Vec<String>>,
    ) -> Result<Issued, Denied> {
        let unknown = Denied::grant("the refresh token is unknown", None);
        let Some(known) = self.refresh.get(token) else { return Err(unknown) };
        let family_id = known.family;
        let Some(family) = self.families.get_mut(&family_id) else { return Err(unknown) };
        if family.revoked {
            return Err(Denied::grant("the refresh token was revoked", Some("family is revoked")));
        }
        if let Some(spent) = &known.spent {
            let in_window = now.saturating_sub(spent.at) < life.reuse_window;
            if in_window && now < spent.successor.until {
                let note = "refresh token reused inside the window, same successor";
                return Ok(Issued { note, ..spent.successor.clone() });
            }
            family.revoked = life.reuse_revokes;
            let note = if life.reuse_revokes {
                "refresh token reused, family revoked"
            } else {
                "refresh token reused"
            };
            return Err(Denied::grant("the refresh token was used before", Some(note)));
        }
        if now >= known.until {
            return Err(Denied::grant("the refresh token has expired", Some("refresh token expired")));
        }
        let scope = scope.unwrap_or_else(|| family.permission.scope.clone());
        if !scope.iter().all(|name| family.permission.scope.contains(name)) {
            return Err(Denied {
                error: "invalid_scope",
                description: "a refresh cannot ask for more than was allowed",
                note: None,
            });
        }
        let issued = self.issue(now, mint, life, family_id, scope, "refresh token rotated");
        if let Some(known) = self.refresh.get_mut(token) {
            known.spent = Some(Spent { at: now, successor: issued.clone() });
        }
        Ok(issued)
    }

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
        let refresh = RefreshToken { family, until: now.saturating_add(life.refresh_token), spent: None };
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
