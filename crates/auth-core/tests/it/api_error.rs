//! Errors of the Claude API where an OAuth error is expected: its token endpoint answers in the API's own shape.

use std::{error::Error as _, time::Duration};

use auth_core::{Asked, Client, Event, ExchangeError, Federation, Reason, exchange};
use bytes::Bytes;
use http::{HeaderValue, Response, header::RETRY_AFTER};
use serde_json::{Value, json};

use crate::rig::{Rig, at, reply, server};

/// The types of the API's documentation with their statuses; `request_too_large` breaks its own rule of naming.
const TYPES: [(u16, &str); 11] = [
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (409, "conflict_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"),
    (500, "api_error"),
    (504, "timeout_error"),
    (529, "overloaded_error"),
];

fn api_error(status: u16, kind: &str) -> Response<Bytes> {
    let error = json!({ "type": kind, "message": "in the server's words" });
    reply(status, json!({ "type": "error", "error": error, "request_id": "req_1" }).to_string())
}

fn asked() -> Asked {
    exchange::refresh(&server(), &Client::public("app"), &"old-rt".into()).1
}

fn read(asked: &Asked, answer: &Response<Bytes>) -> ExchangeError {
    exchange::response(asked, answer, at(0)).unwrap_err()
}

fn body(status: u16, body: &Value) -> ExchangeError {
    read(&asked(), &reply(status, body.to_string()))
}

#[test]
fn an_error_of_the_api_is_told_in_its_own_words() {
    for (status, kind) in TYPES {
        let error = read(&asked(), &api_error(status, kind));
        let ExchangeError::Status { error_type, description, excerpt, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(error_type.as_deref(), Some(kind));
        assert_eq!(description.as_deref(), Some("in the server's words"));
        assert_eq!(*excerpt, None);
        assert_eq!(error.is_retryable(), matches!(status, 429 | 500..), "{kind}");
        let said = error.to_string();
        assert!(said.contains(&format!(": {kind} (in the server's words)")), "{said}");
        assert_eq!(said.contains("; try again later"), error.is_retryable(), "{said}");
        assert!(said.ends_with(" (request req_1)"), "{said}");
    }
    let error = read(&asked(), &api_error(401, "authentication_error"));
    assert_eq!(
        error.to_string(),
        "the token endpoint answered 401 Unauthorized: authentication_error (in the server's words) \
         (request req_1)"
    );
}

/// C55: such an error does not tell that a grant is dead, not even by a name that would.
#[test]
fn no_error_of_the_api_is_taken_for_an_oauth_error() {
    for kind in ["authentication_error", "invalid_grant", "invalid_client", "access_denied"] {
        for status in [400, 401, 403] {
            let error = read(&asked(), &api_error(status, kind));
            assert!(matches!(error, ExchangeError::Status { .. }), "{error:?}");
            assert_eq!(error.code(), None);
        }
    }
}

#[test]
fn what_has_another_shape_is_a_status_without_words() {
    for odd in [
        json!({}),
        json!({ "error": null }),
        json!({ "error": [] }),
        json!({ "error": {} }),
        json!({ "error": { "message": "canary" } }),
        json!({ "error": { "type": 1, "message": "canary" } }),
        json!({ "error": { "type": "a", "message": ["canary"] } }),
        json!({ "error": { "type": { "error": "invalid_grant" } } }),
    ] {
        let error = body(400, &odd);
        let ExchangeError::Status { error_type: None, description: None, excerpt: None, .. } = error else {
            panic!("{odd}: {error:?}")
        };
        assert!(error.to_string().contains("and no OAuth error"), "{error}");
    }
    for silent in [json!({ "type": "a" }), json!({ "type": "a", "message": null })] {
        let error = body(400, &json!({ "error": silent }));
        assert_eq!(error.to_string(), "the token endpoint answered 400 Bad Request: a");
    }
}

/// C57, C58: printable, cut, and without what was sent.
#[test]
fn the_words_of_the_api_are_fit_to_be_shown() {
    let text = format!("a\u{1b}[31m\r\nb old-rt {}", "x".repeat(1000));
    let error = body(400, &json!({ "error": { "type": text, "message": text }, "request_id": text }));
    let said = format!("{error} {error:?}");
    assert!(!said.contains("old-rt") && !error.to_string().contains(char::is_control), "{said}");
    let ExchangeError::Status { error_type, description, request_id, .. } = error else { panic!("{said}") };
    for text in [error_type, description, request_id] {
        let text = text.unwrap();
        assert!(text.starts_with("a [31m  b [redacted] x"), "{text}");
        assert_eq!(text.chars().count(), 256);
    }
}

#[test]
fn the_request_id_is_the_headers_or_else_the_bodys() {
    let both = |status: u16, body: &Value, header: Option<&'static str>| {
        let mut answer = reply(status, body.to_string());
        if let Some(id) = header {
            answer.headers_mut().insert("request-id", HeaderValue::from_static(id));
        }
        read(&asked(), &answer).request_id().map(ToOwned::to_owned)
    };
    let api = json!({ "error": { "type": "api_error" }, "request_id": "req_body" });
    let oauth = json!({ "error": "invalid_grant", "request_id": "req_body" });
    for body in [&api, &oauth] {
        assert_eq!(both(400, body, Some("req_head")).as_deref(), Some("req_head"));
        assert_eq!(both(400, body, Some(" ")).as_deref(), Some("req_body"));
        assert_eq!(both(400, body, None).as_deref(), Some("req_body"));
    }
    assert_eq!(both(400, &json!({ "error": "invalid_grant", "request_id": 7 }), None), None);
    assert_eq!(both(502, &json!("no object"), Some("req_head")).as_deref(), Some("req_head"));

    let mut answer = reply(400, r#"{"error":"invalid_grant"}"#);
    answer.headers_mut().insert("request-id", HeaderValue::from_static("req_head"));
    let said = read(&asked(), &answer).to_string();
    assert!(said.ends_with("log in again (request req_head)"), "{said}");
}

/// C55: the rule, the ids and the claims are all that can be wrong.
#[test]
fn a_federation_that_the_api_refuses_tells_what_to_check() {
    let federation = Federation::new("fdrl_1", "org_1");
    let (_, asked) = exchange::federation(&server(), &federation, &"a".into(), at(0)).unwrap();
    for (status, kind) in TYPES {
        let error = read(&asked, &api_error(status, kind));
        let checks = error.to_string().contains("; check the federation rule,");
        assert_eq!(checks, !error.is_retryable(), "{error}");
    }
}

#[test]
fn a_revocation_that_the_api_refuses_is_none() {
    let server = server().with_revocation_endpoint("https://auth.example/revoke".parse().unwrap()).unwrap();
    let client = Client::public("app");
    let kind = auth_core::TokenKind::RefreshToken;
    let (_, asked) = exchange::revoke(&server, &client, &"t".into(), kind).unwrap();
    for (status, kind) in TYPES.into_iter().chain([(400, "invalid_token")]) {
        let error = exchange::revocation(&asked, &api_error(status, kind), at(0)).unwrap_err();
        assert_eq!(error.request_id(), Some("req_1"));
    }
}

/// What a machine makes of each: the server's own failures are asked about once more at once, for the answer may be lost
/// on the way; nothing else is, and no login ends.
#[test]
fn no_error_of_the_api_ends_a_login() {
    for (status, kind) in TYPES {
        let mut rig = Rig::new();
        rig.at(1000).pending();
        let (exchange, _) = rig.transmit();
        let mut said = rig.answer(exchange, api_error(status, kind));
        if status >= 500 {
            let [(again, ref sent)] = said.transmits[..] else { panic!("{kind}: {said:?}") };
            assert_eq!(sent, "r1");
            said = rig.answer(again, api_error(status, kind));
        }
        assert!(said.transmits.is_empty(), "{kind}: {said:?}");
        let [Event::RefreshFailed(failure)] = &said.events[..] else { panic!("{kind}: {said:?}") };
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(1)), "{kind}");
        let cause = failure.source().unwrap().downcast_ref::<ExchangeError>().unwrap();
        assert_eq!(cause.request_id(), Some("req_1"));
        rig.at(1001).refresh("a2", "r2", 1000);
        assert_eq!(rig.token(), "a2");
    }
}

#[test]
fn an_overload_that_says_for_how_long_is_not_asked_about_before() {
    for (status, kind) in [(429, "rate_limit_error"), (529, "overloaded_error")] {
        let mut rig = Rig::new();
        rig.at(1000).pending();
        let (exchange, _) = rig.transmit();
        let mut answer = api_error(status, kind);
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("30"));
        let said = rig.answer(exchange, answer);
        assert!(said.transmits.is_empty(), "{said:?}");
        assert_eq!(rig.failed().retry_after(), Some(Duration::from_secs(30)), "{kind}");
    }
}

/// The refusal that does end it is OAuth's, and it keeps its name for the operator.
#[test]
fn invalid_grant_with_a_request_id_ends_a_login() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, reply(400, r#"{"error":"invalid_grant","request_id":"req_1"}"#));
    assert_eq!(rig.login_required(), Reason::InvalidGrant { maybe_consumed: false });
}
