//! Answers of honest, confused and hostile token endpoints.

use std::time::{Duration, SystemTime};

use auth_core::{
    Asked, AuthorizationRequest, Client, ExchangeError, OAuthErrorCode, ScopeSet, TokenSet, exchange,
};
use http::{
    HeaderValue,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use secrecy::ExposeSecret as _;

use crate::rig::{at, oauth_error, reply, server};

fn asked_refresh() -> Asked {
    exchange::refresh(&server(), &Client::public("app"), &"old-rt".into()).1
}

fn asked_code() -> Asked {
    let (url, pending) =
        AuthorizationRequest::new(&server(), &Client::public("app"), "http://[::1]/".parse().unwrap())
            .unwrap()
            .scopes(ScopeSet::parse("b a"))
            .begin([3; 64]);
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    exchange::code(pending.complete(&format!("?code=c0de&state={state}")).unwrap()).1
}

fn read(asked: &Asked, body: &str) -> Result<TokenSet, ExchangeError> {
    exchange::response(asked, &reply(200, body.to_owned()), at(0))
}

fn problem(body: &str) -> ExchangeError {
    read(&asked_code(), body).unwrap_err()
}

#[test]
fn the_answer_of_rfc_6749_section_5_1_is_read() {
    let tokens = read(
        &asked_code(),
        r#"{
            "access_token":"2YotnFZFEjr1zCsicMWpAA",
            "token_type":"example",
            "expires_in":3600,
            "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA",
            "example_parameter":"example_value"
        }"#
        .replace("\"example\"", "\"Bearer\"")
        .as_str(),
    )
    .unwrap();
    assert_eq!(tokens.access_token.expose_secret(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "tGzv3JOkF0XG5Qx2TlKWIA");
    assert_eq!(tokens.expires_at, Some(at(3600)));
    assert_eq!(tokens.scopes, Some(ScopeSet::parse("a b")), "what was asked, since nothing else is said");
    assert_eq!(tokens.extra["example_parameter"], "example_value");
    assert_eq!(tokens.extra.len(), 1);
}

#[test]
fn what_a_refresh_leaves_out_stays() {
    for rest in ["", r#","refresh_token":"""#, r#","refresh_token":null"#] {
        let tokens = read(&asked_refresh(), &format!(r#"{{"access_token":"a"{rest}}}"#)).unwrap();
        assert_eq!(tokens.empty_refresh_token, rest.contains(r#""""#), "{rest}");
        assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "old-rt", "{rest}");
        assert_eq!(tokens.scopes, None);
    }
    let rotated = read(&asked_refresh(), r#"{"access_token":"a","refresh_token":"new-rt"}"#).unwrap();
    assert!(!rotated.empty_refresh_token);
    assert_eq!(rotated.refresh_token.unwrap().expose_secret(), "new-rt");
}

/// C44: where there was none before, there is none now, and it is told apart from one that was never sent.
#[test]
fn an_empty_refresh_token_of_a_login_is_none_and_noted() {
    for (rest, noted) in [("", false), (r#","refresh_token":null"#, false), (r#","refresh_token":"""#, true)]
    {
        let body = format!(r#"{{"access_token":"a","token_type":"bearer"{rest}}}"#);
        let tokens = read(&asked_code(), &body).unwrap();
        assert!(tokens.refresh_token.is_none());
        assert_eq!(tokens.empty_refresh_token, noted, "{rest}");
        assert!(tokens.extra.is_empty());
    }
    let blank = r#"{"access_token":"a","token_type":"bearer","refresh_token":" "}"#;
    assert!(matches!(problem(blank), ExchangeError::Invalid { .. }), "a blank is no token and not nothing");
}

#[test]
fn narrower_and_wider_scopes_are_exposed() {
    let body = r#"{"access_token":"a","token_type":"bearer","scope":"a admin"}"#;
    let tokens = read(&asked_code(), body).unwrap();
    assert_eq!(tokens.scopes, Some(ScopeSet::parse("a admin")));
    let change = tokens.scope_change.unwrap();
    assert_eq!((change.missing, change.unasked), (ScopeSet::parse("b"), ScopeSet::parse("admin")));
    for told in ["", r#","scope":"""#, r#","scope":" ""#, r#","scope":null"#, r#","scope":"b a""#] {
        let body = format!(r#"{{"access_token":"a","token_type":"bearer"{told}}}"#);
        let tokens = read(&asked_code(), &body).unwrap();
        assert_eq!(tokens.scopes, Some(ScopeSet::parse("a b")), "{told}");
        assert_eq!(tokens.scope_change, None, "{told}");
    }
    let unasked = read(&asked_refresh(), body).unwrap();
    assert_eq!((unasked.scopes, unasked.scope_change), (tokens.scopes, None), "a refresh asks for none");
}

#[test]
fn no_lifetime_panics_or_makes_a_loop() {
    let hour = Some(at(3600));
    let years = Some(at(10 * 365 * 86_400));
    for (told, expected) in [
        ("60", Some(at(60))),
        ("\"60\"", Some(at(60))),
        ("\" 60 \"", Some(at(60))),
        ("6e1", Some(at(60))),
        ("60.5", Some(at(60) + Duration::from_millis(500))),
        ("9223372036854775808", years),
        ("1e15", years),
        ("0", hour),
        ("0.999", hour),
        ("1e-9", hour),
        ("1", Some(at(1))),
        ("-0", hour),
        ("-1", hour),
        ("1e400", hour),
        ("-1e400", hour),
        ("\"NaN\"", hour),
        ("\"inf\"", hour),
        ("\"soon\"", hour),
        ("\"\"", hour),
        ("null", hour),
        ("true", hour),
        ("[60]", hour),
        ("{}", hour),
    ] {
        let body = format!(r#"{{"access_token":"a","token_type":"bearer","expires_in":{told}}}"#);
        assert_eq!(read(&asked_refresh(), &body).unwrap().expires_at, expected, "{told}");
    }
    // Without a refresh token there is nothing to be early for.
    let unlimited = read(&asked_code(), r#"{"access_token":"a","token_type":"bearer"}"#).unwrap();
    assert_eq!(unlimited.expires_at, None);
}

#[test]
fn token_type_is_bearer_in_any_case_and_nothing_else() {
    for good in ["bearer", "Bearer", "bEaReR"] {
        assert!(read(&asked_code(), &format!(r#"{{"access_token":"a","token_type":"{good}"}}"#)).is_ok());
    }
    for bad in [r#""mac""#, r#""DPoP""#, r#""""#, "1", "[]"] {
        let body = format!(r#"{{"access_token":"a","token_type":{bad}}}"#);
        assert_eq!(problem(&body), ExchangeError::Invalid { problem: "token_type is not bearer" });
        assert!(read(&asked_refresh(), &body).is_err());
    }
    assert_eq!(
        problem(r#"{"access_token":"a"}"#),
        ExchangeError::Invalid { problem: "token_type is missing" }
    );
}

#[test]
fn a_token_that_cannot_be_a_header_is_refused_without_being_shown() {
    for bad in [
        r#""canary\r\nX: 1""#,
        r#""canary\u0000""#,
        r#""canary é""#,
        r#""canary x""#,
        r#""""#,
        "1",
        "null",
        r#"["canary"]"#,
        r#"{"canary":1}"#,
    ] {
        for (name, other) in [("access_token", "x"), ("refresh_token", "access_token")] {
            if name == "refresh_token" && matches!(bad, "null" | r#""""#) {
                continue;
            }
            let body = format!(r#"{{"{name}":{bad},"{other}":"a","token_type":"bearer"}}"#);
            let error = problem(&body);
            assert!(matches!(error, ExchangeError::Invalid { .. }), "{body}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
    let long = format!(r#"{{"access_token":"{}","token_type":"bearer"}}"#, "a".repeat(100_000));
    assert!(matches!(problem(&long), ExchangeError::Invalid { .. }));
}

#[test]
fn a_200_that_is_not_one_json_object_is_no_success() {
    for body in [
        "",
        "<html><body>Log in to the hotel network</body></html>",
        "[]",
        "null",
        "\"text\"",
        r#"{"access_token":"a","token_type":"bea"#,
        r#"{"access_token":"a","token_type":"bearer"} trailing"#,
        r#"{"access_token":"a","token_type":"bearer"}{}"#,
    ] {
        assert_eq!(problem(body), ExchangeError::NotJson, "{body}");
    }
    let invalid_utf8 = exchange::response(&asked_code(), &reply(200, &b"{\"a\":\"\xff\"}"[..]), at(0));
    assert_eq!(invalid_utf8.unwrap_err(), ExchangeError::NotJson);
}

#[test]
fn only_200_is_a_success() {
    let good = r#"{"access_token":"canary","token_type":"bearer"}"#;
    for status in [201, 202, 204, 206, 301, 302, 307, 308, 400, 500] {
        let error = exchange::response(&asked_code(), &reply(status, good), at(0)).unwrap_err();
        assert!(matches!(error, ExchangeError::Status { excerpt: None, .. }), "{status}: {error:?}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn members_that_are_there_twice_are_refused() {
    for body in [
        r#"{"access_token":"a","access_token":"b","token_type":"bearer"}"#,
        r#"{"access_token":"a","token_type":"bearer","x":1,"x":1}"#,
        r#"{"access_token":"a","token_type":"bearer","\u0061ccess_token":"b"}"#,
    ] {
        assert_eq!(problem(body), ExchangeError::Invalid { problem: "a member is there twice" });
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!(
        r#"{{"access_token":"a","token_type":"bearer","x":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(matches!(problem(&deep), ExchangeError::Invalid { .. }));
    assert!(matches!(problem(&"[".repeat(1_000_000)), ExchangeError::NotJson));
    let large =
        format!(r#"{{"access_token":"a","token_type":"bearer","x":"{}"}}"#, "x".repeat(exchange::MAX_ANSWER));
    assert_eq!(problem(&large), ExchangeError::TooLarge);
}

#[test]
fn what_is_just_within_the_bounds_is_read() {
    let token = "t".repeat(64 * 1024);
    let body = |token: &str| format!(r#"{{"access_token":"{token}","refresh_token":"{token}"}}"#);
    let tokens = read(&asked_refresh(), &body(&token)).unwrap();
    assert_eq!(tokens.access_token.expose_secret(), token);
    assert_eq!(tokens.refresh_token.unwrap().expose_secret(), token);
    assert!(read(&asked_refresh(), &body(&(token + "t"))).is_err());

    let mut padded = body("a");
    padded += &" ".repeat(exchange::MAX_ANSWER - padded.len());
    assert!(read(&asked_refresh(), &padded).is_ok());
    assert_eq!(read(&asked_refresh(), &(padded + " ")).unwrap_err(), ExchangeError::TooLarge);
}

#[test]
fn every_error_code_is_read_from_the_body_whatever_the_status() {
    for (status, text, code, retryable) in [
        (400, "invalid_request", OAuthErrorCode::InvalidRequest, false),
        (401, "invalid_client", OAuthErrorCode::InvalidClient, false),
        (400, "invalid_grant", OAuthErrorCode::InvalidGrant, false),
        (400, "unauthorized_client", OAuthErrorCode::UnauthorizedClient, false),
        (400, "unsupported_grant_type", OAuthErrorCode::UnsupportedGrantType, false),
        (400, "invalid_scope", OAuthErrorCode::InvalidScope, false),
        (503, "temporarily_unavailable", OAuthErrorCode::TemporarilyUnavailable, true),
        (400, "temporarily_unavailable", OAuthErrorCode::TemporarilyUnavailable, true),
        (500, "server_error", OAuthErrorCode::ServerError, true),
        (400, "house_rule", OAuthErrorCode::Other("house_rule".to_owned()), false),
        (429, "house_rule", OAuthErrorCode::Other("house_rule".to_owned()), true),
        (401, "invalid_token", OAuthErrorCode::InvalidToken, false),
        (503, "invalid_token", OAuthErrorCode::InvalidToken, true),
        (403, "insufficient_scope", OAuthErrorCode::InsufficientScope, false),
        (502, "insufficient_scope", OAuthErrorCode::InsufficientScope, true),
    ] {
        let error = exchange::response(&asked_refresh(), &oauth_error(status, text), at(0)).unwrap_err();
        assert_eq!(error.code(), Some(&code));
        assert_eq!(error.is_retryable(), retryable, "{status} {text}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_code_that_shows_nothing_is_none() {
    for code in ["", " ", "\u{1b}\u{0}"] {
        let error = exchange::response(&asked_refresh(), &oauth_error(400, code), at(0)).unwrap_err();
        assert!(matches!(error, ExchangeError::Status { .. }), "{error:?}");
        assert!(error.to_string().contains("400 Bad Request and no OAuth error"), "{error}");
    }
}

#[test]
fn invalid_grant_on_a_code_says_what_may_have_happened() {
    let error = exchange::response(&asked_code(), &oauth_error(400, "invalid_grant"), at(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the token endpoint refused: invalid_grant; the code was used before, has expired, or is not for \
         this client: start the login again"
    );
}

#[test]
fn retry_after_is_read_as_seconds_or_date_and_bounded() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    for (text, expected) in [
        ("7", Some(7)),
        ("0", Some(0)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Tue, 06 Nov 1984 08:49:37 GMT", Some(0)),
        ("999999999", Some(86_400)),
        ("99999999999999999999999", Some(86_400)),
        ("-1", None),
        ("NaN", None),
        ("1.5", None),
        ("", None),
    ] {
        let mut response = reply(503, "");
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(text));
        let error = exchange::response(&asked_refresh(), &response, now).unwrap_err();
        assert_eq!(error.retry_after(), expected.map(Duration::from_secs), "{text}");
    }
}

/// C54: what may pass is told apart from what may not, by the status where the body says nothing.
#[test]
fn a_status_that_may_pass_is_retryable_and_no_other() {
    for (status, retryable) in [
        (429, true),
        (500, true),
        (502, true),
        (503, true),
        (504, true),
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (302, false),
    ] {
        let error = exchange::response(&asked_refresh(), &reply(status, ""), at(0)).unwrap_err();
        assert_eq!(error.is_retryable(), retryable, "{status}");
    }
}

/// C56: empty, HTML, or 10 MiB.
#[test]
fn an_error_that_is_no_json_has_its_status_and_a_short_excerpt() {
    for (body, shown) in [
        (String::new(), None),
        (
            "<html>\u{1b}[31m Bad\r\nGateway old-rt</html>".to_owned(),
            Some("<html> [31m Bad  Gateway [redacted]</html>".to_owned()),
        ),
        ("x".repeat(10 << 20), Some("x".repeat(256))),
    ] {
        let error = exchange::response(&asked_refresh(), &reply(502, body), at(0)).unwrap_err();
        let ExchangeError::Status { status, excerpt, .. } = &error else { panic!("{error:?}") };
        assert_eq!(status.as_u16(), 502);
        assert_eq!(*excerpt, shown);
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
}

/// C10: an excerpt is for the words of a gateway; a page that holds tokens, cut or broken as it may be, is not shown.
#[test]
fn an_error_that_could_hold_tokens_has_no_excerpt() {
    for body in [
        r#"{"access_token":"canary","token_ty"#,
        r#"{"access_token":"canary","access_token":"canary"}"#,
        r#"{"\u0061ccess\u005ftoken":"canary","a"#,
        "\u{feff} \r\n{\"a\":\"canary",
        r#"[{"id":"canary"}"#,
        "access_token=canary&token_type=bearer",
        "<p>refresh_token: canary</p>",
    ] {
        let error = exchange::response(&asked_refresh(), &reply(500, body), at(0)).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    }
}

/// C40: what an answer is called does not matter, only what it is.
#[test]
fn the_content_type_of_an_answer_is_not_believed() {
    for content_type in ["application/json;charset=UTF-8", "text/plain", "text/html", "image/png", ""] {
        let mut answer = reply(200, r#"{"access_token":"a","token_type":"bearer"}"#);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        assert!(exchange::response(&asked_code(), &answer, at(0)).is_ok(), "{content_type}");
        *answer.body_mut() = "<html>".into();
        let error = exchange::response(&asked_code(), &answer, at(0)).unwrap_err();
        assert_eq!(error, ExchangeError::NotJson, "{content_type}");
    }
}

/// C47, where it counts most: a made-up `invalid_grant` would end a login.
#[test]
fn a_refusal_with_members_that_are_there_twice_is_no_oauth_error() {
    let body = r#"{"error":"temporarily_unavailable","error":"invalid_grant"}"#;
    let (_, asked) = exchange::refresh(&server(), &Client::public("app"), &"rt".into());
    let error = exchange::response(&asked, &reply(503, body), at(0)).unwrap_err();
    assert!(error.code().is_none() && error.is_retryable(), "{error}");
}
