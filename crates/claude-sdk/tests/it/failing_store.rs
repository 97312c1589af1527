//! A store that cannot lock, has no room, fails, forgets or panics: what is sent then, and what is kept.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, Error, StoreError,
    auth_core::Snapshot,
    credentials::CredentialProvider,
    token_store::{MemoryTokenStore, Sending, StoreLock, TokenStore},
};
use futures_util::future::poll_immediate;
use http::StatusCode;
use mock_server::Reply;
use secrecy::ExposeSecret;

use crate::rig::{Gate, HOUR, Place, SCOPES, access, held, revoke, token, told, until};

async fn place() -> Place {
    Place::new(held().access_token_ttl(HOUR)).await
}

/// A store in memory that fails when told.
#[derive(Debug)]
struct Flaky {
    store: MemoryTokenStore,
    saves: AtomicBool,
    locks: AtomicBool,
    room: AtomicBool,
    noted: Mutex<Option<String>>,
}

impl Flaky {
    fn new(snapshot: Snapshot) -> Arc<Self> {
        let store = MemoryTokenStore::new(snapshot);
        let yes = || AtomicBool::new(true);
        Arc::new(Self { store, saves: yes(), locks: yes(), room: yes(), noted: Mutex::default() })
    }

    fn noted(&self) -> Option<String> {
        self.noted.lock().unwrap().clone()
    }
}

#[async_trait]
impl TokenStore for Flaky {
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        self.store.load().await
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        if self.saves.load(Ordering::SeqCst) {
            *self.noted.lock().unwrap() = None;
            return self.store.save(snapshot).await;
        }
        Err(StoreError::Other("the disk is full; make room".into()))
    }

    async fn remove(&self) -> Result<(), StoreError> {
        if self.saves.load(Ordering::SeqCst) {
            return self.store.remove().await;
        }
        Err(StoreError::Other("the disk is read-only; mount it for writing".into()))
    }

    async fn lock(&self) -> Result<StoreLock, StoreError> {
        if self.locks.load(Ordering::SeqCst) {
            return self.store.lock().await;
        }
        Err(StoreError::Other("the lock service is down; start it".into()))
    }

    async fn prepare(&self, spending: Snapshot, _: SystemTime) -> Result<Sending, StoreError> {
        if !self.room.load(Ordering::SeqCst) {
            return Err(StoreError::Other("no room; make some".into()));
        }
        let token = spending.refresh_token.unwrap().expose_secret().to_owned();
        let before = self.noted.lock().unwrap().replace(token);
        Ok(if before.is_some() { Sending::Again } else { Sending::First })
    }

    async fn cancel(&self) -> Result<(), StoreError> {
        *self.noted.lock().unwrap() = None;
        Ok(())
    }
}

/// C64.
#[tokio::test]
async fn what_could_not_be_stored_is_not_spent() {
    let place = place().await;
    let store = Flaky::new(place.login(SCOPES).await);
    let oauth = place.open(Arc::clone(&store)).await;
    place.advance(HOUR);
    place.mock.clear_journal();

    store.room.store(false, Ordering::SeqCst);
    let error = oauth.credential().await.unwrap_err();
    assert!(matches!(error, AuthError::Store(_)) && told(&error).contains("no room"), "{error:?}");
    assert_eq!(place.mock.journal_len(), 0, "nothing was sent");
    assert_eq!(store.noted(), None, "and nobody need doubt it");

    store.room.store(true, Ordering::SeqCst);
    place.advance(Duration::from_secs(60));
    token(&oauth).await;
    assert_eq!((place.exchanges(200), store.noted()), (1, None));
}

#[tokio::test]
async fn a_store_keeps_its_note_while_the_token_may_be_used_up() {
    let place = place().await;
    let store = Flaky::new(place.login(SCOPES).await);
    let spent = store.load().await.unwrap().unwrap().refresh_token.unwrap();
    let busy = || Reply::html("busy").status(StatusCode::SERVICE_UNAVAILABLE).on("/v1/oauth/token");
    let busy = || busy().header(http::header::RETRY_AFTER, "1".parse().unwrap());
    let gate = Gate::new();
    let oauth = place.open_through(Arc::clone(&store), gate.clone()).await;
    place.advance(HOUR);

    // The server says no for now: nothing was used up.
    place.mock.set_script([busy()]);
    gate.open.add_permits(1);
    oauth.credential().await.unwrap_err();
    until(|| store.noted().is_none()).await;

    // The answer is lost, and then the server says no for now: it may be used up all the same.
    place.advance(Duration::from_secs(60));
    place.mock.set_script([busy()]);
    let call = tokio::spawn({
        let oauth = oauth.clone();
        async move { oauth.credential().await }
    });
    gate.arrived.acquire_many(2).await.unwrap().forget();
    until(|| place.clock.sleepers() == 1).await;
    assert_eq!(store.noted().as_deref(), Some(spent.expose_secret()));
    place.advance(Duration::from_secs(30));
    gate.arrived.acquire().await.unwrap().forget();
    gate.open.add_permits(1);
    call.await.unwrap().unwrap_err();
    assert_eq!(store.noted().as_deref(), Some(spent.expose_secret()));

    place.advance(Duration::from_secs(60));
    gate.open.add_permits(1);
    token(&oauth).await;
    assert_eq!(store.noted(), None, "with the new pair it goes");
}

#[tokio::test]
async fn a_refusal_of_a_token_that_a_dead_process_may_have_spent_says_so() {
    let place = place().await;
    for doubt in [true, false] {
        let store = Flaky::new(place.login(SCOPES).await);
        let spent = store.load().await.unwrap().unwrap().refresh_token.unwrap();
        *store.noted.lock().unwrap() = doubt.then(|| spent.expose_secret().to_owned());
        revoke(&place, spent.expose_secret()).await;
        let oauth = place.open(Arc::clone(&store)).await;
        place.advance(HOUR);
        let error = place.refused(oauth.credential()).await.unwrap_err();
        let AuthError::LoginRequired { maybe_consumed, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*maybe_consumed, doubt);
        assert_eq!(error.to_string().contains("perhaps used up"), doubt, "{error}");
        assert_eq!(store.noted().is_some(), doubt, "the next process is told the same");
    }
}

#[tokio::test]
async fn a_renewal_that_cannot_be_stored_is_served_and_stored_later() {
    let place = place().await;
    let store = Flaky::new(place.login(SCOPES).await);
    let oauth = place.open(Arc::clone(&store)).await;
    let old = token(&oauth).await;
    place.advance(HOUR);

    store.saves.store(false, Ordering::SeqCst);
    let new = token(&oauth).await;
    assert_ne!(old, new);
    place.client(&oauth).models().list().await.unwrap();
    assert_eq!(access(&store.load().await.unwrap().unwrap()), old, "the store still has the former pair");

    let lock = store.lock();
    tokio::pin!(lock);
    assert!(poll_immediate(&mut lock).await.is_none(), "what it still has is used up: nobody may spend it");

    store.saves.store(true, Ordering::SeqCst);
    place.advance(Duration::from_secs(60));
    drop(lock.await.unwrap());
    assert_eq!(access(&store.load().await.unwrap().unwrap()), new, "without anybody's asking");
    assert_eq!(token(&oauth).await, new);
    assert_eq!(place.exchanges(200), 2, "storing again needs no exchange");
}

#[tokio::test]
async fn without_the_lock_nothing_is_spent() {
    let place = place().await;
    let store = Flaky::new(place.login(SCOPES).await);
    let oauth = place.open(Arc::clone(&store)).await;
    let client = place.client(&oauth);
    place.advance(HOUR);
    place.mock.clear_journal();

    store.locks.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        let error = client.models().list().await.unwrap_err();
        assert!(matches!(error, Error::Auth(AuthError::Store(_), ..)), "{error:?}");
        assert!(told(&error).contains("the lock service is down"), "{}", told(&error));
        assert_eq!((error.attempts(), place.mock.journal_len()), (0, 0), "nothing was sent");
    }

    store.locks.store(true, Ordering::SeqCst);
    place.advance(Duration::from_secs(60));
    client.models().list().await.unwrap();
    assert_eq!(place.exchanges(200), 1);
}

/// Its lock panics, as anybody's code may.
#[derive(Debug)]
struct Panicking(MemoryTokenStore);

#[async_trait]
impl TokenStore for Panicking {
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        self.0.load().await
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.0.save(snapshot).await
    }

    async fn remove(&self) -> Result<(), StoreError> {
        self.0.remove().await
    }

    async fn lock(&self) -> Result<StoreLock, StoreError> {
        panic!("a bug in somebody's store");
    }
}

#[tokio::test]
async fn a_store_that_panics_fails_its_callers_and_leaves_none_waiting() {
    let place = place().await;
    let store = Panicking(MemoryTokenStore::new(place.login(SCOPES).await));
    let client = place.client(&place.open(store).await);
    place.advance(HOUR);
    place.mock.clear_journal();
    for _ in 0..2 {
        let error = client.models().list().await.unwrap_err();
        assert!(told(&error).contains("panicked"), "{}", told(&error));
    }
    assert_eq!(place.mock.journal_len(), 0, "nothing was sent");
}

#[tokio::test]
async fn a_logout_whose_removal_fails_says_so_and_is_completed_later() {
    let place = place().await;
    let store = Flaky::new(place.login(SCOPES).await);
    let oauth = place.open(Arc::clone(&store)).await;
    store.saves.store(false, Ordering::SeqCst);
    let error = oauth.log_out().await.unwrap_err();
    assert!(told(&Error::from(error)).contains("read-only"));
    let error = oauth.credential().await.unwrap_err();
    assert!(matches!(error, AuthError::LoginRequired { .. }), "{error:?}");

    store.saves.store(true, Ordering::SeqCst);
    place.advance(Duration::from_secs(60));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(store.load().await.unwrap().is_none(), "without anybody's asking");
}
