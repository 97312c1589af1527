//! Examples of RFC 6749 that belong to no single exchange: the way to the code, and the errors.
//!
//! The others stand with what they show: the requests of sections 4.1.3, 4.4.2 and 6 and the answers of 4.4.3 and 5.1,
//! RFC 7523 section 2.1, RFC 8628 sections 3.1 to 3.4, RFC 7009 section 2.1, RFC 7636 appendix B. Sections 4.2 (implicit)
//! and 4.3 (passwords) of RFC 6749 are not offered, and an implicit answer is not read; nor is RFC 7523 section 2.2, a JWT
//! in place of a client's secret.

use std::collections::HashMap;

use auth_core::{
    AuthorizationRequest, CallbackErrorKind, Client, ExchangeError, OAuthErrorCode, PendingAuthorization,
    exchange,
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA},
};

use crate::rig::{at, form, reply, server};

fn begin() -> (HashMap<String, String>, PendingAuthorization) {
    let redirect = "https://client.example.com/cb".parse().unwrap();
    let request = AuthorizationRequest::new(&server(), &Client::public("s6BhdRkqt3"), redirect).unwrap();
    let (url, pending) = request.begin([7; 64]);
    (url.query_pairs().into_owned().collect(), pending)
}

/// The example's state is `xyz`; a login's own takes its place.
fn with_state(example: &str, sent: &HashMap<String, String>) -> String {
    assert!(example.contains("state=xyz"), "{example}");
    example.replace("state=xyz", &format!("state={}", sent["state"]))
}

#[test]
fn the_authorization_request_is_that_of_section_4_1_1() {
    let example = "response_type=code&client_id=s6BhdRkqt3&state=xyz\
                   &redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb";
    let (mut sent, _) = begin();
    let mut expected: HashMap<String, String> =
        url::form_urlencoded::parse(example.as_bytes()).into_owned().collect();
    assert_eq!(expected.insert("state".to_owned(), sent["state"].clone()).as_deref(), Some("xyz"));
    assert_eq!(sent.remove("code_challenge").map(|challenge| challenge.len()), Some(43));
    assert_eq!(sent.remove("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(sent, expected, "and nothing but PKCE beside it");
}

#[test]
fn the_redirect_of_section_4_1_2_gives_its_code() {
    let (sent, pending) = begin();
    let example = "https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz";
    let grant = pending.complete(&with_state(example, &sent)).unwrap();
    assert_eq!(form(&exchange::code(grant).0)["code"], "SplxlOBeZQQYbYS6WxSbIA");
}

#[test]
fn the_redirect_of_section_4_1_2_1_ends_the_login() {
    let (sent, pending) = begin();
    let example = "https://client.example.com/cb?error=access_denied&state=xyz";
    let error = pending.complete(&with_state(example, &sent)).unwrap_err();
    let denied = CallbackErrorKind::Denied { code: OAuthErrorCode::AccessDenied, description: None };
    assert_eq!(*error.kind(), denied);
    assert!(error.into_pending().is_none());
}

/// There is no implicit grant: its answers are those of a stranger, and the login waits on.
#[test]
fn the_redirects_of_section_4_2_are_not_read() {
    let (sent, mut pending) = begin();
    for example in [
        "http://example.com/cb#access_token=2YotnFZFEjr1zCsicMWpAA&state=xyz&token_type=example&expires_in=3600",
        "https://client.example.com/cb#error=access_denied&state=xyz",
    ] {
        let error = pending.complete(&with_state(example, &sent)).unwrap_err();
        assert_eq!(*error.kind(), CallbackErrorKind::StateMissing);
        pending = error.into_pending().unwrap();
    }
}

/// Word for word: the type `example` stands for one the client knows, and this one knows `bearer` alone.
#[test]
fn the_answer_of_sections_4_1_4_and_5_1_is_of_a_type_nobody_knows() {
    let (_, asked) = exchange::refresh(&server(), &Client::public("s6BhdRkqt3"), &"r".into());
    let example = r#"{
       "access_token":"2YotnFZFEjr1zCsicMWpAA",
       "token_type":"example",
       "expires_in":3600,
       "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA",
       "example_parameter":"example_value"
     }"#;
    let error = exchange::response(&asked, &reply(200, example), at(0)).unwrap_err();
    assert_eq!(error, ExchangeError::Invalid { problem: "token_type is not bearer" });
}

#[test]
fn the_error_of_section_5_2_is_read() {
    let (_, asked) = exchange::refresh(&server(), &Client::public("s6BhdRkqt3"), &"r".into());
    let mut example = reply(400, "{\n       \"error\":\"invalid_request\"\n     }");
    let headers = example.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    let error = exchange::response(&asked, &example, at(0)).unwrap_err();
    assert_eq!(error.code(), Some(&OAuthErrorCode::InvalidRequest));
    assert_eq!(error.to_string(), "the token endpoint refused: invalid_request");
}
