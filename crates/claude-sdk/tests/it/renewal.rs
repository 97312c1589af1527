//! A renewal beside others: programs that take no lock, holders that keep theirs, and a program that ends.

use std::{sync::Arc, time::Duration};

use claude_sdk::{
    AuthError,
    credentials::CredentialProvider,
    token_store::{FileTokenStore, MemoryTokenStore, TokenStore},
};
use futures_util::future::poll_immediate;
use secrecy::ExposeSecret;

use crate::rig::{Gate, HOUR, Place, SCOPES, access, held, revoke, token, until};

async fn place() -> Place {
    Place::new(held().access_token_ttl(HOUR)).await
}

/// C51 and F43: the official SDKs take no lock.
#[tokio::test]
async fn a_pair_that_another_program_stores_a_moment_after_our_refusal_is_taken_over() {
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    let spent = store.load().await.unwrap().unwrap().refresh_token.unwrap();
    revoke(&place, spent.expose_secret()).await;
    place.advance(HOUR);

    let mut callers: Vec<_> = (0..3).map(|_| oauth.credential()).collect();
    for caller in &mut callers {
        assert!(poll_immediate(caller).await.is_none());
    }
    until(|| place.exchanges(400) == 1 && place.clock.sleepers() == 1).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let theirs = place.login(SCOPES).await;
    store.save(theirs.clone()).await.unwrap();
    for caller in &mut callers {
        assert!(poll_immediate(caller).await.is_none(), "nobody is told to log in before the second look");
    }
    place.advance(Duration::from_millis(500));
    for caller in callers {
        assert_eq!(caller.await.unwrap().expose(), access(&theirs));
    }
    assert_eq!(place.exchanges(400), 1);
}

#[tokio::test]
async fn a_refusal_leaves_the_file_as_it_is() {
    let place = place().await;
    let folder = tempfile::tempdir().unwrap();
    let store = FileTokenStore::new(folder.path(), "work").unwrap();
    store.save(place.login(SCOPES).await).await.unwrap();
    let before = std::fs::read(store.path()).unwrap();
    revoke(&place, store.load().await.unwrap().unwrap().refresh_token.unwrap().expose_secret()).await;
    let oauth = place.open(store.clone()).await;
    place.advance(HOUR);
    let error = place.refused(oauth.credential()).await.unwrap_err();
    assert!(matches!(error, AuthError::LoginRequired { maybe_consumed: false, .. }), "{error:?}");
    assert_eq!(std::fs::read(store.path()).unwrap(), before);
    assert!(!store.path().with_extension("intent").exists(), "no answer is missing");
}

/// F41, for a holder that was stopped after it had stored.
#[tokio::test]
async fn what_is_stored_is_taken_over_although_the_lock_is_not_given_up() {
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    place.advance(HOUR);
    let held = store.lock().await.unwrap();
    let mut caller = oauth.credential();
    assert!(poll_immediate(&mut caller).await.is_none());
    until(|| place.clock.sleepers() == 1).await;
    let theirs = place.login(SCOPES).await;
    store.save(theirs.clone()).await.unwrap();
    place.advance(Duration::from_millis(500));
    assert_eq!(caller.await.unwrap().expose(), access(&theirs));
    drop(held);
}

/// F39.
#[tokio::test]
async fn a_program_that_ends_waits_for_a_renewal_to_be_stored() {
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let gate = Gate::new();
    let oauth = place.open_through(Arc::clone(&store), gate.clone()).await;
    assert_eq!(poll_immediate(Box::pin(oauth.flush())).await, Some(true), "nothing is under way");
    let old = token(&oauth).await;

    place.advance(HOUR);
    let mut caller = oauth.credential();
    assert!(poll_immediate(&mut caller).await.is_none());
    drop(caller);
    gate.arrived.acquire().await.unwrap().forget();
    let mut flush = Box::pin(oauth.flush());
    assert!(poll_immediate(&mut flush).await.is_none());
    gate.open.add_permits(1);
    assert!(flush.await);
    assert_ne!(access(&store.load().await.unwrap().unwrap()), old);

    // It does not wait for ever.
    place.advance(HOUR);
    let mut caller = oauth.credential();
    assert!(poll_immediate(&mut caller).await.is_none());
    gate.arrived.acquire().await.unwrap().forget();
    let mut flush = Box::pin(oauth.flush());
    assert!(poll_immediate(&mut flush).await.is_none());
    place.advance(Duration::from_secs(5));
    assert!(!flush.await);
}

#[tokio::test]
async fn a_renewal_can_be_asked_for_before_its_time() {
    let place = place().await;
    let oauth = place.open(MemoryTokenStore::new(place.login(SCOPES).await)).await;
    let old = token(&oauth).await;
    let new = oauth.renew().await.unwrap();
    assert_ne!(new.expose(), old);
    assert_eq!((place.exchanges(200), token(&oauth).await), (2, new.expose().to_owned()));
}

/// F50.
#[tokio::test]
async fn a_session_that_somebody_removed_is_not_brought_back() {
    let place = place().await;
    let folder = tempfile::tempdir().unwrap();
    let store = FileTokenStore::new(folder.path(), "work").unwrap();
    store.save(place.login(SCOPES).await).await.unwrap();
    let oauth = place.open(store.clone()).await;
    let old = token(&oauth).await;
    store.remove().await.unwrap();
    assert_eq!(token(&oauth).await, old, "what is good is used");

    place.advance(HOUR);
    let before = place.exchanges(200);
    for _ in 0..2 {
        let error = oauth.credential().await.unwrap_err();
        assert!(matches!(error, AuthError::LoginRequired { .. }), "{error:?}");
        assert!(error.to_string().contains("is gone; log in again"), "{error}");
    }
    assert_eq!((place.exchanges(200), place.exchanges(400)), (before, 0));
    assert!(!store.path().exists());

    let new = place.login(SCOPES).await;
    store.save(new.clone()).await.unwrap();
    assert_eq!(token(&oauth).await, access(&new), "without a wait");
}
