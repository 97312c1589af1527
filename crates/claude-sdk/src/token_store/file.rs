use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use auth_core::Snapshot;
use transport::{Clock, SystemClock};
use url::Url;

use self::{disk::Disk, files::Files};
use super::{Sending, StoreLock, TokenStore, format};
use crate::{error::StoreError, profile::ProfileName};

mod disk;
mod files;
#[cfg(test)]
mod tests;

/// How long to wait for another process to finish its renewal.
const LOCK_PATIENCE: Duration = Duration::from_secs(15);
/// How often to look whether it has.
const LOCK_POLL: Duration = Duration::from_millis(25);

/// A session in the file `credentials/<profile>.json` of a configuration folder, as the official SDKs keep it.
///
/// The file is 0600 in a 0700 folder, is replaced as a whole (written beside, synced, renamed, folder synced), and
/// keeps the members this crate does not know. What others could read, change, or replace is refused, as is a file that
/// a newer version wrote. The lock is a separate file that is never renamed, because a lock on a file that gets
/// replaced protects nothing; a file system without locks is refused too.
///
/// Before a refresh token is spent, room for what comes is taken, and `<profile>.intent` notes which token it is (by a
/// hash), so that a loss after a crash is told as one. What an earlier process left behind is removed then.
///
/// ```
/// use claude_sdk::token_store::{FileTokenStore, TokenStore as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// // What a login gave goes in with `save`; until then there is nothing.
/// let store = FileTokenStore::new(folder.path(), "default")?;
/// assert!(store.load().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FileTokenStore {
    files: Arc<Files>,
    clock: Arc<dyn Clock>,
}

impl FileTokenStore {
    /// The session `profile` below `folder`; nothing is read or made yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::ProfileName`] where `profile` could name another place than a file in that folder.
    pub fn new(folder: impl AsRef<Path>, profile: &str) -> Result<Self, StoreError> {
        let profile = ProfileName::new(profile).map_err(|_| StoreError::ProfileName)?;
        Ok(Self::at(folder.as_ref().join("credentials").join(format!("{profile}.json"))))
    }

    /// The session in the file `path`, with its lock beside it; nothing is read or made yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::on(path.into(), Disk::default())
    }

    fn on(path: PathBuf, disk: Disk) -> Self {
        Self { files: Arc::new(Files::new(path, disk)), clock: Arc::new(SystemClock) }
    }

    /// Binds the session to the API at the origin of `base_url`, and to `token_endpoint`: the file says where its tokens
    /// go, and one whose tokens go elsewhere is not read. A file that does not say so is read, because the official SDKs
    /// write none that does.
    #[must_use]
    pub fn deployment(mut self, base_url: &Url, token_endpoint: &Url) -> Self {
        self.files = Arc::new(self.files.of_deployment(format::deployment(base_url, token_endpoint)));
        self
    }

    /// Takes the waits for the lock from `clock` in place of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same session kept in the file `path`, bound as this one is.
    #[must_use]
    pub fn with_path(&self, path: impl Into<PathBuf>) -> Self {
        Self { files: Arc::new(self.files.at(path.into())), clock: Arc::clone(&self.clock) }
    }

    /// The file the session is kept in.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.files.path
    }

    /// Runs file operations off the runtime's threads: a sync to disk can take tens of milliseconds. All are of one type
    /// to the runtime, whose code for a type of work is long (`docs/decisions/0015-weight.md`), and none is boxed as
    /// `task::blocking` does it: with that the tests have found a token in memory that was given back.
    async fn run(&self, work: Work) -> Result<Done, StoreError> {
        let files = Arc::clone(&self.files);
        let outcome = tokio::task::spawn_blocking(move || work.with(&files)).await;
        outcome.unwrap_or_else(|_| Err(self.interrupted()))
    }

    #[cold]
    fn interrupted(&self) -> StoreError {
        let path = self.files.path.clone();
        StoreError::Io { action: "handling", path, kind: io::ErrorKind::Interrupted }
    }
}

/// What is to be done with the files.
enum Work {
    Load,
    Save(Snapshot),
    Remove,
    TryLock,
    Holder,
    Prepare(Snapshot, SystemTime),
    Cancel,
}

/// What came of it.
enum Done {
    Nothing,
    Session(Option<Snapshot>),
    Locked(Option<File>),
    Holder(Option<u32>),
    Sending(Sending),
}

impl Work {
    fn with(self, files: &Files) -> Result<Done, StoreError> {
        Ok(match self {
            Self::Load => Done::Session(files.load()?),
            Self::Save(snapshot) => files.save(&snapshot).map(|()| Done::Nothing)?,
            Self::Remove => files.remove().map(|()| Done::Nothing)?,
            Self::TryLock => Done::Locked(files.try_lock()?),
            Self::Holder => Done::Holder(files.holder()),
            Self::Prepare(spending, deadline) => Done::Sending(files.prepare(&spending, deadline)?),
            Self::Cancel => files.cancel().map(|()| Done::Nothing)?,
        })
    }
}

#[async_trait]
impl TokenStore for FileTokenStore {
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        match self.run(Work::Load).await? {
            Done::Session(session) => Ok(session),
            _ => Err(self.interrupted()),
        }
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.run(Work::Save(snapshot)).await.map(drop)
    }

    async fn remove(&self) -> Result<(), StoreError> {
        self.run(Work::Remove).await.map(drop)
    }

    async fn lock(&self) -> Result<StoreLock, StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            if let Done::Locked(Some(file)) = self.run(Work::TryLock).await? {
                return Ok(StoreLock::new(file));
            }
            if waited >= LOCK_PATIENCE {
                let Done::Holder(holder) = self.run(Work::Holder).await? else {
                    return Err(self.interrupted());
                };
                return Err(StoreError::Locked { path: self.files.lock.clone(), waited, holder });
            }
            self.clock.sleep(LOCK_POLL).await;
            waited += LOCK_POLL;
        }
    }

    async fn prepare(&self, spending: Snapshot, deadline: SystemTime) -> Result<Sending, StoreError> {
        match self.run(Work::Prepare(spending, deadline)).await? {
            Done::Sending(sending) => Ok(sending),
            _ => Err(self.interrupted()),
        }
    }

    async fn cancel(&self) -> Result<(), StoreError> {
        self.run(Work::Cancel).await.map(drop)
    }
}
