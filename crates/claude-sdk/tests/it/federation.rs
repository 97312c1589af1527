//! The identity of a workload becomes a token of the API, and a client's own secret does.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use claude_sdk::{
    AuthError,
    auth_core::{self, AssertionError, Policy, ScopeSet, Server},
    credentials::{Cached, ClientCredentials, CredentialProvider, Federation, TokenSource},
    secrets::{self, Lookup, SecretName, providers::Env},
    transport::{self, Body, HttpBackend, Request, Response, SimClock},
};
use serde_json::{Value, json};

use crate::rig::t0;

/// A token endpoint that keeps what it is sent and answers with its script, or else with a token for an hour.
#[derive(Debug, Clone, Default)]
struct Endpoint(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    sent: Vec<Request>,
    script: Vec<(u16, Value)>,
    /// What its clock says, if it says so.
    date: Option<&'static str>,
}

#[async_trait]
impl HttpBackend for Endpoint {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        let mut log = self.0.lock().unwrap();
        log.sent.push(request);
        let number = log.sent.len();
        let token = json!({"access_token": format!("t{number}"), "token_type": "Bearer", "expires_in": 3600});
        let (status, body) = if log.script.is_empty() { (200, token) } else { log.script.remove(0) };
        let mut response = http::Response::builder().status(status).header("request-id", "req_1");
        if let Some(date) = log.date {
            response = response.header("date", date);
        }
        Ok(response.body(Body::from(body.to_string())).unwrap())
    }
}

impl Endpoint {
    fn answering(script: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let endpoint = Self::default();
        endpoint.0.lock().unwrap().script = script.into_iter().collect();
        endpoint
    }

    fn bodies(&self) -> Vec<Value> {
        let read = |request: &Request| serde_json::from_slice(request.body()).unwrap();
        self.0.lock().unwrap().sent.iter().map(read).collect()
    }
}

fn server() -> Server {
    Server::new("https://api.example/v1/oauth/token".parse().unwrap()).unwrap()
}

fn rule() -> auth_core::Federation {
    auth_core::Federation::new("fdrl_1", "org_1")
}

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

/// A token of an identity provider that runs out at a time.
fn jwt(expiry: SystemTime, extra: &str) -> String {
    let expiry = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{extra}c2ln", part(json!({"alg": "ES256"})), part(json!({"exp": expiry})))
}

fn fresh(extra: &str) -> String {
    jwt(t0() + Duration::from_secs(600), extra)
}

/// An environment that a test changes as it goes.
#[derive(Clone, Default)]
struct Variables(Arc<Mutex<HashMap<String, OsString>>>);

impl Variables {
    fn of(pairs: &[(&str, &str)]) -> Self {
        let variables = Self::default();
        pairs.iter().for_each(|(name, value)| variables.set(name, value));
        variables
    }

    fn set(&self, name: &str, value: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), value.into());
    }

    fn env(&self) -> Env {
        let variables = Arc::clone(&self.0);
        let lookup: Lookup = Arc::new(move |name| variables.lock().unwrap().get(name).cloned());
        Env::new(lookup)
    }

    fn federation(&self, endpoint: &Endpoint) -> Option<Federation> {
        Federation::from_env(&self.env(), server(), endpoint.clone()).unwrap()
    }
}

async fn ask(source: &impl TokenSource) -> Result<String, AuthError> {
    Ok(source.grant(&SimClock::new(t0())).await?.credential.expose().to_owned())
}

#[tokio::test]
async fn the_environment_describes_a_workload_as_the_official_sdks_read_it() {
    let (endpoint, token) = (Endpoint::default(), fresh(""));
    let variables = Variables::of(&[
        ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
        ("ANTHROPIC_ORGANIZATION_ID", "org_1"),
        ("ANTHROPIC_IDENTITY_TOKEN", &token),
    ]);
    assert_eq!(ask(&variables.federation(&endpoint).unwrap()).await.unwrap(), "t1");
    variables.set("ANTHROPIC_SERVICE_ACCOUNT_ID", "svac_1");
    variables.set("ANTHROPIC_WORKSPACE_ID", "wrkspc_1");
    assert_eq!(ask(&variables.federation(&endpoint).unwrap()).await.unwrap(), "t2");

    let mut expected = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": token,
        "federation_rule_id": "fdrl_1", "organization_id": "org_1"
    });
    let bodies = endpoint.bodies();
    assert_eq!(bodies[0], expected);
    expected["service_account_id"] = "svac_1".into();
    expected["workspace_id"] = "wrkspc_1".into();
    assert_eq!(bodies[1], expected);
    let log = endpoint.0.lock().unwrap();
    assert_eq!(log.sent[0].uri(), "https://api.example/v1/oauth/token");
    assert_eq!(log.sent[0].headers()["anthropic-beta"], "oauth-2025-04-20,oidc-federation-2026-04-01");
}

#[test]
fn half_a_description_is_none() {
    let all = [
        ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
        ("ANTHROPIC_ORGANIZATION_ID", "org_1"),
        ("ANTHROPIC_IDENTITY_TOKEN", "a.b.c"),
    ];
    assert!(Variables::of(&all).federation(&Endpoint::default()).is_some());
    for missing in 0..all.len() {
        let variables = Variables::of(&all);
        variables.set(all[missing].0, "");
        assert!(variables.federation(&Endpoint::default()).is_none(), "{}", all[missing].0);
    }
}

#[tokio::test]
async fn the_file_and_the_variable_are_read_anew_for_each_exchange_and_the_file_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let variables = Variables::of(&[
        ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
        ("ANTHROPIC_ORGANIZATION_ID", "org_1"),
        ("ANTHROPIC_IDENTITY_TOKEN", &fresh("dmFy")),
    ]);
    let endpoint = Endpoint::default();
    let by_variable = variables.federation(&endpoint).unwrap();
    variables.set("ANTHROPIC_IDENTITY_TOKEN_FILE", path.to_str().unwrap());
    let by_file = variables.federation(&endpoint).unwrap();

    fs::write(&path, fresh("MQ") + "\n").unwrap();
    ask(&by_file).await.unwrap();
    fs::write(&path, fresh("Mg") + "\r\n").unwrap();
    ask(&by_file).await.unwrap();
    ask(&by_variable).await.unwrap();
    variables.set("ANTHROPIC_IDENTITY_TOKEN", &fresh("bmV3"));
    ask(&by_variable).await.unwrap();
    variables.set("ANTHROPIC_IDENTITY_TOKEN", "env:ELSEWHERE");
    variables.set("ELSEWHERE", &fresh("cmVm"));
    ask(&by_variable).await.unwrap();
    let sent: Vec<Value> = endpoint.bodies().iter().map(|body| body["assertion"].clone()).collect();
    assert_eq!(sent, [fresh("MQ"), fresh("Mg"), fresh("dmFy"), fresh("bmV3"), fresh("cmVm")]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_holds_no_assertion_is_a_typed_error_and_nothing_is_sent() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, content: &[u8]| fs::write(path(name), content).unwrap();
    let endpoint = Endpoint::default();
    let error = async |file: &str| {
        let file = secrets::providers::File::at(path(file)).mounted();
        let source = Federation::new(server(), rule(), file, name("identity-token"), endpoint.clone());
        ask(&source).await.unwrap_err()
    };

    assert!(matches!(error("nowhere").await, AuthError::MissingSecret { .. }));
    write("empty", b"\n");
    write("lines", b"a.b.c\nd.e.f\n");
    write("binary", b"\xff\xfe");
    write("huge", &vec![b'a'; 64 * 1024 + 1]);
    write("open", fresh("").as_bytes());
    fs::set_permissions(path("open"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::create_dir(path("folder")).unwrap();
    symlink("folder", path("link")).unwrap();
    use secrets::ErrorKind as Kind;
    for (file, expected) in [
        ("empty", Kind::Empty),
        ("lines", Kind::Newline),
        ("binary", Kind::NotText),
        ("huge", Kind::TooLarge),
        ("open", Kind::OpenToOthers),
        ("folder", Kind::NotARegularFile),
        ("link", Kind::NotARegularFile),
    ] {
        let error = error(file).await;
        assert!(matches!(&error, AuthError::Secret { kind, .. } if *kind == expected), "{file}: {error:?}");
        assert!(error.to_string().contains(path(file).to_str().unwrap()), "{error}");
    }

    write("large", &vec![b'a'; auth_core::exchange::MAX_ASSERTION + 1]);
    write("framed", b"\"a.b.c\"");
    write("late", jwt(t0() - Duration::from_secs(7), "").as_bytes());
    assert!(matches!(error("large").await, AuthError::Assertion(AssertionError::TooLarge { bytes: 16_385 })));
    assert!(matches!(error("framed").await, AuthError::Assertion(AssertionError::Malformed)));
    let late = error("late").await;
    assert!(
        matches!(late, AuthError::Assertion(AssertionError::Expired { ago }) if ago == Duration::from_secs(7))
    );
    assert!(endpoint.0.lock().unwrap().sent.is_empty());
}

#[tokio::test]
async fn a_401_is_tried_once_more_with_the_assertion_as_it_is_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, fresh("MQ")).unwrap();

    /// Somebody replaces the file while the first exchange is under way.
    #[derive(Debug, Clone)]
    struct Replacing(Endpoint, std::path::PathBuf);

    #[async_trait]
    impl HttpBackend for Replacing {
        async fn send(&self, request: Request) -> Result<Response, transport::Error> {
            fs::write(&self.1, fresh("Mg")).unwrap();
            self.0.send(request).await
        }
    }

    let endpoint = Endpoint::answering([(401, json!({"error": "invalid_grant"}))]);
    let backend = Replacing(endpoint.clone(), path.clone());
    let file = secrets::providers::File::at(path).mounted();
    let source = Federation::new(server(), rule(), file, name("identity-token"), backend);
    assert_eq!(ask(&source).await.unwrap(), "t2");
    let sent: Vec<Value> = endpoint.bodies().iter().map(|body| body["assertion"].clone()).collect();
    assert_eq!(sent, [fresh("MQ"), fresh("Mg")]);
}

#[tokio::test]
async fn a_401_that_stays_names_the_request_and_the_workspace_unless_one_was_named() {
    let no =
        || (401, json!({"type": "error", "error": {"type": "authentication_error", "message": "no rule"}}));
    for (rule, advised) in [(rule(), true), (rule().with_workspace_id("default"), false)] {
        let endpoint = Endpoint::answering([no(), no()]);
        let assertion = Variables::of(&[("TOKEN", &fresh("canary"))]).env();
        let source = Federation::new(server(), rule, assertion, name("TOKEN"), endpoint.clone());
        let error = ask(&source).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains("no rule") && told.contains("req_1") && !told.contains("canary"), "{told}");
        assert_eq!(told.contains("ANTHROPIC_WORKSPACE_ID"), advised, "{told}");
        assert!(!error.is_retryable());
        assert_eq!(endpoint.bodies().len(), 2);
    }
    // Any other answer is not asked twice.
    let endpoint = Endpoint::answering([(503, json!({})), (503, json!({}))]);
    let assertion = Variables::of(&[("TOKEN", &fresh(""))]).env();
    let source = Federation::new(server(), rule(), assertion, name("TOKEN"), endpoint.clone());
    assert!(ask(&source).await.unwrap_err().is_retryable());
    assert_eq!(endpoint.bodies().len(), 1);
}

#[tokio::test]
async fn the_token_of_a_workload_goes_to_the_deployment_that_gave_it_and_runs_out_by_the_clock_here() {
    let assertion = Variables::of(&[("TOKEN", &fresh(""))]).env();
    let endpoint = Endpoint::default();
    endpoint.0.lock().unwrap().date = Some("Fri, 15 Jan 2027 10:00:00 GMT"); // t0 and two hours
    let source = Federation::new(server(), rule(), assertion, name("TOKEN"), endpoint.clone());
    let grant = source.grant(&SimClock::new(t0())).await.unwrap();
    assert_eq!(grant.credential.origin().unwrap().ascii_serialization(), "https://api.example");
    assert_eq!(grant.expires_at, Some(t0() + Duration::from_secs(3600)));

    // By the server's clock this assertion is over.
    let error = ask(&source).await.unwrap_err();
    assert!(matches!(error, AuthError::Assertion(AssertionError::Expired { .. })), "{error}");
    assert_eq!(endpoint.bodies().len(), 1);
}

#[tokio::test]
async fn a_cache_over_a_workload_exchanges_once_for_many_and_again_after_an_hour() {
    let variables = Variables::of(&[("TOKEN", &fresh(""))]);
    let endpoint = Endpoint::default();
    let source = Federation::new(server(), rule(), variables.env(), name("TOKEN"), endpoint.clone());
    let clock = SimClock::new(t0());
    let cached = Cached::new_with(source, clock.clone(), Policy::default());
    let all = futures_util::future::join_all((0..1000).map(|_| cached.credential())).await;
    assert!(all.into_iter().all(|credential| credential.unwrap().expose() == "t1"));
    clock.advance(Duration::from_secs(3600));
    variables.set("TOKEN", &jwt(t0() + Duration::from_secs(7200), ""));
    assert_eq!(cached.credential().await.unwrap().expose(), "t2");
    assert_eq!(endpoint.bodies().len(), 2);
    assert!(!format!("{cached:?}").contains("t2"));
}

#[tokio::test]
async fn a_client_sends_its_own_secret_as_it_is_then_and_nothing_of_it_comes_out() {
    let variables = Variables::of(&[("SECRET", "canary-1")]);
    let endpoint =
        Endpoint::answering([(401, json!({"error": "invalid_client", "error_description": "canary-1"}))]);
    let source =
        || ClientCredentials::new(server(), "app", variables.env(), name("SECRET"), endpoint.clone());
    let error = ask(&source()).await.unwrap_err();
    assert!(error.to_string().contains("invalid_client") && !error.to_string().contains("canary"), "{error}");

    variables.set("SECRET", "canary-2");
    ask(&source().scopes(ScopeSet::parse("read write"))).await.unwrap();
    ask(&source().secret_in_body()).await.unwrap();
    let log = endpoint.0.lock().unwrap();
    let sent = |index: usize| String::from_utf8(log.sent[index].body().to_vec()).unwrap();
    let basic = log.sent[1].headers()["authorization"].to_str().unwrap();
    let expected = base64::prelude::BASE64_STANDARD.encode("app:canary-2");
    assert_eq!(basic, format!("Basic {expected}"));
    assert_eq!(sent(1), "grant_type=client_credentials&scope=read+write");
    assert_eq!(sent(2), "grant_type=client_credentials&client_id=app&client_secret=canary-2");
    assert!(!format!("{:?}", source()).contains("canary"));
}
