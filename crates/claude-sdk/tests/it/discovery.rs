//! What a server says about itself, fetched: only on demand, within limits, and never from elsewhere.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, LoginError,
    auth_core::MetadataError,
    login::discover,
    transport::{self, Body, Clock, HttpBackend, Request, Response, SimClock},
};
use serde_json::{Value, json};

use crate::rig::{Place, backend, held, t0, told, until};

const ISSUER: &str = "https://auth.example/tenant";

/// Answers from a list, and writes down where it was asked.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<Vec<(u16, Vec<u8>)>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let answers = answers.into_iter().map(|(status, body)| (status, body.to_string().into_bytes()));
        Self { answers: Mutex::new(answers.collect()), asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpBackend for Script {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        self.asked.lock().unwrap().push(request.uri().to_string());
        let (status, body) = self.answers.lock().unwrap().remove(0);
        Ok(http::Response::builder()
            .status(status)
            .header("location", "https://evil.example/")
            .body(body.into())
            .unwrap())
    }
}

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": "https://auth.example/authorize",
        "token_endpoint": "https://auth.example/token",
        "code_challenge_methods_supported": ["S256"],
    })
}

async fn refused(script: &Script) -> MetadataError {
    let error = discover(ISSUER, script, &SimClock::new(t0())).await.unwrap_err();
    assert!(!told(&error).is_empty());
    match error {
        AuthError::Login(LoginError::Metadata(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_describes_itself() {
    let place = Place::new(held().path_prefix("/gateway")).await;
    let metadata = discover(place.mock.issuer(), &backend(), &place.clock).await.unwrap();
    assert_eq!(metadata.server().token_endpoint(), &place.mock.token_url());
    assert_eq!(metadata.server().authorization_endpoint(), Some(&place.mock.authorize_url()));
    assert_eq!(metadata.server().revocation_endpoint(), Some(&place.mock.revoke_url()));
    assert_eq!(metadata.device_authorization_endpoint(), Some(&place.mock.device_authorization_url()));
}

#[tokio::test]
async fn the_second_location_is_asked_where_the_first_has_nothing() {
    let script = Script::new([(404, json!({})), (200, document(ISSUER))]);
    discover(ISSUER, &script, &SimClock::new(t0())).await.unwrap();
    assert_eq!(
        script.asked(),
        [
            "https://auth.example/.well-known/oauth-authorization-server/tenant",
            "https://auth.example/tenant/.well-known/openid-configuration",
        ]
    );
}

/// A document that is there and lies is no reason to look elsewhere for one that suits.
#[tokio::test]
async fn a_document_of_another_issuer_is_refused_and_no_other_is_looked_for() {
    for issuer in ["https://evil.example", "https://auth.example/tenant/", "https://AUTH.example/tenant"] {
        let script = Script::new([(200, document(issuer)), (200, document(ISSUER))]);
        assert_eq!(refused(&script).await, MetadataError::OtherIssuer, "{issuer}");
        assert_eq!(script.asked().len(), 1);
    }
}

/// F55: what a description could have a browser open, or a token sent to.
#[tokio::test]
async fn no_address_that_is_no_safe_endpoint_is_taken_from_a_description() {
    const ADDRESSES: [&str; 31] = [
        "file:///etc/passwd",
        "file://localhost/c:/windows/system32/calc.exe",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "about:blank",
        "chrome://settings",
        "smb://evil.example/share",
        "ssh://-oProxyCommand=calc/x",
        "ftp://auth.example/authorize",
        "ws://auth.example/authorize",
        "mailto:someone@auth.example",
        "ms-msdt:/id PCWDiagnostic",
        "search-ms:query=x",
        "calculator:",
        "--help",
        "-e calc",
        "$(id)",
        "`id`",
        "a\"&calc",
        "|calc",
        "/authorize",
        "//auth.example/authorize",
        "",
        "https://",
        "http://auth.example/authorize",
        "http://localhost.evil.example/authorize",
        "http://localhost@evil.example/authorize",
        "https://user:pass@auth.example/authorize",
        "https://auth.example/authorize#fragment",
    ];
    for address in ADDRESSES {
        for member in ["authorization_endpoint", "token_endpoint", "device_authorization_endpoint"] {
            let mut lying = document(ISSUER);
            lying[member] = address.into();
            let script = Script::new([(200, lying)]);
            let error = refused(&script).await;
            assert!(
                matches!(error, MetadataError::Endpoint(_) | MetadataError::NotMetadata),
                "{address}: {error:?}"
            );
            assert_eq!(script.asked().len(), 1, "{address}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let script = Script::new([(302, document(ISSUER)), (307, document(ISSUER))]);
    assert!(matches!(refused(&script).await, MetadataError::Status { .. }));
    assert!(script.asked().iter().all(|address| address.starts_with("https://auth.example/")));
}

#[tokio::test]
async fn a_document_has_a_size() {
    for (pad, fits) in [(200 * 1024, true), (256 * 1024, false)] {
        let mut large = document(ISSUER);
        large["x"] = "x".repeat(pad).into();
        let script = Script::new([(200, large)]);
        let outcome = discover(ISSUER, &script, &SimClock::new(t0())).await;
        assert_eq!(outcome.is_ok(), fits, "{pad}");
        if let Err(AuthError::Login(error)) = outcome {
            assert!(matches!(error, LoginError::Metadata(MetadataError::TooLarge)), "{error:?}");
        }
    }
}

/// A server that says one byte a second, or none.
#[derive(Clone, Debug)]
struct Drip {
    clock: SimClock,
    heads: bool,
}

#[async_trait]
impl HttpBackend for Drip {
    async fn send(&self, _: Request) -> Result<Response, transport::Error> {
        if !self.heads {
            return std::future::pending().await;
        }
        let clock = self.clock.clone();
        let drops = futures_util::stream::unfold(clock, |clock| async move {
            clock.sleep(Duration::from_secs(1)).await;
            Some((Ok("{".into()), clock))
        });
        Ok(Response::new(Body::from_stream(drops)))
    }
}

#[tokio::test]
async fn a_document_has_ten_seconds() {
    for heads in [false, true] {
        let clock = SimClock::new(t0());
        let drip = Arc::new(Drip { clock: clock.clone(), heads });
        let fetching = {
            let clock = clock.clone();
            tokio::spawn(async move { discover(ISSUER, &drip, &clock).await })
        };
        for second in 0..10 {
            until(|| clock.sleepers() == if heads { 2 } else { 1 }).await;
            assert!(!fetching.is_finished(), "{second}");
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        let error = fetching.await.unwrap().unwrap_err();
        assert!(matches!(error, AuthError::Login(LoginError::NoAnswer { .. })), "{error:?}");
    }
}
