//! What a driver knows of a logout.

use std::collections::HashMap;

use auth_core::{Client, Event, Input, Server, Snapshot, TokenKind, exchange};
use bytes::Bytes;
use http::{Request, Response};
use url::form_urlencoded;

use super::{World, exposed};

/// How often a token may be sent to be revoked.
const TRIES: u32 = 2;

/// A token that is given back, and as what.
pub(crate) type Returned = (TokenKind, String);

/// The book of logouts.
#[derive(Debug, Default)]
pub(crate) struct Logout {
    /// The user said so, and it is not done.
    pub(crate) under_way: bool,
    /// Nobody is logged in: no lease from here on.
    pub(crate) out: bool,
    /// A removal is under way; and whether it is of the tokens that are to be removed now.
    pub(crate) removing: Option<bool>,
    /// How often each of the newest tokens was given back, and whether the server took it.
    pub(crate) tries: HashMap<Returned, (u32, bool)>,
    /// An answer was lost that may have brought tokens: nobody can say that all are revoked.
    pub(crate) doubt: bool,
    /// An exchange since the tokens came did not do what it was for: it may be said that not all are revoked.
    pub(crate) trouble: bool,
    /// What may be said of the logout that is complete.
    complete: Option<Said>,
}

/// Whether it may be said of a logout that all was revoked, and that it was not.
#[derive(Debug)]
struct Said {
    revoked: bool,
    not_revoked: bool,
}

/// Returns the tokens that a server can be given back, in this order.
fn revocable(server: &Server, snapshot: Option<&Snapshot>) -> Vec<Returned> {
    let Some(snapshot) = snapshot.filter(|_| server.revocation_endpoint().is_some()) else {
        return Vec::new();
    };
    let refresh = snapshot.refresh_token.as_ref().map(|token| (TokenKind::RefreshToken, exposed(token)));
    refresh.into_iter().chain([(TokenKind::AccessToken, exposed(&snapshot.access_token))]).collect()
}

impl World {
    pub(crate) fn log_out(&mut self) {
        if self.logout.under_way {
            return self.handle_in_vain(Input::LogOut);
        }
        assert!(!self.handle(Input::LogOut), "a logout changed the tokens");
        self.logout.under_way = true;
        self.logout.out = true;
        self.logout.doubt = self.lost > 0;
        // Nobody takes back what nobody has.
        self.logout.trouble |= self.machine.snapshot().is_none();
        self.last = None;
        self.reason = false;
    }

    pub(crate) fn removed(&mut self, ok: bool) {
        let Some(current) = self.logout.removing.take() else {
            return self.handle_in_vain(Input::Removed { ok });
        };
        if !(ok && current) {
            return assert!(!self.handle(Input::Removed { ok }), "a report changed the tokens");
        }
        let before = self.machine.snapshot().cloned();
        let tokens = revocable(&self.server, before.as_ref());
        let taken = |token: &Returned| self.logout.tries.get(token).is_some_and(|(_, taken)| *taken);
        let taken = !tokens.is_empty() && tokens.iter().all(taken);
        let (doubt, trouble) = (self.logout.doubt, self.logout.trouble || tokens.is_empty());
        self.logout.complete = Some(Said { revoked: taken && !doubt, not_revoked: trouble });
        self.logout.under_way = false;
        self.logout.tries.clear();
        self.machine.handle(Input::Removed { ok }, self.now);
        assert!(self.machine.snapshot().is_none(), "logged out with tokens: {:?}", self.machine);
        self.uses += 1;
        self.spent.extend(before.map(|snapshot| (key(&snapshot), self.uses)));
    }

    /// The machine says that what is stored is to be removed.
    pub(super) fn remove(&mut self) {
        assert!(self.logout.under_way, "removed without a logout");
        assert!(self.logout.removing.is_none(), "two removals at once");
        assert!(self.flight.is_none(), "removed while an exchange may bring tokens");
        assert!(self.storing.is_none(), "removed while a store may bring them back");
        let tokens = revocable(&self.server, self.machine.snapshot());
        let offered = tokens.first().is_none_or(|token| self.logout.tries.contains_key(token));
        assert!(offered, "removed before it was given back");
        self.logout.removing = Some(true);
    }

    /// The machine gives a token back.
    pub(super) fn revoke(&mut self, request: &Request<Bytes>) -> Returned {
        let form: HashMap<_, _> = form_urlencoded::parse(request.body()).into_owned().collect();
        let kind = match form.get("token_type_hint").map(String::as_str) {
            Some("refresh_token") => TokenKind::RefreshToken,
            _ => TokenKind::AccessToken,
        };
        let token = (kind, form.get("token").cloned().unwrap_or_default());
        let tokens = revocable(&self.server, self.machine.snapshot());
        assert!(tokens.contains(&token), "not a token of this login");
        let first =
            tokens.first().is_some_and(|first| *first == token || self.logout.tries.contains_key(first));
        assert!(first, "the refresh token comes first");
        assert!(self.logout.removing.is_none(), "given back while what is stored is removed");
        let (tries, taken) = self.logout.tries.entry(token.clone()).or_default();
        *tries += 1;
        assert!(*tries <= TRIES && !*taken, "a token is given back on and on");
        token
    }

    /// Notes whether the server took a token back, by how auth-core reads a revocation.
    pub(super) fn given_back(&mut self, token: Returned, answer: &Response<Bytes>) {
        let (kind, text) = &token;
        let client = Client::public("app");
        let Some((_, asked)) = exchange::revoke(&self.server, &client, &text.as_str().into(), *kind) else {
            return;
        };
        if exchange::revocation(&asked, answer, self.now).is_ok() {
            self.logout.tries.entry(token).or_default().1 = true;
        } else {
            self.logout.trouble = true;
        }
    }

    pub(super) fn told(&mut self, event: &Event) {
        if let Event::LoggedOut { revoked } = event {
            let Some(said) = self.logout.complete.take() else { panic!("a logout is complete again") };
            assert!(said.revoked || !revoked, "revoked is said of the logout");
            assert!(said.not_revoked || *revoked, "nothing is said against it, but that it is not revoked");
        }
    }
}

/// Returns the token that a login lives by.
pub(crate) fn key(snapshot: &Snapshot) -> String {
    exposed(snapshot.refresh_token.as_ref().unwrap_or(&snapshot.access_token))
}
