//! Answers to every kind of exchange, with any status, header and body.
//!
//! The input reads like an answer: a line with the kind (the letters of `exchange`, upper case for a client that
//! authenticates with the header) and the status, lines with headers, an empty line, the body. Every secret that an
//! exchange sends is in `dictionaries/token_response`, in each of its encodings, so that the answer can echo it.
//!
//! - Tokens that are accepted fit into a header and do not live for ever; a refresh does not lose its refresh token.
//! - No error shows a secret that was sent, nor a character that moves a cursor, and none is long. A wait that the server
//!   asks for is a day at most.
//! - The same answer is read the same way twice.
//! - A user of a device login is sent to a safe address only, and the poll keeps the interval.
#![no_main]
#![allow(clippy::expect_used, reason = "a panic is how a target fails")]

#[path = "token_response/device.rs"]
mod device;
#[path = "token_response/secrets.rs"]
mod secrets;

use std::time::Duration;

use auth_core::{
    Asked, AuthorizationRequest, Client, ExchangeError, ExchangeKind, Federation, ScopeSet, TokenKind,
    TokenSet, Wire, exchange,
};
use auth_core_fuzz::{assert_printable, redirect_uri, said, server, start};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret as _;
use serde_json::Value;

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
const DAY: Duration = Duration::from_secs(86_400);
/// The longest token, in bytes.
const LONGEST: usize = 64 * 1024;

fuzz_target!(|data: &[u8]| {
    let (letter, answer) = answer(data);
    let client = match letter.is_ascii_uppercase() {
        true => Client::secret_basic("app", secrets::CLIENT.into()),
        false => Client::secret_post("app", secrets::CLIENT.into()),
    };
    match letter.to_ascii_lowercase() {
        b'a' => device::authorization(&client, &answer),
        b'd' => device::poll(&client, &answer),
        b'v' => revocation(&client, &answer),
        letter => tokens(letter, &client, &answer),
    }
});

fn tokens(letter: u8, client: &Client, answer: &Response<Bytes>) {
    let (kind, (request, asked)) = exchange(letter, client);
    let read = exchange::response(&asked, answer, start());
    match (read, exchange::response(&asked, answer, start())) {
        (Ok(tokens), Ok(again)) => {
            assert_eq!(format!("{tokens:?}"), format!("{again:?}"));
            assert_eq!(answer.status(), StatusCode::OK);
            accepted(&tokens, kind);
        }
        (Err(error), Err(again)) => {
            assert_eq!(error, again);
            refused(&error, &request, answer);
        }
        (read, again) => assert_eq!(read.is_ok(), again.is_ok(), "{read:?} and then {again:?}"),
    }
}

/// Begins the exchange of this letter.
fn exchange(letter: u8, client: &Client) -> (ExchangeKind, (Request<Bytes>, Asked)) {
    let (server, scopes) = (server().with_wire(Wire::claude()), ScopeSet::parse("user:inference"));
    let assertion = secrets::GRANT.into();
    match letter {
        b'c' => {
            let request = AuthorizationRequest::new(&server, client, redirect_uri());
            let request = request.expect("the server has a place for it").scopes(scopes);
            let (_, pending) = request.begin(*secrets::ENTROPY);
            let callback = format!("{}#{}", secrets::GRANT, secrets::STATE);
            let grant = pending.complete_pasted(&callback).expect("it is the answer to this login");
            (ExchangeKind::AuthorizationCode, exchange::code(grant))
        }
        b'k' => (ExchangeKind::ClientCredentials, exchange::client_credentials(&server, client, &scopes)),
        b'j' => {
            let exchange = exchange::jwt_bearer(&server, Some(client), &assertion, &scopes, start());
            (ExchangeKind::JwtBearer, exchange.expect("the assertion may be sent"))
        }
        b'f' => {
            let federation = Federation::new("fdrl_1", "org_1");
            let exchange = exchange::federation(&server, &federation, &assertion, start());
            (ExchangeKind::Federation, exchange.expect("the assertion may be sent"))
        }
        _ => (ExchangeKind::RefreshToken, exchange::refresh(&server, client, &assertion)),
    }
}

/// Reads an answer as it would be on a wire, however badly it is written.
fn answer(data: &[u8]) -> (u8, Response<Bytes>) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut rest = lines.next().unwrap_or_default();
    let status = first.get(1..).and_then(|status| StatusCode::from_bytes(status.trim_ascii()).ok());
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status.unwrap_or_default();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, body) = rest.split_at(end);
        rest = body.get(1..).unwrap_or_default();
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(parts.next().unwrap_or_default().trim_ascii());
        match (name, value) {
            (Ok(name), Ok(value)) => answer.headers_mut().append(name, value),
            _ => break,
        };
    }
    *answer.body_mut() = rest.to_vec().into();
    (first.first().copied().unwrap_or_default(), answer)
}

fn accepted(tokens: &TokenSet, kind: ExchangeKind) {
    let header = format!("Bearer {}", tokens.access_token.expose_secret());
    let header = HeaderValue::try_from(header).expect("the access token fits into a header");
    assert!(header.to_str().is_ok_and(|text| text.split(' ').count() == 2), "two words: {header:?}");
    for token in [Some(&tokens.access_token), tokens.refresh_token.as_ref()].into_iter().flatten() {
        let token = token.expose_secret();
        assert!((1..=LONGEST).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    assert!(
        kind != ExchangeKind::RefreshToken || tokens.refresh_token.is_some(),
        "the token to refresh is lost"
    );
    assert!(kind != ExchangeKind::Federation || tokens.expires_at.is_some(), "a federation ends");
    if let Some(expiry) = tokens.expires_at {
        assert!(start() < expiry && expiry <= start() + TEN_YEARS, "{expiry:?}");
    }
    assert!(tokens.scopes.as_ref().is_none_or(|scopes| !scopes.is_empty()), "no scopes are not known scopes");
    for known in ["access_token", "refresh_token", "token_type", "expires_in", "scope"] {
        assert!(!tokens.extra.contains_key(known), "{known} is told twice");
    }
    let mut other = TokenSet { access_token: "other".into(), ..tokens.clone() };
    other.refresh_token = other.refresh_token.map(|_| "other".into());
    other.extra.values_mut().for_each(|value| *value = Value::Null);
    assert_eq!(format!("{tokens:?}"), format!("{other:?}"), "a token makes a difference to what is shown");
}

fn refused(error: &ExchangeError, request: &Request<Bytes>, answer: &Response<Bytes>) {
    secrets::assert_none_of(request, &said(error));
    assert_printable(&error.to_string());
    assert!(error.to_string().chars().count() < 1000, "{error}");
    assert!(error.retry_after().is_none_or(|wait| wait <= DAY), "{error:?}");
    let could_hold_tokens = answer.status().is_success() || is_json(answer.body());
    if let ExchangeError::Status { excerpt, .. } = error {
        assert!(!could_hold_tokens || excerpt.is_none(), "{error:?}");
    }
    let ours = answer.status() == StatusCode::OK;
    let refusal = matches!(error, ExchangeError::Refused { .. } | ExchangeError::Status { .. });
    assert!(ours != refusal, "a 200 is refused for what it holds, all else for what it says: {error:?}");
}

fn revocation(client: &Client, answer: &Response<Bytes>) {
    let token = secrets::GRANT.into();
    let (request, asked) = exchange::revoke(&server(), client, &token, TokenKind::RefreshToken)
        .expect("the server has a revocation endpoint");
    match exchange::revocation(&asked, answer, start()) {
        Ok(()) => assert!([StatusCode::OK, StatusCode::BAD_REQUEST].contains(&answer.status())),
        Err(error) => refused(&error, &request, answer),
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object() || value.is_array())
}
