//! Assertions: what is sent, and what is refused before it is sent.

use std::time::{Duration, SystemTime};

use auth_core::{AssertionError, Client, ExchangeKind, ScopeSet, exchange};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::header;
use secrecy::SecretString;

use crate::rig::{at, form, oauth_error, reply, server};

/// The claims of RFC 7523 section 4.
const CLAIMS: &str = r#"{"iss":"https://jwt-idp.example.com","sub":"mailto:mike@example.com","aud":"https://jwt-rp.example.net","nbf":1300815780,"exp":1300819380,"http://claims.example.com/member":true}"#;
const EXP: u64 = 1_300_819_380;

/// A JWT with the header of RFC 7523 section 2.1, these claims, and a signature that nobody checks here.
pub(crate) fn jwt(claims: &str) -> String {
    format!("eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.{}.J9l-ZhwP", BASE64_URL_SAFE_NO_PAD.encode(claims))
}

fn epoch(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Why this assertion is not sent at this time; `None` is that it is sent.
fn refusal(assertion: &str, now: SystemTime) -> Option<AssertionError> {
    exchange::jwt_bearer(&server(), None, &assertion.into(), &ScopeSet::default(), now).err()
}

/// C32: in a form in the body, not in the URL.
#[test]
fn the_jwt_grant_is_that_of_rfc_7523_section_2_1() {
    let jwt = jwt(CLAIMS);
    let assertion = SecretString::from(jwt.clone());
    let (request, _) =
        exchange::jwt_bearer(&server(), None, &assertion, &ScopeSet::default(), epoch(EXP - 1)).unwrap();
    assert_eq!(request.uri(), "https://auth.example/token");
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert!(!request.headers().contains_key(header::AUTHORIZATION));
    let rfc = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer\
               &assertion=eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.";
    let rest = std::str::from_utf8(request.body()).unwrap().strip_prefix(rfc).unwrap();
    assert!(jwt.ends_with(rest), "{rest}");
}

/// C33: the client, where there is one, authenticates in exactly one way.
#[test]
fn a_client_may_come_with_the_assertion() {
    let assertion = SecretString::from(jwt(CLAIMS));
    for (client, basic, id, secret) in [
        (Client::public("app"), false, Some("app"), None),
        (Client::secret_post("app", "s".into()), false, Some("app"), Some("s")),
        (Client::secret_basic("app", "s".into()), true, None, None),
    ] {
        let scopes = ScopeSet::parse("write read");
        let (request, _) =
            exchange::jwt_bearer(&server(), Some(&client), &assertion, &scopes, epoch(0)).unwrap();
        assert_eq!(request.headers().contains_key(header::AUTHORIZATION), basic);
        let form = form(&request);
        assert_eq!(form["scope"], "read write");
        assert_eq!(form.get("client_id").map(String::as_str), id);
        assert_eq!(form.get("client_secret").map(String::as_str), secret);
    }
}

/// C97.
#[test]
fn an_assertion_that_has_expired_is_not_sent() {
    let jwt = jwt(CLAIMS);
    assert_eq!(refusal(&jwt, epoch(EXP - 1)), None);
    // "On or after": the moment itself is too late.
    assert_eq!(refusal(&jwt, epoch(EXP)), Some(AssertionError::Expired { ago: Duration::ZERO }));
    let error = refusal(&jwt, epoch(EXP + 42)).unwrap();
    assert_eq!(error, AssertionError::Expired { ago: Duration::from_secs(42) });
    assert_eq!(
        error.to_string(),
        "the assertion expired 42 s ago; get a new one, and if this one is new set this machine's clock"
    );
}

#[test]
fn every_way_to_write_a_past_expiry_is_understood() {
    for past in ["0", "-1", "-1e300", "1.5", "1e3", "1799999999", "1799999999.9"] {
        let error = refusal(&jwt(&format!(r#"{{"exp":{past}}}"#)), at(0));
        assert!(matches!(error, Some(AssertionError::Expired { .. })), "{past}");
    }
    let padded = format!("e30.{}==.c2ln", BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp":1}"#));
    assert!(matches!(refusal(&padded, at(0)), Some(AssertionError::Expired { .. })));
}

/// Only the server can judge these, so they are sent; and none of them makes a panic.
#[test]
fn what_cannot_be_read_is_left_to_the_server() {
    for claims in [
        "",
        "{}",
        "[]",
        "null",
        "{",
        r#"{"exp":null}"#,
        r#"{"exp":"1"}"#,
        r#"{"exp":[1]}"#,
        r#"{"exp":1e400}"#,
        r#"{"exp":1e300}"#,
        r#"{"exp":18446744073709551616}"#,
        r#"{"exp":1,"exp":1}"#,
        "\u{0}\u{fffd}",
        &"[".repeat(10_000),
    ] {
        assert_eq!(refusal(&jwt(claims), at(0)), None, "{claims}");
    }
    let past = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp":1}"#);
    for odd in [
        "opaque".to_owned(),
        "..".to_owned(),
        format!("e30.{past}"),
        format!("e30.{past}.iv.text.tag"),
        "e30.!!!.c2ln".to_owned(),
    ] {
        assert_eq!(refusal(&odd, at(0)), None, "{odd}");
    }
}

#[test]
fn a_clock_before_the_epoch_makes_no_panic() {
    assert_eq!(refusal(&jwt(CLAIMS), SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
}

/// C94.
#[test]
fn an_assertion_has_at_most_16_kib() {
    assert_eq!(refusal(&"a".repeat(16_384), at(0)), None);
    let error = refusal(&"a".repeat(16_385), at(0)).unwrap();
    assert_eq!(error, AssertionError::TooLarge { bytes: 16_385 });
    assert!(error.to_string().contains(&exchange::MAX_ASSERTION.to_string()), "{error}");
}

/// C94: what a file gives that is empty, or holds more than the token.
#[test]
fn an_empty_or_framed_assertion_is_not_sent_and_not_shown() {
    assert_eq!(refusal("", at(0)), Some(AssertionError::Empty));
    for framed in ["canary\n", " canary", "canary canary", "\"canary\"", "canary\u{0}", "canaryé"] {
        let error = refusal(framed, at(0)).unwrap();
        assert_eq!(error, AssertionError::Malformed, "{framed:?}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}

/// C43: a new assertion gives a new token, so a token of unknown lifetime is not kept for ever.
#[test]
fn an_assertion_gives_a_token_and_is_asked_again_after_an_hour() {
    let scopes = ScopeSet::parse("read");
    let (_, asked) = exchange::jwt_bearer(&server(), None, &jwt("{}").into(), &scopes, at(0)).unwrap();
    let body = r#"{"access_token":"a","token_type":"Bearer"}"#;
    let tokens = exchange::response(&asked, &reply(200, body), at(0)).unwrap();
    assert_eq!(tokens.expires_at, Some(at(3600)));
    assert_eq!(tokens.scopes, Some(scopes));
    assert!(tokens.refresh_token.is_none());
    let untyped = exchange::response(&asked, &reply(200, r#"{"access_token":"a"}"#), at(0));
    assert!(untyped.is_err(), "C42: the type is required");
}

#[test]
fn a_refused_assertion_is_not_called_a_refresh_token() {
    let (_, asked) =
        exchange::jwt_bearer(&server(), None, &jwt("{}").into(), &ScopeSet::default(), at(0)).unwrap();
    let error = exchange::response(&asked, &oauth_error(400, "invalid_grant"), at(0)).unwrap_err();
    assert!(matches!(error, auth_core::ExchangeError::Refused { kind: ExchangeKind::JwtBearer, .. }));
    assert!(!error.is_retryable());
    assert_eq!(
        error.to_string(),
        "the token endpoint refused: invalid_grant; check the assertion's issuer, subject, audience and \
         lifetime, and this machine's clock"
    );
}
