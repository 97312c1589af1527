//! The files of one session, and the order in which they are written.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use auth_core::Snapshot;
use secrecy::zeroize::Zeroizing;
use serde_json::Value;

use super::{
    super::{
        format::{self, Problem},
        note::Note,
    },
    disk::Disk,
};
use crate::{error::StoreError, token_store::Sending};

/// The largest credentials file that is read, in bytes.
const SIZE_LIMIT: usize = 1024 * 1024;
/// The largest note that is read, in bytes.
const NOTE_LIMIT: usize = 4096;
/// Room for what a renewed session may have more than the former one, in bytes.
const MORE: u64 = 16 * 1024;
/// How old a file that somebody forgot has to be; nobody takes that long to write one.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// How many files of one process may lie about at most.
const NAMES: u32 = 100;

#[derive(Debug)]
pub(super) struct Files {
    pub(super) path: PathBuf,
    pub(super) lock: PathBuf,
    note: PathBuf,
    folder: PathBuf,
    /// What the names of files begin with that are not yet, or no longer, part of the session.
    temporary: String,
    /// Where the tokens go, if that is to be kept with them.
    deployment: Option<Value>,
    disk: Disk,
    /// The room that was taken for what a renewal brings.
    room: Mutex<Option<Temporary>>,
}

impl Files {
    pub(super) fn new(path: PathBuf, disk: Disk) -> Self {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.strip_suffix(".json").unwrap_or(&name);
        Self {
            lock: folder.join(format!("{name}.lock")),
            note: folder.join(format!("{name}.intent")),
            temporary: format!(".{name}."),
            path,
            folder,
            deployment: None,
            disk,
            room: Mutex::default(),
        }
    }

    /// The same, in another place.
    pub(super) fn at(&self, path: PathBuf) -> Self {
        Self { deployment: self.deployment.clone(), ..Self::new(path, self.disk.clone()) }
    }

    /// The same, bound to this deployment.
    pub(super) fn of_deployment(&self, deployment: Value) -> Self {
        Self { deployment: Some(deployment), ..self.at(self.path.clone()) }
    }

    pub(super) fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        self.disk.check_folder(&self.folder).map_err(refused)?;
        let Some(bytes) = self.read()? else { return Ok(None) };
        let session = format::parse(&bytes).map_err(|problem| self.problem(problem))?;
        if let (Some(ours), Some(owner)) = (&self.deployment, format::deployment_of(&bytes))
            && owner != *ours
        {
            return Err(StoreError::OtherDeployment { path: self.path.clone() });
        }
        Ok(Some(session))
    }

    /// Old or new, never torn, never empty: written beside, synced, renamed, and the folder synced.
    pub(super) fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let bytes = self.rendered(snapshot)?;
        let room = self.room.lock().unwrap_or_else(PoisonError::into_inner).take();
        let file = room.map_or_else(|| self.temporary(), Ok);
        let put = file.and_then(|file| self.put(file, &bytes, &self.path));
        put.map_err(|source| failed("writing", &self.path, &source))?;
        // What it named is used up, and answered. One that cannot be removed names another token from now on.
        let _ = self.disk.remove(&self.note);
        Ok(())
    }

    /// Gone for good: the folder is synced too.
    pub(super) fn remove(&self) -> Result<(), StoreError> {
        let gone = self.cancel_quietly().and_then(|()| self.disk.remove(&self.path));
        let gone = gone
            .and_then(|()| if self.folder.exists() { self.disk.sync_folder(&self.folder) } else { Ok(()) });
        gone.map_err(|source| failed("removing", &self.path, &source))
    }

    /// The lock, or `None` where another process has it.
    pub(super) fn try_lock(&self) -> Result<Option<File>, StoreError> {
        let failed = |source: &io::Error| failed("locking", &self.lock, source);
        self.prepare_folder()?;
        let open = || self.disk.open_lock(&self.lock).map_err(|source| self.not_opened(&source));
        let mut file = open()?;
        secrets::check_private(&file, &self.lock).map_err(refused)?;
        match self.disk.lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) if has_no_locks(&source) => {
                return Err(StoreError::NoLocks { path: self.lock.clone() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(&source)),
        }
        // Whoever removed the file and made another has a lock of his own.
        if !is_still_there(&file, &self.lock) {
            return Ok(None);
        }
        // Some file systems say yes to everybody.
        match self.disk.lock(&open()?) {
            Err(TryLockError::WouldBlock) => {}
            Ok(()) => return Err(StoreError::NoLocks { path: self.lock.clone() }),
            Err(TryLockError::Error(source)) => return Err(failed(&source)),
        }
        // For whoever waits too long and wants to know for whom. The lock holds without it.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Some(file))
    }

    /// The process that has the lock, where it says so.
    pub(super) fn holder(&self) -> Option<u32> {
        let bytes = self.disk.read(&self.lock, 32).ok().flatten()?;
        std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
    }

    /// Takes the room, sees that the folder can be synced, and leaves a note: everything that may fail, before anything
    /// is spent. Called under the lock, so whatever lies about of earlier renewals is nobody's.
    pub(super) fn prepare(&self, spending: &Snapshot, deadline: SystemTime) -> Result<Sending, StoreError> {
        let failed = |source: io::Error| failed("making room beside", &self.path, &source);
        self.discard();
        let bytes = self.rendered(spending)?.len() as u64;
        let mut room = self.temporary().map_err(failed)?;
        self.disk.allocate(&mut room.file, bytes.saturating_add(MORE)).map_err(failed)?;
        self.disk.sync(&room.file).map_err(failed)?;
        self.clean(&room).map_err(failed)?;

        let noted = match (&spending.refresh_token, self.noted()?) {
            (Some(token), Some(note)) if note.names(token) => true,
            (Some(token), _) => {
                let put = self
                    .temporary()
                    .and_then(|draft| self.put(draft, &Note::of(token, deadline).render(), &self.note));
                put.map_err(|source| {
                    let _ = self.disk.remove(&self.note);
                    failed(source)
                })?;
                false
            }
            (None, _) => false,
        };
        *self.room.lock().unwrap_or_else(PoisonError::into_inner) = Some(room);
        Ok(if noted { Sending::Again } else { Sending::First })
    }

    pub(super) fn cancel(&self) -> Result<(), StoreError> {
        self.cancel_quietly().map_err(|source| failed("removing", &self.note, &source))
    }

    fn cancel_quietly(&self) -> io::Result<()> {
        self.discard();
        self.disk.remove(&self.note)
    }

    fn discard(&self) {
        drop(self.room.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn prepare_folder(&self) -> Result<(), StoreError> {
        self.disk.make_folder(&self.folder).map_err(|source| failed("making", &self.folder, &source))?;
        self.disk.check_folder(&self.folder).map_err(refused)
    }

    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.disk.read(&self.path, SIZE_LIMIT).map_err(refused)
    }

    /// What is to be in the file. What is there and cannot be used is not overwritten: it may be another version's.
    fn rendered(&self, snapshot: &Snapshot) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.prepare_folder()?;
        let former = self.read()?;
        let bytes =
            format::render(former.as_ref().map(|bytes| bytes.as_slice()), snapshot, self.deployment.as_ref());
        bytes.map(Zeroizing::new).map_err(|problem| self.problem(problem))
    }

    fn noted(&self) -> Result<Option<Note>, StoreError> {
        match self.disk.read(&self.note, NOTE_LIMIT) {
            Ok(bytes) => Ok(bytes.and_then(|bytes| Note::parse(&bytes))),
            Err(error) if error.kind() == secrets::ErrorKind::Unreadable => Err(refused(error)),
            // It is none of ours, and goes when ours takes its place.
            Err(_) => Ok(None),
        }
    }

    /// Removes what dead processes left of this session, and what others forgot longer ago than anybody writes, by the
    /// clock of the file system.
    fn clean(&self, room: &Temporary) -> io::Result<()> {
        let now = room.file.metadata()?.modified()?;
        for file in self.disk.temporary_files(&self.folder)? {
            let ours = file.name.starts_with(&self.temporary);
            let old = now.duration_since(file.written).is_ok_and(|age| age > FORGOTTEN);
            if (ours || old) && self.disk.is_nobodys(&file.path) {
                self.disk.remove(&file.path)?;
            }
        }
        Ok(())
    }

    /// A new file, which is this process's as long as it is open.
    fn temporary(&self) -> io::Result<Temporary> {
        let pid = std::process::id();
        for number in 0..NAMES {
            let path = self.folder.join(format!("{}{pid}-{number}.tmp", self.temporary));
            match self.disk.create(&path) {
                Ok(file) => return Ok(Temporary { path, file, disk: self.disk.clone(), placed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Fills a file and puts it in its place. Whatever fails, the file is given up: the next try begins with a new one.
    fn put(&self, mut file: Temporary, bytes: &[u8], to: &Path) -> io::Result<()> {
        self.disk.fill(&mut file.file, bytes)?;
        self.disk.sync(&file.file)?;
        self.disk.rename(&file.path, to)?;
        file.placed = true;
        self.disk.sync_folder(&self.folder)
    }

    fn not_opened(&self, source: &io::Error) -> StoreError {
        if fs::symlink_metadata(&self.lock).is_ok_and(|metadata| !metadata.is_file()) {
            let place = self.lock.display().to_string();
            return refused(secrets::Error::new(secrets::ErrorKind::NotARegularFile, place));
        }
        failed("opening", &self.lock, source)
    }

    fn problem(&self, problem: Problem) -> StoreError {
        let path = self.path.clone();
        match problem {
            Problem::Corrupt(what) => StoreError::Corrupt { path, what },
            Problem::Newer => StoreError::NewerVersion { path },
        }
    }
}

/// A file that goes away unless it is put in its place.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    file: File,
    disk: Disk,
    placed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            let _ = self.disk.remove(&self.path);
        }
    }
}

#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let name = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::symlink_metadata(path)), (Ok(ours), Ok(theirs)) if name(&ours) == name(&theirs))
}

#[cfg(not(unix))]
fn is_still_there(_: &File, _: &Path) -> bool {
    true
}

#[cfg(unix)]
fn has_no_locks(error: &io::Error) -> bool {
    let none = [libc::ENOLCK, libc::ENOSYS, libc::EOPNOTSUPP];
    error.raw_os_error().is_some_and(|code| none.contains(&code))
}

#[cfg(not(unix))]
fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

fn refused(error: secrets::Error) -> StoreError {
    StoreError::Unsafe(Arc::new(error))
}

fn failed(action: &'static str, path: &Path, source: &io::Error) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), kind: source.kind() }
}
