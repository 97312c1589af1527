//! A session over its whole life: login, renewal, rotation, several callers and processes, a store that fails.

use std::{sync::Arc, time::Duration};

use claude_sdk::{
    ApiVersion, AuthError, Error,
    auth_core::{self, Policy, ScopeSet},
    credentials::{Credential, CredentialProvider, OAuth},
    layers::Authorize,
    token_store::{FileTokenStore, MemoryTokenStore, TokenStore},
    transport::{Clock, HttpBackend, SystemClock},
};
use http::StatusCode;
use mock_server::Reply;
use secrecy::ExposeSecret;

use crate::rig::{Gate, HOUR, Place, SCOPES, access, backend, get, held, hello, revoke, token, until};

async fn place() -> Place {
    Place::new(held().access_token_ttl(HOUR)).await
}

#[tokio::test]
async fn a_session_lives_through_login_expiry_and_refusal() {
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    let client = place.client(&oauth);

    client.messages().create(&hello()).await.unwrap();
    let first = token(&oauth).await;
    let entry = place.mock.journal().pop().unwrap();
    assert_eq!(entry.header("authorization"), Some(format!("Bearer {first}").as_str()));
    assert_eq!(entry.header("anthropic-beta"), Some("oauth-2025-04-20"));
    assert_eq!(entry.credential, mock_server::Credential::AccessToken);
    assert_eq!(place.exchanges(200), 1, "the login's own");

    // Expired by both clocks: renewed before anything is sent with it.
    place.advance(HOUR);
    client.messages().create(&hello()).await.unwrap();
    let second = token(&oauth).await;
    assert_ne!(first, second);
    assert_eq!(access(&store.load().await.unwrap().unwrap()), second);
    assert_eq!(place.exchanges(200), 2);
    assert!(place.mock.journal().iter().all(|entry| entry.status != 401));

    // Expired by the server's clock only: a 401, one renewal, one replay.
    place.mock.advance(HOUR);
    let message = client.messages().create(&hello()).await.unwrap();
    assert_eq!(message.retries_taken(), 0, "a replay is no retry");
    assert_ne!(token(&oauth).await, second);
    assert_eq!(place.exchanges(200), 3);
    let refused = place.mock.journal().iter().filter(|entry| entry.status == 401).count();
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn a_token_without_the_scope_is_told_so_and_stays_in_use() {
    let place = place().await;
    let oauth = place.open(MemoryTokenStore::new(place.login("user:profile").await)).await;
    let client = place.client(&oauth);

    let error = client.messages().create(&hello()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    let missing = error.missing_scope().unwrap();
    assert_eq!(missing.missing().to_string(), "user:inference");
    assert_eq!(missing.wanted(), ScopeSet::parse(SCOPES));
    assert!(
        error.to_string().contains("lacks a scope (user:inference); log in again and ask for it"),
        "{error}"
    );
    assert!(!error.is_retryable());
    client.models().list().await.unwrap();
    assert_eq!(place.exchanges(200), 1, "a 403 is no reason to renew");
}

/// C45: who knows what it needs is told before anything is sent.
#[tokio::test]
async fn a_client_that_needs_more_than_was_granted_sends_nothing() {
    let place = place().await;
    let oauth = place.open(MemoryTokenStore::new(place.login("user:profile").await)).await;
    let client = |needs: &str| {
        let client = claude_sdk::Client::builder().base_url(place.mock.base_url()).backend(backend());
        let client = client.clock(place.clock.clone()).needs_scopes(ScopeSet::parse(needs));
        client.credentials(oauth.clone()).build().unwrap()
    };
    let before = place.mock.journal_len();
    let error = client(SCOPES).models().list().await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::MissingScope(_), ..)), "{error:?}");
    assert_eq!(error.missing_scope().unwrap().missing().to_string(), "user:inference");
    assert_eq!(place.mock.journal_len(), before);
    client("user:profile").models().list().await.unwrap();
}

#[tokio::test]
async fn two_processes_over_one_file_renew_once_and_go_on_taking_turns() {
    let place = place().await;
    let folder = tempfile::tempdir().unwrap();
    let store = || FileTokenStore::new(folder.path(), "shared").unwrap().clock(place.clock.clone());
    store().save(place.login(SCOPES).await).await.unwrap();
    let gate = Gate::new();
    let (one, two) = (place.open_through(store(), gate.clone()).await, place.open(store()).await);

    for turn in 0..3 {
        place.advance(HOUR);
        let before = place.exchanges(200);
        let renewing = tokio::spawn({
            let one = one.clone();
            async move { token(&one).await }
        });
        gate.arrived.acquire().await.unwrap().forget();
        let waiting = tokio::spawn({
            let two = two.clone();
            async move { token(&two).await }
        });
        // The first one's exchange has its own limit on the clock; the second sleeps until the lock is free, or the store
        // has what it wants.
        until(|| place.clock.sleepers() == 3).await;
        gate.open.add_permits(1);
        let renewed = renewing.await.unwrap();
        until(|| place.clock.sleepers() == 2).await;
        place.advance(Duration::from_millis(25));

        assert_eq!(waiting.await.unwrap(), renewed, "turn {turn}: the second adopts what the first got");
        assert_eq!(place.exchanges(200) - before, 1, "turn {turn}");
        assert_eq!(place.exchanges(400), 0, "turn {turn}: no refresh token was spent twice");
    }

    // And the one that has only ever adopted can renew as well.
    place.advance(HOUR);
    let renewed = token(&two).await;
    assert_eq!(token(&one).await, renewed);
    assert_eq!(place.exchanges(400), 0);
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_does_not_matter_while_the_token_is_good() {
    let place = place().await;
    let oauth = place.open(MemoryTokenStore::new(place.login(SCOPES).await)).await;
    let client = place.client(&oauth);
    let old = token(&oauth).await;
    let down = || Reply::html("<h1>down</h1>").status(StatusCode::SERVICE_UNAVAILABLE).on("/v1/oauth/token");
    place.mock.set_script(std::iter::repeat_with(down).take(20));

    for left in [100, 20, 1] {
        let now = place.clock.now();
        let expires_in = HOUR - now.duration_since(crate::rig::t0()).unwrap();
        place.advance(expires_in - Duration::from_secs(left));
        client.models().list().await.unwrap();
        assert_eq!(token(&oauth).await, old, "{left} s before its end");
    }
    place.advance(Duration::from_secs(1));
    let error = client.models().list().await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::Renewal { .. }, ..)), "{error:?}");
    assert!(error.is_retryable() && error.retry_after().is_some(), "{error:?}");
    assert!(error.to_string().contains("503"), "{error}");

    place.mock.set_script([]);
    place.advance(error.retry_after().unwrap());
    client.models().list().await.unwrap();
    assert_ne!(token(&oauth).await, old);
}

#[tokio::test]
async fn a_wrong_client_id_is_a_matter_of_configuration() {
    let place = place().await;
    let snapshot = place.login(SCOPES).await;
    let stranger = auth_core::Client::public("another-app");
    let store = MemoryTokenStore::new(snapshot);
    let oauth =
        OAuth::open_with(place.server(), stranger, store, backend(), place.clock.clone(), Policy::default());
    let client = place.client(&oauth.await.unwrap());
    place.advance(HOUR);
    let error = client.models().list().await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::Renewal { retryable: false, .. }, ..)), "{error:?}");
    assert!(error.to_string().contains("check the client id"), "{error}");
}

#[tokio::test]
async fn after_a_revocation_a_new_login_is_taken_up_without_a_restart() {
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    let client = place.client(&oauth);
    client.models().list().await.unwrap();
    let stored = store.load().await.unwrap().unwrap();
    revoke(&place, stored.refresh_token.unwrap().expose_secret()).await;

    for _ in 0..2 {
        let error = place.refused(client.models().list().into_future()).await.unwrap_err();
        assert!(matches!(error, Error::Auth(AuthError::LoginRequired { .. }, ..)), "{error:?}");
        assert!(error.to_string().contains("log in again"), "{error}");
        assert!(!error.is_retryable());
    }
    assert!(store.load().await.unwrap().is_some(), "nothing is blanked");

    place.advance(Duration::from_secs(10));
    store.save(place.login(SCOPES).await).await.unwrap();
    client.messages().create(&hello()).await.unwrap();
}

#[tokio::test]
async fn an_empty_store_asks_for_a_login() {
    let place = place().await;
    let opened = OAuth::open(place.server(), place.app(), MemoryTokenStore::default(), backend()).await;
    let error = opened.unwrap_err();
    assert!(matches!(error, AuthError::LoginRequired { .. }), "{error:?}");
    assert!(error.to_string().contains("log in first"), "{error}");
}

#[tokio::test]
async fn a_credential_goes_to_its_own_origin_only() {
    let (home, foreign) = (held().start().await.unwrap(), held().start().await.unwrap());
    let key = Arc::new(Credential::api_key(home.api_key().into()).unwrap());
    let version = ApiVersion::default();
    let layer =
        Authorize::new(backend(), key, home.base_url().as_str(), version, Arc::new(SystemClock)).unwrap();
    let request = |base: &url::Url| {
        http::Request::get(base.join("v1/models").unwrap().as_str()).body(bytes::Bytes::new()).unwrap()
    };

    let error = Error::from(layer.send(request(&foreign.base_url())).await.unwrap_err());
    let Error::Auth(AuthError::ForeignOrigin { owner, target }, ..) = &error else { panic!("{error:?}") };
    assert_eq!(format!("{owner}/"), home.base_url().as_str());
    assert_eq!(format!("{target}/"), foreign.base_url().as_str());
    assert_eq!(foreign.journal_len(), 0);

    assert_eq!(layer.send(request(&home.base_url())).await.unwrap().status(), 200);
    assert_eq!(get(&foreign.base_url()).await.0, 200, "and it was up all along");
}

/// C38: whatever the callers' patience, an exchange has 30 s, and one prompt repetition.
#[tokio::test]
async fn a_renewal_without_an_answer_is_given_up() {
    let place = place().await;
    let gate = Gate::new();
    let store = MemoryTokenStore::new(place.login(SCOPES).await);
    let oauth = place.open_through(store, gate.clone()).await;
    place.advance(HOUR);
    let call = tokio::spawn({
        let oauth = oauth.clone();
        async move { oauth.credential().await }
    });
    for _ in 0..2 {
        gate.arrived.acquire().await.unwrap().forget();
        until(|| place.clock.sleepers() == 1).await;
        place.advance(Duration::from_secs(30) - Duration::from_nanos(1));
        tokio::task::yield_now().await;
        assert!(!call.is_finished());
        place.advance(Duration::from_nanos(1));
    }
    // And the store is looked into once more.
    until(|| place.clock.sleepers() == 1).await;
    place.advance(Duration::from_millis(500));
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, AuthError::LoginRequired { maybe_consumed: true, .. }), "{error:?}");
    assert_eq!(gate.arrived.available_permits(), 0, "the token is not sent a third time");
}

/// C35.
#[tokio::test]
async fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let place = place().await;
    let snapshot = place.login(SCOPES).await;
    place.advance(HOUR);
    let target = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/v1/oauth/token", target.local_addr().unwrap());
    for status in [301, 302, 303, 307, 308] {
        let redirect = Reply::html("").status(StatusCode::from_u16(status).unwrap()).on("/v1/oauth/token");
        place.mock.set_script([redirect.header(http::header::LOCATION, location.parse().unwrap())]);
        let oauth = place.open(MemoryTokenStore::new(snapshot.clone())).await;
        let error = oauth.credential().await.unwrap_err();
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    // The first connection the target sees is this one.
    let ours = tokio::net::TcpStream::connect(target.local_addr().unwrap()).await.unwrap();
    let (_, peer) = target.accept().await.unwrap();
    assert_eq!(peer, ours.local_addr().unwrap(), "somebody followed a redirect");
}

/// C37, C68, C84 and C85, read from everything that a session sends.
#[tokio::test]
async fn each_secret_is_sent_to_its_own_place_and_nowhere_else() {
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    let client = place.client(&oauth);
    let mut access_tokens = Vec::new();
    let mut refresh_tokens = Vec::new();
    let models = || Reply::json(serde_json::json!({"data": [], "has_more": false})).on("/v1/models");
    for _ in 0..3 {
        let stored = store.load().await.unwrap().unwrap();
        access_tokens.push(access(&stored).to_owned());
        refresh_tokens.push(stored.refresh_token.unwrap().expose_secret().to_owned());
        place.mock.set_script([models()
            .header(http::header::SET_COOKIE, http::HeaderValue::from_static("session=canary; Path=/"))]);
        client.models().list().await.unwrap();
        client.messages().create(&hello()).await.unwrap();
        place.advance(HOUR);
        token(&oauth).await;
    }

    let journal = place.mock.journal();
    assert_eq!(place.exchanges(200), 4);
    for entry in journal {
        let body = String::from_utf8_lossy(&entry.body).into_owned();
        let target = format!("{} {:?}", entry.path, entry.query);
        let headers = format!("{:?}", entry.headers);
        assert!(!entry.path.contains("well-known"), "{target}: nothing is looked up unasked");
        assert_eq!(entry.header("cookie"), None, "{target}");
        let to_token_endpoint = entry.path.ends_with("/oauth/token");
        if to_token_endpoint {
            assert_eq!((entry.header("authorization"), entry.header("x-api-key")), (None, None), "{target}");
        }
        for secret in &access_tokens {
            assert!(!target.contains(secret) && !body.contains(secret), "{target}");
        }
        for secret in &refresh_tokens {
            assert!(!target.contains(secret) && !headers.contains(secret), "{target}");
            assert!(to_token_endpoint || !body.contains(secret), "{target}");
        }
    }
}

/// C86.
#[tokio::test]
async fn a_service_that_refuses_every_token_sees_two_calls_and_one_renewal() {
    let place = place().await;
    let oauth = place.open(MemoryTokenStore::new(place.login(SCOPES).await)).await;
    let client = place.client(&oauth);
    place.mock.clear_journal();
    let no = || Reply::error(StatusCode::UNAUTHORIZED, "authentication_error", "no").on("/v1/models");
    place.mock.set_script(std::iter::repeat_with(no).take(10));
    let error = client.models().list().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{error:?}");
    let calls = place.mock.journal().iter().filter(|entry| entry.status == 401).count();
    assert_eq!((calls, place.exchanges(200)), (2, 1));
}
