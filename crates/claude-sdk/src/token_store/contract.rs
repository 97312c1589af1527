//! What every store of sessions has to keep, wherever they are.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use auth_core::{ScopeSet, Snapshot};
use futures_util::future::poll_immediate;
use secrecy::ExposeSecret as _;

use super::{Sending, TokenStore};

/// Runs two handles to one place, as two processes would hold them, through what [`TokenStore`] promises, and leaves it
/// empty.
///
/// There has to be no session at first.
///
/// # Panics
///
/// With the promise that was broken; never with a token.
#[expect(clippy::panic, reason = "a check that fails ends the test")]
pub async fn contract(one: impl TokenStore, other: impl TokenStore) {
    let (one, other): (Arc<dyn TokenStore>, Arc<dyn TokenStore>) = (Arc::new(one), Arc::new(other));
    assert!(matches!(one.load().await, Ok(None)), "no session is `None`, and no error");
    assert!(one.remove().await.is_ok(), "there is no error where there is nothing to remove");

    for word in ["canary-one", "canary-two"] {
        let saved = snapshot(word);
        assert!(one.save(saved.clone()).await.is_ok(), "a session is saved");
        let Ok(Some(found)) = other.load().await else { panic!("what one has saved, the other finds") };
        assert_eq!(found.access_token.expose_secret(), saved.access_token.expose_secret(), "the newest wins");
        let refresh = |snapshot: &Snapshot| {
            snapshot.refresh_token.clone().map(|token| token.expose_secret().to_owned())
        };
        assert!(refresh(&found) == refresh(&saved), "the refresh token comes back");
        assert_eq!(
            (found.expires_at, found.scopes),
            (saved.expires_at, saved.scopes),
            "expiry and scopes come back"
        );
    }
    let without = Snapshot { refresh_token: None, expires_at: None, ..snapshot("canary-three") };
    assert!(one.save(without).await.is_ok(), "a session without a refresh token is saved");
    let Ok(Some(found)) = other.load().await else { panic!("what one has saved, the other finds") };
    assert!(
        found.refresh_token.is_none() && found.expires_at.is_none(),
        "what is not there any more is gone"
    );
    assert!(!format!("{one:?} {found:?}").contains("canary"), "`Debug` prints no token");

    let Ok(lock) = one.lock().await else { panic!("a lock that nobody has is given") };
    let mut waiting = Box::pin(other.lock());
    for _ in 0..3 {
        assert!(poll_immediate(&mut waiting).await.is_none(), "one holder at a time");
        tokio::task::yield_now().await;
    }
    let spending = snapshot("canary-four");
    assert!(one.save(spending.clone()).await.is_ok(), "the holder saves");
    let prepared = one.prepare(spending.clone(), SystemTime::UNIX_EPOCH + Duration::from_secs(1)).await;
    assert!(
        matches!(prepared, Ok(Sending::First)),
        "a token that nobody has sent is sent for the first time"
    );
    assert!(one.cancel().await.is_ok(), "what was noted is taken back");
    let prepared = one.prepare(spending, SystemTime::UNIX_EPOCH + Duration::from_secs(1)).await;
    assert!(matches!(prepared, Ok(Sending::First)), "and is forgotten");
    assert!(one.save(snapshot("canary-five")).await.is_ok(), "what comes of it is saved");
    drop(lock);
    let Ok(lock) = waiting.await else { panic!("a lock that was given up is given to whoever waits") };
    let Ok(Some(found)) = other.load().await else {
        panic!("the holder reads what the one before has saved")
    };
    assert_eq!(found.access_token.expose_secret(), "canary-five", "the holder reads the newest");
    assert!(other.remove().await.is_ok(), "a session is removed");
    drop(lock);
    assert!(matches!(one.load().await, Ok(None)), "what was removed is gone");
    drop(one.load()); // a caller that goes away
    assert!(matches!(one.load().await, Ok(None)), "a dropped call has no effect");
}

fn snapshot(word: &str) -> Snapshot {
    Snapshot {
        access_token: word.into(),
        refresh_token: Some(format!("{word}-refresh").into()),
        expires_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)),
        scopes: Some(ScopeSet::parse("user:inference user:profile")),
        generation: 1,
        extra: serde_json::Map::new(),
    }
}
