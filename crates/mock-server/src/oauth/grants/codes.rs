//! Requests that a person answers, and the codes that come of it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::{Denied, Grants, Issued, Permission, same};
use crate::mint::Mint;
use crate::state::Lifetimes;

/// How long a person may take to answer.
const CONSENT_LIFE: Duration = Duration::from_secs(600);
/// How long a code may wait for its exchange.
const CODE_LIFE: Duration = Duration::from_secs(60);

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

/// A request that nobody has answered yet.
pub(super) struct Waiting {
    request: Request,
    login: Login,
    csrf: String,
    pub(super) until: Duration,
}

pub(super) struct Code {
    request: Request,
    seat: usize,
    pub(super) until: Duration,
    spent: bool,
    /// What the code gave; a replay takes it back.
    family: Option<u64>,
}

impl Code {
    /// Whether it may be exchanged so.
    fn check(&self, now: Duration, exchange: &Exchange<'_>) -> Result<(), Denied> {
        if now >= self.until {
            return Err(Denied::grant("the code has expired", Some("code expired")));
        }
        if exchange.redirect_uri != self.request.redirect_uri {
            let note = Some("redirect_uri differs");
            return Err(Denied::grant("redirect_uri is not the one of the authorization request", note));
        }
        if exchange.state.is_some_and(|state| !same(state, &self.request.state)) {
            return Err(Denied::grant(
                "state is not the one of the authorization request",
                Some("state differs"),
            ));
        }
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(exchange.verifier));
        if !same(&digest, &self.request.challenge) {
            return Err(Denied::grant("code_verifier does not match code_challenge", Some("PKCE failed")));
        }
        Ok(())
    }
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
        code.check(now, exchange)?;
        let scope = code.request.scope.clone();
        let permission = Permission { scope: scope.clone(), seat: code.seat };
        let family = self.new_family(permission);
        if let Some(code) = self.codes.get_mut(exchange.code) {
            code.family = Some(family);
        }
        Ok(self.issue(now, mint, life, family, scope, "code exchanged"))
    }
}
