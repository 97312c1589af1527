//! Giving tokens back.

use std::time::Duration;

use auth_core::{Asked, Client, ExchangeError, OAuthErrorCode, Server, TokenKind, Wire, exchange};
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request,
    header::{self, RETRY_AFTER},
};

use crate::rig::{at, form, oauth_error, reply, server};

fn revoking() -> Server {
    server().with_revocation_endpoint("https://auth.example/revoke?tenant=1".parse().unwrap()).unwrap()
}

fn revoke(client: &Client, hint: TokenKind) -> (Request<Bytes>, Asked) {
    exchange::revoke(&revoking(), client, &"45ghiukldjahdnhzdauz".into(), hint).unwrap()
}

fn asked() -> Asked {
    revoke(&Client::public("app"), TokenKind::RefreshToken).1
}

/// C32, C33: a form in the body, and one authentication.
#[test]
fn the_revocation_is_that_of_rfc_7009_section_2_1() {
    let client = Client::secret_basic("s6BhdRkqt3", "gX1fBat3bV".into());
    let (request, _) = revoke(&client, TokenKind::RefreshToken);
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://auth.example/revoke?tenant=1");
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()[header::AUTHORIZATION], "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    assert!(request.headers()[header::AUTHORIZATION].is_sensitive());
    assert_eq!(request.body(), "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token");
}

/// C99: the hint names the kind of token that is sent.
#[test]
fn the_hint_is_that_of_the_token() {
    for (kind, hint) in [(TokenKind::AccessToken, "access_token"), (TokenKind::RefreshToken, "refresh_token")]
    {
        let (request, _) = revoke(&Client::public("app"), kind);
        assert_eq!(form(&request)["token_type_hint"], hint);
        assert_eq!(form(&request)["client_id"], "app");
    }
}

#[test]
fn a_server_without_a_revocation_endpoint_gets_no_request() {
    let client = Client::public("app");
    assert!(exchange::revoke(&server(), &client, &"t".into(), TokenKind::RefreshToken).is_none());
}

#[test]
fn the_dialect_of_a_login_does_not_touch_a_revocation() {
    let server = revoking().with_wire(Wire::claude());
    let (request, _) =
        exchange::revoke(&server, &Client::public("app"), &"t".into(), TokenKind::AccessToken).unwrap();
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert!(!request.headers().contains_key("anthropic-beta"));
}

/// C98: a 200 means that the token is gone, known or not, and the body says nothing (RFC 7009 section 2.2).
#[test]
fn a_200_is_a_revocation_whatever_its_body() {
    for body in ["", "{}", "ok", "<html>", r#"{"error":"invalid_token"}"#, "\u{0}"] {
        assert_eq!(exchange::revocation(&asked(), &reply(200, body), at(0)), Ok(()), "{body}");
    }
    let large = Bytes::from(vec![b'x'; exchange::MAX_ANSWER + 1]);
    assert_eq!(exchange::revocation(&asked(), &reply(200, large), at(0)), Ok(()));
}

/// C98: some servers call an unknown token an error; the token is gone all the same.
#[test]
fn a_400_that_calls_the_token_unknown_is_a_revocation() {
    assert_eq!(exchange::revocation(&asked(), &oauth_error(400, "invalid_token"), at(0)), Ok(()));
}

/// A token that may still be good is never called revoked.
#[test]
fn no_other_answer_is_a_revocation() {
    for status in [201, 202, 204, 301, 302, 307, 400, 401, 403, 404, 405, 429, 500, 502, 503] {
        let error = exchange::revocation(&asked(), &reply(status, ""), at(0)).unwrap_err();
        assert!(matches!(error, ExchangeError::Status { .. }), "{status}: {error:?}");
        assert!(error.to_string().starts_with("the revocation endpoint answered"), "{error}");
    }
    // 401: this is about the client, not about the token.
    for (status, code) in [
        (401, "invalid_token"),
        (401, "invalid_client"),
        (400, "invalid_grant"),
        (400, "invalid_request"),
        (400, "unsupported_token_type"),
    ] {
        let error = exchange::revocation(&asked(), &oauth_error(status, code), at(0)).unwrap_err();
        assert_eq!(error.code().map(OAuthErrorCode::as_str), Some(code));
        assert!(!error.is_retryable(), "{code}");
    }
}

/// C99: a busy server says when to come back, in seconds or as a date, and is not asked before.
#[test]
fn a_503_is_retryable_after_the_time_the_server_asks_for() {
    for body in ["", "<html>", r#"{"error":"temporarily_unavailable"}"#] {
        let mut answer = reply(503, body);
        let without = exchange::revocation(&asked(), &answer, at(0)).unwrap_err();
        assert!(without.is_retryable());
        assert_eq!(without.retry_after(), None);
        for (text, seconds) in [("120", 120), ("Fri, 15 Jan 2027 08:01:00 GMT", 60)] {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(text));
            let error = exchange::revocation(&asked(), &answer, at(0)).unwrap_err();
            assert!(error.is_retryable());
            assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)), "{text}");
        }
    }
}

#[test]
fn errors_of_a_revocation_speak_of_the_revocation() {
    for (code, expected) in [
        ("unsupported_token_type", "unsupported_token_type; this server does not revoke this kind of token"),
        ("invalid_client", "invalid_client; check the client id and its secret"),
        ("invalid_grant", "invalid_grant"),
    ] {
        let error = exchange::revocation(&asked(), &oauth_error(400, code), at(0)).unwrap_err();
        assert_eq!(error.to_string(), format!("the revocation endpoint refused: {expected}"));
    }
}

#[test]
fn the_answer_to_a_revocation_gives_no_token() {
    let answer = reply(200, r#"{"access_token":"a","token_type":"Bearer"}"#);
    assert!(exchange::response(&asked(), &answer, at(0)).is_err());
}
