//! The client's own token.

use auth_core::{Client, ExchangeError, OAuthErrorCode, ScopeSet, Wire, exchange};
use http::{Method, header};
use secrecy::ExposeSecret as _;

use crate::rig::{at, form, oauth_error, reply, server};

fn confidential() -> Client {
    Client::secret_basic("s6BhdRkqt3", "gX1fBat3bV".into())
}

/// C32, C33: a `POST` with a form, and one authentication, in the header.
#[test]
fn the_client_credentials_grant_is_that_of_rfc_6749_section_4_4_2() {
    let (request, _) = exchange::client_credentials(&server(), &confidential(), &ScopeSet::default());
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://auth.example/token");
    assert_eq!(request.headers()[header::AUTHORIZATION], "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    assert!(request.headers()[header::AUTHORIZATION].is_sensitive());
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(request.body(), "grant_type=client_credentials");
}

/// C33, C34: a client that posts its secret sends no header, and special characters survive.
#[test]
fn client_credentials_in_the_body_are_form_encoded() {
    let client = Client::secret_post("my app", "a:%+ü".into());
    let (request, _) = exchange::client_credentials(&server(), &client, &ScopeSet::parse("read write"));
    assert_eq!(
        request.body(),
        "grant_type=client_credentials&scope=read+write&client_id=my+app&client_secret=a%3A%25%2B%C3%BC"
    );
    assert!(!request.headers().contains_key(header::AUTHORIZATION));
}

/// C8: a scope is one value, whatever it holds.
#[test]
fn a_scope_cannot_add_a_parameter() {
    let scopes = ScopeSet::parse("a&client_id=evil");
    let (request, _) = exchange::client_credentials(&server(), &confidential(), &scopes);
    assert_eq!(form(&request)["scope"], "a&client_id=evil");
    assert_eq!(form(&request).len(), 2);
}

#[test]
fn the_dialect_of_a_login_does_not_touch_client_credentials() {
    let server = server().with_wire(Wire::claude());
    let (request, _) = exchange::client_credentials(&server, &confidential(), &ScopeSet::default());
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert!(!request.headers().contains_key("anthropic-beta"));
}

#[test]
fn the_answer_of_rfc_6749_section_4_4_3_needs_no_refresh_token() {
    let (_, asked) = exchange::client_credentials(&server(), &confidential(), &ScopeSet::parse("b a"));
    let body = r#"{
        "access_token":"2YotnFZFEjr1zCsicMWpAA",
        "token_type":"bearer",
        "expires_in":3600,
        "example_parameter":"example_value"
    }"#;
    let tokens = exchange::response(&asked, &reply(200, body), at(0)).unwrap();
    assert_eq!(tokens.access_token.expose_secret(), "2YotnFZFEjr1zCsicMWpAA");
    assert!(tokens.refresh_token.is_none());
    assert_eq!(tokens.expires_at, Some(at(3600)));
    assert_eq!(tokens.scopes, Some(ScopeSet::parse("a b")));
}

/// C43: the next token costs no person anything, so a token of unknown lifetime is not kept for ever.
#[test]
fn a_client_token_without_a_lifetime_is_renewed_after_an_hour() {
    let (_, asked) = exchange::client_credentials(&server(), &confidential(), &ScopeSet::default());
    for told in ["", r#","expires_in":0"#, r#","expires_in":-1"#, r#","expires_in":1e400"#] {
        let body = format!(r#"{{"access_token":"a","token_type":"bearer"{told}}}"#);
        let tokens = exchange::response(&asked, &reply(200, body), at(0)).unwrap();
        assert_eq!(tokens.expires_at, Some(at(3600)), "{told}");
        assert_eq!(tokens.scopes, None);
    }
}

/// C42: a new grant has to say what kind of token it is.
#[test]
fn a_client_token_of_no_or_another_type_is_refused() {
    let (_, asked) = exchange::client_credentials(&server(), &confidential(), &ScopeSet::default());
    for (body, problem) in [
        (r#"{"access_token":"a"}"#, "token_type is missing"),
        (r#"{"access_token":"a","token_type":"mac"}"#, "token_type is not bearer"),
    ] {
        let error = exchange::response(&asked, &reply(200, body), at(0)).unwrap_err();
        assert_eq!(error, ExchangeError::Invalid { problem });
    }
}

/// C52: a wrong secret stays wrong.
#[test]
fn a_refused_client_is_told_to_check_its_secret_and_not_to_log_in() {
    let (_, asked) = exchange::client_credentials(&server(), &confidential(), &ScopeSet::default());
    let error = exchange::response(&asked, &oauth_error(401, "invalid_client"), at(0)).unwrap_err();
    assert_eq!(error.code(), Some(&OAuthErrorCode::InvalidClient));
    assert!(!error.is_retryable());
    assert_eq!(
        error.to_string(),
        "the token endpoint refused: invalid_client; check the client id and its secret"
    );
}
