//! The redirect of a login, and the text a user pastes: anyone on the machine can send either.
//!
//! The input is the callback. It is read by logins with servers that never, may and must name themselves.
//!
//! - There is a code exactly when the callback has the state of this login and breaks no rule; what counts as that is
//!   decided by a second reader, in this file.
//! - A callback without the state cannot end a login, and reading it a second time gives the same.
//! - No error shows the state, the verifier or a character that moves a cursor.
#![no_main]
#![allow(clippy::expect_used, clippy::panic, reason = "a panic is how a target fails")]

use std::collections::HashMap;

use auth_core::{
    AuthorizationRequest, CallbackError, CallbackErrorKind, Client, CodeGrant, PendingAuthorization, Server,
    exchange,
};
use auth_core_fuzz::{ISSUER, assert_printable, redirect_uri, said, server};
use libfuzzer_sys::fuzz_target;
use url::form_urlencoded;

const ENTROPY: &[u8; 64] = b"these-forty-eight-bytes-become-the-code-verifierthese-the-state.";
/// What the entropy makes; `dictionaries/callback` has both.
const STATE: &str = "dGhlc2UtdGhlLXN0YXRlLg";
const VERIFIER: &str = "dGhlc2UtZm9ydHktZWlnaHQtYnl0ZXMtYmVjb21lLXRoZS1jb2RlLXZlcmlmaWVy";
/// The longest callback that is read, in bytes.
const LONGEST: usize = 8 * 1024;

fuzz_target!(|data: &[u8]| {
    let callback = &*String::from_utf8_lossy(data);
    let named = server().with_issuer(ISSUER);
    read(&server(), None, false, callback);
    read(&named, Some(ISSUER), false, callback);
    read(&named.with_issuer_required(), Some(ISSUER), true, callback);
});

fn read(server: &Server, issuer: Option<&str>, required: bool, callback: &str) {
    let redirected = redirected(callback, issuer, required);
    let waits = check(begin(server), PendingAuthorization::complete, callback, redirected.as_deref());
    let pending = waits.unwrap_or_else(|| begin(server));
    let pasted = pasted(callback).filter(|_| !required);
    let waits = check(pending, PendingAuthorization::complete_pasted, callback, pasted.as_deref());
    if let Some(pending) = waits {
        let right = format!("/callback?code=c0de&state={STATE}&iss={ISSUER}");
        redeems(pending.complete(&right).expect("the login still waits for its answer"), "c0de");
    }
}

fn begin(server: &Server) -> PendingAuthorization {
    AuthorizationRequest::new(server, &Client::public("app"), redirect_uri())
        .expect("the server has a place for it")
        .begin(*ENTROPY)
        .1
}

/// Reads the callback, and returns the login if it goes on.
fn check(
    pending: PendingAuthorization,
    complete: fn(PendingAuthorization, &str) -> Result<CodeGrant, CallbackError>,
    callback: &str,
    code: Option<&str>,
) -> Option<PendingAuthorization> {
    let error = match (complete(pending, callback), code) {
        (Ok(grant), Some(code)) => {
            redeems(grant, code);
            return None;
        }
        (Err(error), None) => error,
        (Ok(_), None) => panic!("a grant without the right to one"),
        (Err(error), Some(_)) => panic!("the answer to this login is refused: {error}"),
    };
    let kind = refused(&error);
    let Some(pending) = error.into_pending() else {
        assert!(callback.len() <= LONGEST && has_state(callback), "a stranger ended the login: {kind:?}");
        return None;
    };
    assert!(!matches!(kind, CallbackErrorKind::Denied { .. }), "a login that was denied goes on");
    let again = complete(pending, callback).expect_err("it was refused before");
    assert_eq!(*again.kind(), kind, "the same callback is another one the second time");
    again.into_pending()
}

/// The request has the code and what it is bound to, and goes to the server that was asked.
fn redeems(grant: CodeGrant, code: &str) {
    assert!(!format!("{grant:?}").contains(STATE));
    let (request, _) = exchange::code(grant);
    assert_eq!(request.uri(), "https://auth.example/token");
    let members: HashMap<_, _> = form_urlencoded::parse(request.body()).collect();
    assert_eq!(members.get("code").map(|code| &**code), Some(code));
    assert_eq!(members.get("code_verifier").map(|verifier| &**verifier), Some(VERIFIER));
}

fn refused(error: &CallbackError) -> CallbackErrorKind {
    let shown = said(error);
    assert!(!shown.contains(STATE) && !shown.contains(VERIFIER), "{shown}");
    assert_printable(&error.to_string());
    assert!(error.to_string().chars().count() < 700, "{shown}");
    error.kind().clone()
}

/// Returns the parameters of a redirect, as they are.
fn parameters(callback: &str) -> Vec<(String, String)> {
    let query =
        callback.split('#').next().and_then(|text| text.split_once('?')).map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Tells whether a callback has the state of this login, in either form.
fn has_state(callback: &str) -> bool {
    let redirected = parameters(callback).iter().any(|(name, value)| name == "state" && value == STATE);
    redirected || callback.trim().split_once('#').is_some_and(|(_, state)| state == STATE)
}

/// Returns the code of a redirect that answers this login.
fn redirected(callback: &str, issuer: Option<&str>, required: bool) -> Option<String> {
    let parameters = parameters(callback);
    let all = |name: &str| -> Vec<&str> {
        parameters.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    };
    let issuers = all("iss");
    let sane = callback.len() <= LONGEST
        && all("state") == [STATE]
        && all("error").is_empty()
        && all("error_description").len() <= 1
        && issuers.len() <= 1
        && (!required || !issuers.is_empty())
        && issuers.iter().all(|iss| issuer.is_none_or(|issuer| issuer == *iss));
    match all("code")[..] {
        [code] if sane && is_code(code) => Some(code.to_owned()),
        _ => None,
    }
}

/// Returns the code of a pasted text that answers this login.
fn pasted(text: &str) -> Option<String> {
    let (code, state) = text.trim().split_once('#')?;
    (text.len() <= LONGEST && state == STATE && is_code(code)).then(|| code.to_owned())
}

/// RFC 6749 appendix A.11.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, ' '..='~'))
}
