//! Logins through a real browser: at a certified server nobody here wrote, and at the mock server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use auth_core::{Challenge, Client, Policy, ScopeSet, Snapshot, exchange};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use claude_sdk::AuthError;
use claude_sdk::credentials::{CredentialProvider as _, OAuth};
use claude_sdk::login::{Login, Paste, discover};
use claude_sdk::token_store::{MemoryTokenStore, TokenStore as _};
use e2e::Chromium;
use mock_server::MockServer;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use transport::backends::Reqwest;
use transport::{Clock, SystemClock};

use crate::oauth_server::{Provider, assert_invalid_grant};

const PATIENCE: Duration = Duration::from_secs(100);
/// The heading of the listener's page, and of no page of the servers.
const OURS: &str = "body:not(:has(footer)) > main:only-child > h1";

fn backend() -> Reqwest {
    Reqwest::builder().no_proxy().build().unwrap()
}

/// What the provider asks of a person: a name and a password, then consent.
async fn agree(browser: &Chromium) {
    browser.type_in("input[name=login]", "ada").await.unwrap();
    browser.type_in("input[name=password]", "sesame").await.unwrap();
    browser.press("form:has(input[value=login]) button[type=submit]").await.unwrap();
    browser.press("form:has(input[value=consent]) button[type=submit]").await.unwrap();
}

/// A whole login in the browser; the page at its end is ours.
async fn log_in(provider: &Provider, browser: &Chromium, scopes: &str) -> (auth_core::Server, Snapshot) {
    let backend = backend();
    let metadata = discover(&provider.issuer, &backend, &SystemClock).await.unwrap();
    let server = metadata.into_server();
    let login = Login::new(server.clone(), provider.client.clone()).scopes(ScopeSet::parse(scopes));
    let pending = login.begin().await.unwrap();
    let url = pending.url().clone();
    let person = async {
        browser.open(url.as_str()).await.unwrap();
        agree(browser).await;
        assert_eq!(browser.read(OURS).await.unwrap(), "You are logged in");
    };
    let (session, ()) = tokio::join!(pending.finish(&backend, PATIENCE), person);
    (server, session.unwrap())
}

#[tokio::test]
async fn a_login_in_a_real_browser_gives_a_session_that_rotates_until_a_token_is_reused() {
    let provider = Provider::start();
    let browser = Chromium::start().await.unwrap();
    let (server, first) = log_in(&provider, &browser, "openid").await;
    let store = Arc::new(MemoryTokenStore::new(first.clone()));
    let clock = Ahead::default();
    let (client, policy) = (provider.client.clone(), Policy::default());
    let oauth =
        OAuth::open_with(server.clone(), client, Arc::clone(&store), backend(), clock.clone(), policy)
            .await
            .unwrap();

    let mut seen = vec![first.refresh_token.as_ref().unwrap().expose_secret().to_owned()];
    for _ in 0..3 {
        clock.advance(Duration::from_secs(601));
        oauth.credential().await.unwrap();
        let stored = store.load().await.unwrap().unwrap().refresh_token.unwrap();
        assert!(!seen.contains(&stored.expose_secret().to_owned()), "a refresh token came back");
        seen.push(stored.expose_secret().to_owned());
    }
    // Somebody else spends the first one again: the server takes back all that came of it.
    let spent = first.refresh_token.as_ref().unwrap();
    assert_invalid_grant(provider.exchange(exchange::refresh(&server, &provider.client, spent)).await);
    clock.advance(Duration::from_secs(601));
    let error = oauth.credential().await.unwrap_err();
    assert!(matches!(error, AuthError::LoginRequired { .. }), "{error:?}");
}

/// The machine's clock, set forward.
#[derive(Clone, Debug, Default)]
struct Ahead(Arc<AtomicU64>);

impl Ahead {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> SystemTime {
        SystemClock.now() + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

#[tokio::test]
async fn a_login_in_a_real_browser_can_be_given_back_and_has_the_scopes_it_was_given() {
    let provider = Provider::start();
    let browser = Chromium::start().await.unwrap();
    let (server, session) = log_in(&provider, &browser, "read").await;
    let refresh = session.refresh_token.clone().unwrap();

    // Without the scope `openid` the server knows the token and says what it lacks.
    let token = session.access_token.expose_secret();
    let request = http::Request::get(format!("{}/me", provider.issuer))
        .header("authorization", format!("Bearer {token}"));
    let answer = provider.send(request.body(bytes::Bytes::new()).unwrap()).await;
    assert_eq!(answer.status(), 403);
    let challenges = Challenge::read(answer.headers());
    assert!(
        challenges.iter().any(|challenge| challenge.param("error") == Some("insufficient_scope")),
        "{answer:?}"
    );

    let store = Arc::new(MemoryTokenStore::new(session));
    let oauth =
        OAuth::open(server.clone(), provider.client.clone(), Arc::clone(&store), backend()).await.unwrap();
    assert!(oauth.log_out().await.unwrap(), "the server confirms it");
    assert!(store.load().await.unwrap().is_none());
    let again = exchange::refresh(&server, &provider.client, &refresh);
    assert_invalid_grant(provider.exchange(again).await);
}

#[tokio::test]
async fn a_login_on_another_device_is_finished_in_a_real_browser() {
    let provider = Provider::start();
    let browser = Chromium::start().await.unwrap();
    let backend = backend();
    let metadata = discover(&provider.issuer, &backend, &SystemClock).await.unwrap();
    let endpoint = metadata.device_authorization_endpoint().unwrap().clone();
    let login = Login::new(metadata.into_server(), provider.client.clone()).scopes(ScopeSet::parse("openid"));
    let pending = login.clock(Brisk).begin_device(endpoint, &backend).await.unwrap();

    browser.open(pending.verification_uri().as_str()).await.unwrap();
    browser.type_in("input[name=user_code]", pending.user_code()).await.unwrap();
    browser.press("button[type=submit]").await.unwrap();
    assert_eq!(browser.read("code").await.unwrap(), pending.user_code(), "the person compares the code");
    browser.press("button[form='op.deviceConfirmForm']:not([name])").await.unwrap();
    agree(&browser).await;
    let shown = browser.read("body:not(:has(form)) h1").await.unwrap();
    assert!(shown.contains("Sign-in Success"), "{shown}");

    let session = pending.finish(&backend).await.unwrap();
    assert_eq!(session.scopes, Some(ScopeSet::parse("openid")));
}

/// The machine's clock, for which the five seconds between two polls are a moment.
#[derive(Debug)]
struct Brisk;

#[async_trait]
impl Clock for Brisk {
    fn now(&self) -> SystemTime {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        let is_gap = duration < Duration::from_secs(10);
        SystemClock.sleep(if is_gap { Duration::from_millis(100) } else { duration }).await;
    }
}

/// A login at the mock server, whose consent page the person answers with `decision`.
async fn decide(mock: &MockServer, browser: &Chromium, decision: &str) -> Result<Snapshot, AuthError> {
    let backend = backend();
    let metadata = discover(mock.issuer(), &backend, &SystemClock).await.unwrap();
    let server = metadata.into_server().with_wire(auth_core::Wire::claude());
    let pending = Login::new(server, Client::public(mock.client_id())).begin().await.unwrap();
    let url = pending.url().clone();
    let person = async {
        browser.open(url.as_str()).await.unwrap();
        browser.press(&format!("button[value={decision}]")).await.unwrap();
        browser.read(OURS).await.unwrap()
    };
    let (outcome, shown) = tokio::join!(pending.finish(&backend, PATIENCE), person);
    assert_eq!(shown, if outcome.is_ok() { "You are logged in" } else { "You are not logged in" });
    outcome
}

/// Our last page, as a person sees it: in light and dark, on a wide screen and on a phone.
#[tokio::test]
async fn the_last_page_of_a_login_fits_every_screen_and_runs_no_script() {
    let mock = MockServer::start().await.unwrap();
    let browser = Chromium::start().await.unwrap();
    decide(&mock, &browser, "deny").await.unwrap_err();
    decide(&mock, &browser, "allow").await.unwrap();
    assert_eq!(browser.ask("return document.scripts.length").await.unwrap(), 0);

    let mut colours = Vec::new();
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.devtools("Emulation.setEmulatedMedia", features).await.unwrap();
        let screen = json!({"width": width, "height": 720, "deviceScaleFactor": 2, "mobile": width < 500});
        browser.devtools("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
        let measured = browser
            .ask(
                "const heading = document.querySelector('h1'), style = getComputedStyle(heading); \
                 return [innerWidth, document.documentElement.scrollWidth, parseFloat(style.fontSize), style.color, \
                         heading.getBoundingClientRect().left]",
            )
            .await
            .unwrap();
        let number = |index: usize| measured[index].as_f64().unwrap();
        assert!((number(0) - f64::from(width)).abs() < 0.5, "the page is as wide as the screen: {measured}");
        assert!(number(1) <= number(0), "nothing is to be scrolled sideways: {measured}");
        // Its style is there, so the policy lets it: letters that can be read, and room beside them.
        assert!(number(2) > 20.0 && number(4) >= 16.0, "{measured}");
        if let Value::String(colour) = &measured[3] {
            colours.push(colour.clone());
        }
        // For whoever wants to look.
        let picture = BASE64_STANDARD.decode(browser.picture().await.unwrap()).unwrap();
        let file = format!("{}/last-page-{scheme}-{width}.png", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(file, picture).unwrap();
    }
    assert!(colours[0] != colours[1] && colours[0] == colours[2] && colours[1] == colours[3], "{colours:?}");
}

/// A person who pastes one text.
#[derive(Debug)]
struct Clipboard(Mutex<Option<SecretString>>);

#[async_trait]
impl Paste for Clipboard {
    async fn next(&self) -> Option<SecretString> {
        self.0.lock().await.take()
    }

    fn refused(&self, reason: &auth_core::CallbackErrorKind) {
        panic!("{reason}");
    }
}

#[tokio::test]
async fn what_the_browser_shows_without_a_listener_is_what_is_pasted() {
    let mock = MockServer::start().await.unwrap();
    let browser = Chromium::start().await.unwrap();
    let server = auth_core::Server::new(mock.token_url()).unwrap();
    let server = server.with_authorization_endpoint(mock.authorize_url()).unwrap();
    let login = Login::new(server.with_wire(auth_core::Wire::claude()), Client::public(mock.client_id()));
    let clipboard = Arc::new(Clipboard(Mutex::new(None)));
    let pending = login.begin_headless(mock.callback_url(), Arc::clone(&clipboard)).unwrap();
    browser.open(pending.url().as_str()).await.unwrap();
    browser.press("button[value=allow]").await.unwrap();
    let shown = browser.read("#paste").await.unwrap();
    *clipboard.0.lock().await = Some(shown.into());
    pending.finish(&backend(), PATIENCE).await.unwrap();
}
