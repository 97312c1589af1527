use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use auth_core::Snapshot;
use secrecy::{SecretString, zeroize::Zeroizing};
use secrets::{ErrorKind, Lease, Leased, Secret, SecretName, SecretStore};
use serde_json::{Map, Value};
use tokio::sync::OwnedMutexGuard;
use transport::{Clock, SystemClock};

use super::{
    Sending, StoreLock, TokenStore,
    format::{self, Problem},
    note::Note,
};
use crate::{error::StoreError, task};

/// How long a lease lasts that nobody extends, because its holder is gone.
const LASTING: Duration = Duration::from_secs(15);
/// How long to wait for the lock: longer than a lease that nobody extends.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look whether it is free.
const POLL: Duration = Duration::from_millis(50);
/// The member of the stored session that says which refresh token is being spent.
const NOTE: &str = "renewing";

/// A session as one secret of a [`SecretStore`], in the form of the official SDKs' credentials file.
///
/// What it can promise is what the store can. With leases ([`SecretStore::lease`]: Redis has them, feature `redis`),
/// processes on many machines renew one after the other, and a holder that was stopped until its lease ran out can
/// neither spend the refresh token nor overwrite the session that came after it ([`StoreError::Superseded`]).
/// **Without leases the lock holds in this value and its clones only**: two processes may spend the refresh token both,
/// which a server that rotates takes for theft. Give each process a login of its own then, or take
/// [`FileTokenStore`](super::FileTokenStore).
///
/// Before a refresh token is sent, a note beside the session says so (by a hash), so that a loss after a crash is told
/// as one, and so that a store that cannot be written is found out while the token is still good.
///
/// ```
/// use claude_sdk::{secrets::{SecretName, providers::Memory}, token_store::{SecretTokenStore, TokenStore}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let vault = Memory::new(); // or `Redis::new("redis://127.0.0.1:6379", "claude")?`, or a store of your own
/// let store = SecretTokenStore::new(vault, SecretName::new("team/claude-session")?);
/// assert!(store.load().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SecretTokenStore {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct Shared {
    store: Box<dyn SecretStore>,
    name: SecretName,
    renewing: Arc<tokio::sync::Mutex<()>>,
    /// The lease of whoever has the lock, where the store has leases.
    held: Mutex<Option<Arc<dyn Lease>>>,
}

impl SecretTokenStore {
    /// The session in the secret `name` of `store`; nothing is read yet.
    #[must_use]
    pub fn new(store: impl SecretStore, name: SecretName) -> Self {
        let shared =
            Shared { store: Box::new(store), name, renewing: Arc::default(), held: Mutex::default() };
        Self { shared: Arc::new(shared), clock: Arc::new(SystemClock) }
    }

    /// Takes the waits for the lock from `clock` in place of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The lease, if the store has any, as soon as nobody else has it.
    async fn lease(&self) -> Result<Option<Arc<dyn Lease>>, StoreError> {
        let Shared { store, name, .. } = &*self.shared;
        let mut waited = Duration::ZERO;
        loop {
            match store.lease(name.clone(), LASTING).await.map_err(|error| self.shared.failed(error))? {
                None => return Ok(None),
                Some(Leased::Held(lease)) => return Ok(Some(lease)),
                Some(Leased::Busy(_)) if waited < PATIENCE => {
                    self.clock.sleep(POLL).await;
                    waited += POLL;
                }
                Some(Leased::Busy(_)) => return Err(self.shared.locked(waited)),
            }
        }
    }
}

#[async_trait]
impl TokenStore for SecretTokenStore {
    #[inline]
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        let Some(secret) = self.shared.read().await? else { return Ok(None) };
        let parsed = format::parse(secret.expose().as_bytes());
        parsed.map(Some).map_err(|problem| self.shared.problem(problem))
    }

    #[inline]
    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let former = self.shared.read().await?;
        self.shared.write(former.as_ref(), &snapshot, None).await
    }

    #[inline]
    async fn remove(&self) -> Result<(), StoreError> {
        self.shared.replace(None).await
    }

    #[inline]
    async fn lock(&self) -> Result<StoreLock, StoreError> {
        let here = tokio::select! {
            here = Arc::clone(&self.shared.renewing).lock_owned() => here,
            () = self.clock.sleep(PATIENCE) => return Err(self.shared.locked(PATIENCE)),
        };
        let lease = self.lease().await?;
        let extending = lease.clone().map(|lease| {
            let (clock, name) = (Arc::clone(&self.clock), self.shared.name.clone());
            task::detach(extend(lease, clock, name))
        });
        *self.shared.held() = lease;
        let held = Held { shared: Arc::clone(&self.shared), extending, here: Some(here) };
        Ok(StoreLock::new(held))
    }

    #[inline]
    async fn prepare(&self, spending: Snapshot, deadline: SystemTime) -> Result<Sending, StoreError> {
        let Some(token) = &spending.refresh_token else { return Ok(Sending::First) };
        let former = self.shared.read().await?;
        let sent = former.as_ref().and_then(noted).is_some_and(|note| note.names(token));
        // Written even where it is there already: that is how a lease that ran out is found out.
        self.shared.write(former.as_ref(), &spending, Some(&Note::of(token, deadline))).await?;
        Ok(if sent { Sending::Again } else { Sending::First })
    }

    #[inline]
    async fn cancel(&self) -> Result<(), StoreError> {
        let Some(former) = self.shared.read().await? else { return Ok(()) };
        let Some(mut members) = members(&former) else { return Ok(()) };
        if members.remove(NOTE).is_none() {
            return Ok(());
        }
        self.shared.replace(Some(line(&members))).await
    }
}

impl fmt::Debug for SecretTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { store, name, .. } = &*self.shared;
        f.debug_struct("SecretTokenStore").field("store", store).field("name", name).finish_non_exhaustive()
    }
}

impl Shared {
    fn held(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn Lease>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    async fn read(&self) -> Result<Option<Secret>, StoreError> {
        self.store.get(self.name.clone()).await.map_err(|error| self.failed(error))
    }

    #[inline]
    async fn write(
        &self,
        former: Option<&Secret>,
        snapshot: &Snapshot,
        note: Option<&Note>,
    ) -> Result<(), StoreError> {
        let former = former.map(|secret| secret.expose().as_bytes());
        let bytes = format::render(former, snapshot, None).map(Zeroizing::new);
        let bytes = bytes.map_err(|problem| self.problem(problem))?;
        let unwritable = || StoreError::Corrupt { path: self.path(), what: "it cannot be written as JSON" };
        let mut members: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|_| unwritable())?;
        members.remove(NOTE);
        if let Some(note) = note {
            members.insert(NOTE.into(), note.json());
        }
        self.replace(Some(line(&members))).await
    }

    /// Writes under the lease of whoever has the lock; who has none, such as a login, comes after all leases so far.
    #[inline]
    async fn replace(&self, secret: Option<Secret>) -> Result<(), StoreError> {
        let lease = self.held().clone();
        let written = match (lease, secret) {
            (Some(lease), secret) => lease.replace(secret).await,
            (None, Some(secret)) => self.store.put(self.name.clone(), secret).await,
            (None, None) => self.store.delete(self.name.clone()).await,
        };
        written.map_err(|error| self.failed(error))
    }

    #[inline]
    fn failed(&self, error: secrets::Error) -> StoreError {
        match error.kind() {
            ErrorKind::Superseded => StoreError::Superseded { name: self.name.to_string() },
            _ => StoreError::Backend(Arc::new(error)),
        }
    }

    fn locked(&self, waited: Duration) -> StoreError {
        StoreError::Locked { path: self.path(), waited, holder: None }
    }

    #[inline]
    fn problem(&self, problem: Problem) -> StoreError {
        match problem {
            Problem::Corrupt(what) => StoreError::Corrupt { path: self.path(), what },
            Problem::Newer => StoreError::NewerVersion { path: self.path() },
        }
    }

    fn path(&self) -> PathBuf {
        self.name.as_str().into()
    }
}

/// The lock. When it is dropped, the lease is given up, and only then may the next one in this process try.
struct Held {
    shared: Arc<Shared>,
    extending: Option<tokio::task::AbortHandle>,
    here: Option<OwnedMutexGuard<()>>,
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        if let Some(extending) = &self.extending {
            extending.abort();
        }
        let (lease, here) = (self.shared.held().take(), self.here.take());
        // Without a runtime it runs out by itself.
        if let (Some(lease), Ok(_)) = (lease, tokio::runtime::Handle::try_current()) {
            task::detach(async move {
                let _ = lease.extend(Duration::ZERO).await;
                drop(here);
            });
        }
    }
}

/// Keeps a lease from running out, until it is dropped or lost.
async fn extend(lease: Arc<dyn Lease>, clock: Arc<dyn Clock>, name: SecretName) {
    loop {
        clock.sleep(LASTING / 3).await;
        if matches!(lease.extend(LASTING).await, Ok(false)) {
            tracing::warn!(%name, "the lease of a session ran out while it was held");
            return;
        }
    }
}

#[inline]
fn members(secret: &Secret) -> Option<Map<String, Value>> {
    serde_json::from_str(secret.expose()).ok()
}

#[inline]
fn noted(secret: &Secret) -> Option<Note> {
    Note::of_json(members(secret)?.get(NOTE)?)
}

/// One line: some stores take nothing else for a secret.
#[inline]
fn line(members: &Map<String, Value>) -> Secret {
    Secret::from(SecretString::from(Value::Object(members.clone()).to_string()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use secrets::{SecretProvider as _, providers::Memory};

    use super::*;

    const T0: SystemTime = SystemTime::UNIX_EPOCH;

    fn snapshot(word: &str) -> Snapshot {
        Snapshot {
            access_token: format!("access-{word}").into(),
            refresh_token: Some(format!("refresh-{word}").into()),
            expires_at: Some(T0 + Duration::from_secs(1_800_000_000)),
            scopes: None,
            generation: 1,
            extra: Map::new(),
        }
    }

    fn name() -> SecretName {
        SecretName::new("team/session").unwrap()
    }

    fn over(memory: &Arc<Memory>) -> SecretTokenStore {
        SecretTokenStore::new(Arc::clone(memory), name())
    }

    async fn stored(memory: &Memory) -> Value {
        let secret = memory.get(name()).await.unwrap().unwrap();
        assert!(!secret.expose().contains('\n'));
        serde_json::from_str(secret.expose()).unwrap()
    }

    #[tokio::test]
    async fn the_secret_is_the_official_form_on_one_line_and_members_of_others_survive() {
        let former = r#"{"version":"1.0","type":"oauth_token","access_token":"a","new":[1]}"#;
        let memory = Arc::new(Memory::new().with(name(), former.to_owned()));
        let store = over(&memory);
        assert_eq!(store.load().await.unwrap().unwrap().access_token.expose_secret(), "a");
        store.save(snapshot("b")).await.unwrap();
        let expected = serde_json::json!({
            "version": "1.0", "type": "oauth_token", "access_token": "access-b", "refresh_token": "refresh-b",
            "expires_at": 1_800_000_000, "new": [1]
        });
        assert_eq!(stored(&memory).await, expected);
        assert!(!format!("{store:?}").contains("refresh-b"));
    }

    #[tokio::test]
    async fn a_note_is_there_while_a_token_is_spent_and_goes_with_what_comes_of_it() {
        let memory = Arc::new(Memory::new());
        let store = over(&memory);
        store.save(snapshot("a")).await.unwrap();
        assert_eq!(store.prepare(snapshot("a"), T0).await.unwrap(), Sending::First);
        assert!(stored(&memory).await.get(NOTE).is_some());
        let after_a_crash = over(&memory).prepare(snapshot("a"), T0).await.unwrap();
        assert_eq!(after_a_crash, Sending::Again);
        store.cancel().await.unwrap();
        assert!(stored(&memory).await.get(NOTE).is_none());
        assert_eq!(store.prepare(snapshot("a"), T0).await.unwrap(), Sending::First);
        store.save(snapshot("b")).await.unwrap();
        assert!(stored(&memory).await.get(NOTE).is_none());
        assert_eq!(store.load().await.unwrap().unwrap().access_token.expose_secret(), "access-b");
    }

    #[tokio::test]
    async fn what_is_no_session_is_named_and_not_overwritten() {
        for (text, newer) in [("canary", false), (r#"{"version":"9.0","access_token":"canary"}"#, true)] {
            let memory = Arc::new(Memory::new().with(name(), text.to_owned()));
            let store = over(&memory);
            for error in [store.load().await.unwrap_err(), store.save(snapshot("b")).await.unwrap_err()] {
                let told = format!("{error} {error:?}");
                assert!(told.contains("team/session") && !told.contains("canary"), "{told}");
                assert_eq!(matches!(error, StoreError::NewerVersion { .. }), newer, "{error}");
            }
            assert_eq!(memory.get(name()).await.unwrap().unwrap().expose(), text);
        }
    }
}
