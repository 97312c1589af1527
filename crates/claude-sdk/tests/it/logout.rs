//! Logging out of a session: at the server, in the store, and where either is not there.

use std::{sync::Arc, time::Duration};

use claude_sdk::{
    AuthError,
    auth_core::{Client, Policy, Server},
    credentials::{CredentialProvider as _, OAuth},
    token_store::{FileTokenStore, MemoryTokenStore, TokenStore},
};
use mock_server::MockServer;

use crate::rig::{Place, backend, held};

const SCOPES: &str = "user:profile user:inference";

/// The session of a place whose server can revoke.
async fn open(place: &Place, store: impl TokenStore) -> OAuth {
    let revocation = place.mock.base_url().join("/v1/oauth/revoke").unwrap();
    let server: Server = place.server().with_revocation_endpoint(revocation).unwrap();
    let clock = place.clock.clone();
    OAuth::open_with(server, place.app(), store, backend(), clock, Policy::default()).await.unwrap()
}

fn revocations(mock: &MockServer) -> Vec<u16> {
    let entries = mock.journal();
    entries
        .iter()
        .filter(|entry| entry.path == "/v1/oauth/revoke")
        .map(|entry| entry.status.as_u16())
        .collect()
}

#[tokio::test]
async fn a_logout_revokes_both_tokens_and_removes_the_session() {
    let place = Place::new(held()).await;
    let folder = tempfile::tempdir().unwrap();
    let store = FileTokenStore::new(folder.path(), "work").unwrap();
    store.save(place.login(SCOPES).await).await.unwrap();
    let oauth = open(&place, store.clone()).await;
    let token = oauth.credential().await.unwrap();

    assert!(oauth.log_out().await.unwrap(), "the server confirmed it");
    assert_eq!(revocations(&place.mock), [200, 200]);
    assert!(!store.path().exists() && store.load().await.unwrap().is_none());
    let error = oauth.credential().await.unwrap_err();
    assert!(matches!(error, AuthError::LoginRequired { .. }), "{error:?}");
    // What somebody still holds is worth nothing.
    let late = claude_sdk::Client::builder().credentials(token).base_url(place.mock.base_url());
    let error = late.backend(backend()).build().unwrap().models().list().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401), "{error:?}");

    // A login in another process is taken up.
    store.save(place.login(SCOPES).await).await.unwrap();
    oauth.credential().await.unwrap();
    assert!(oauth.log_out().await.unwrap());
}

#[tokio::test]
async fn a_logout_without_a_place_to_revoke_says_that_the_server_did_not_confirm_it() {
    let place = Place::new(held()).await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    assert!(!oauth.log_out().await.unwrap());
    assert!(store.load().await.unwrap().is_none());
    assert!(!oauth.log_out().await.unwrap(), "twice is no error");
}

#[tokio::test]
async fn offline_a_logout_removes_what_is_here() {
    let place = Place::new(held()).await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    // A server that was here, and is no more.
    let nobody = Place::new(held()).await.mock.base_url();
    let server = Server::new(nobody.clone()).unwrap().with_revocation_endpoint(nobody).unwrap();
    let (app, clock) = (Client::public("app"), place.clock.clone());
    let oauth = OAuth::open_with(server, app, Arc::clone(&store), backend(), clock, Policy::default()).await;
    let oauth = oauth.unwrap();
    let left = tokio::spawn({
        let oauth = oauth.clone();
        async move { oauth.log_out().await }
    });
    // The second try waits a second.
    while !left.is_finished() {
        place.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert!(!left.await.unwrap().unwrap());
    assert!(store.load().await.unwrap().is_none());
}
