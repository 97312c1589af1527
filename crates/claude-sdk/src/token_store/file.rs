use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use auth_core::Snapshot;
use secrecy::zeroize::Zeroizing;
use transport::{Clock, SystemClock};

use super::{StoreLock, TokenStore};
use crate::{error::StoreError, profile::ProfileName};

mod format;

/// How long to wait for another process to finish its renewal.
const LOCK_PATIENCE: Duration = Duration::from_secs(15);
/// How often to look whether it has.
const LOCK_POLL: Duration = Duration::from_millis(25);

/// A session in the file `credentials/<profile>.json` of a configuration folder, as the official SDKs keep it.
///
/// The file is 0600 in a 0700 folder, is replaced as a whole (written beside, synced, renamed, folder synced), and
/// keeps the members this crate does not know. The lock is a separate file that is never renamed, because a lock on
/// a file that gets replaced protects nothing.
#[derive(Debug, Clone)]
pub struct FileTokenStore {
    path: PathBuf,
    lock: PathBuf,
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
        let path = path.into();
        Self { lock: path.with_extension("lock"), path, clock: Arc::new(SystemClock) }
    }

    /// Takes the waits for the lock from `clock` in place of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The file the session is kept in.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl TokenStore for FileTokenStore {
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        let path = self.path.clone();
        blocking(&self.path, move || {
            let Some(bytes) = read(&path)? else { return Ok(None) };
            format::parse(&bytes).map(Some).map_err(|what| StoreError::Corrupt { path, what })
        })
        .await
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let path = self.path.clone();
        blocking(&self.path, move || {
            let folder = make_folder(&path)?;
            // What is there and cannot be used is not overwritten: it may be another version's session.
            let former = read(&path)?;
            let bytes = format::render(former.as_ref().map(|bytes| bytes.as_slice()), &snapshot)
                .map_err(|what| StoreError::Corrupt { path: path.clone(), what })?;
            replace(&path, &folder, &bytes).map_err(|source| failed("writing", &path, &source))
        })
        .await
    }

    async fn remove(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        blocking(&self.path, move || remove(&path).map_err(|source| failed("removing", &path, &source))).await
    }

    async fn lock(&self) -> Result<StoreLock, StoreError> {
        let path = self.lock.clone();
        let file = blocking(&self.lock, move || {
            make_folder(&path)?;
            open_lock(&path).map_err(|source| failed("opening", &path, &source))
        })
        .await?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(StoreLock::new(file)),
                Err(TryLockError::WouldBlock) if waited < LOCK_PATIENCE => {
                    self.clock.sleep(LOCK_POLL).await;
                    waited += LOCK_POLL;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked { path: self.lock.clone(), waited, holder: None });
                }
                Err(TryLockError::Error(source)) => return Err(failed("locking", &self.lock, &source)),
            }
        }
    }
}

/// Runs file operations off the runtime's threads: a sync to disk can take tens of milliseconds.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(failed("handling", path, &io::ErrorKind::Interrupted.into())),
    }
}

fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    secrets::read_private(path, format::SIZE_LIMIT).map_err(|error| StoreError::Unsafe(Arc::new(error)))
}

fn make_folder(path: &Path) -> Result<PathBuf, StoreError> {
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|source| failed("making", &folder, &source))?;
    Ok(folder)
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Old or new, never torn, never empty: write beside, sync, rename, sync the folder.
fn replace(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".credentials-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Gone for good: the folder is synced too. A link is removed, not followed.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        outcome => outcome?,
    }
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path, source: &io::Error) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), kind: source.kind() }
}
