//! Workload identity federation of the Claude API.

use auth_core::{Asked, AssertionError, ExchangeError, Federation, TokenSet, Wire, exchange};
use http::{Method, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{
    assertion::jwt,
    rig::{at, oauth_error, reply, server},
};

fn asked() -> Asked {
    let federation = Federation::new("fdrl_1", "org_1");
    exchange::federation(&server(), &federation, &jwt("{}").into(), at(0)).unwrap().1
}

fn read(body: &str) -> Result<TokenSet, ExchangeError> {
    exchange::response(&asked(), &reply(200, body.to_owned()), at(0))
}

/// C32: the documented JSON, with its betas and without a client.
#[test]
fn a_federation_is_json_with_two_betas_and_no_client() {
    let assertion = SecretString::from(jwt("{}"));
    let server = server().with_wire(Wire::claude());
    let (request, _) =
        exchange::federation(&server, &Federation::new("fdrl_1", "org_1"), &assertion, at(0)).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://auth.example/token");
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(request.headers()["anthropic-beta"], "oauth-2025-04-20,oidc-federation-2026-04-01");
    assert!(!request.headers().contains_key(header::AUTHORIZATION));
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(
        body,
        json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": jwt("{}"),
            "federation_rule_id": "fdrl_1",
            "organization_id": "org_1",
        })
    );
}

#[test]
fn the_service_account_and_the_workspace_go_into_the_body_when_named() {
    let federation = Federation::new("fdrl_1", "org_1");
    for (federation, account, workspace) in [
        (federation.clone().with_service_account_id("svac_1"), Some("svac_1"), None),
        (federation.clone().with_workspace_id("default"), None, Some("default")),
        (
            federation.with_service_account_id("svac_1").with_workspace_id("wrkspc_1"),
            Some("svac_1"),
            Some("wrkspc_1"),
        ),
    ] {
        let (request, _) = exchange::federation(&server(), &federation, &jwt("{}").into(), at(0)).unwrap();
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(federation.workspace_id(), workspace);
        assert_eq!(body.get("service_account_id").and_then(Value::as_str), account);
        assert_eq!(body.get("workspace_id").and_then(Value::as_str), workspace);
    }
}

/// C94, C97: the same checks as for any assertion.
#[test]
fn a_federation_does_not_send_a_large_an_empty_or_an_expired_assertion() {
    let federation = Federation::new("fdrl_1", "org_1");
    let refusal = |assertion: String| {
        exchange::federation(&server(), &federation, &assertion.into(), at(0)).unwrap_err()
    };
    assert_eq!(refusal("a".repeat(16_385)), AssertionError::TooLarge { bytes: 16_385 });
    assert_eq!(refusal(String::new()), AssertionError::Empty);
    assert!(matches!(refusal(jwt(r#"{"exp":1}"#)), AssertionError::Expired { .. }));
}

/// C42, C43: a bearer token that says how long it lives; the type may go unsaid.
#[test]
fn a_federated_token_needs_a_lifetime_and_no_type() {
    for token_type in ["", r#","token_type":"bEaReR""#] {
        let tokens =
            read(&format!(r#"{{"access_token":"a","expires_in":600,"scope":"x"{token_type}}}"#)).unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "a");
        assert_eq!(tokens.expires_at, Some(at(600)));
        assert_eq!(tokens.scopes.unwrap().to_string(), "x");
        assert!(tokens.refresh_token.is_none());
    }
}

/// C43: no lifetime is made up where one was promised.
#[test]
fn a_federated_token_without_a_usable_lifetime_is_refused() {
    let problem = "expires_in is missing or not a number above zero";
    for told in [
        "",
        r#","expires_in":null"#,
        r#","expires_in":0"#,
        r#","expires_in":-5"#,
        r#","expires_in":"NaN""#,
        r#","expires_in":1e400"#,
        r#","expires_in":[600]"#,
        r#","refresh_token":"r""#,
    ] {
        let error = read(&format!(r#"{{"access_token":"canary"{told}}}"#)).unwrap_err();
        assert_eq!(error, ExchangeError::Invalid { problem }, "{told}");
        assert!(!error.is_retryable());
    }
}

/// C39, C41, C42, C47: what is refused for every grant is refused here.
#[test]
fn hostile_answers_to_a_federation_are_typed_errors() {
    for body in [
        r#"{"expires_in":600}"#,
        r#"{"access_token":"","expires_in":600}"#,
        r#"{"access_token":"a\r\nX: 1","expires_in":600}"#,
        r#"{"access_token":1,"expires_in":600}"#,
        r#"{"access_token":"a","expires_in":600,"token_type":"mac"}"#,
        r#"{"access_token":"a","expires_in":600,"token_type":1}"#,
        r#"{"access_token":"a","access_token":"b","expires_in":600}"#,
    ] {
        assert!(matches!(read(body), Err(ExchangeError::Invalid { .. })), "{body}");
    }
    for body in ["", "<html>", "[]", r#"{"access_token":"a","expires_in":600"#] {
        assert_eq!(read(body).unwrap_err(), ExchangeError::NotJson, "{body}");
    }
    let large = format!(r#"{{"access_token":"a","expires_in":600,"x":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(read(&large).unwrap_err(), ExchangeError::TooLarge);
}

/// C55: the body, or else the status, decides; both tell what to look at.
#[test]
fn a_refused_federation_tells_what_to_check() {
    let api = r#"{"type":"error","error":{"type":"authentication_error","message":"no"}}"#;
    for answer in [reply(401, ""), reply(401, api), oauth_error(401, "invalid_grant")] {
        let error = exchange::response(&asked(), &answer, at(0)).unwrap_err();
        assert!(error.to_string().contains("; check the federation rule,"), "{error}");
        assert!(!error.is_retryable());
    }
    let down = exchange::response(&asked(), &reply(503, ""), at(0)).unwrap_err();
    assert!(down.is_retryable());
    assert!(down.to_string().ends_with("try again later"), "{down}");
}
