//! What a job has done, in a file that a crash leaves whole.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::JobError;

/// The largest file of a job, in bytes: a batch takes a hundred, and a workspace has fewer batches than that.
const LARGEST: u64 = 64 << 20;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    version: Version,
    pub(super) batches: Vec<JobBatch>,
    /// Of all messages that are in batches.
    pub(super) digest: Option<String>,
    /// What is being sent, or was when the program ended.
    pub(super) sending: Option<Sending>,
    /// There are no more messages.
    pub(super) complete: bool,
}

/// Says which program can read a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Version {
    #[default]
    #[serde(rename = "claude-sdk batch job 1")]
    One,
}

/// A batch that was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct JobBatch {
    pub(super) id: String,
    pub(super) requests: u64,
}

/// A batch that may have been created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sending {
    pub(super) requests: u64,
    pub(super) digest: String,
    /// The newest batch there was before.
    pub(super) after: Option<String>,
}

impl State {
    /// How many messages are in batches.
    pub(super) fn requests(&self) -> u64 {
        self.batches.iter().map(|batch| batch.requests).sum()
    }
}

/// The file. Whoever writes it holds its [`Lock`].
#[derive(Debug)]
pub(super) struct StateFile(PathBuf);

/// Keeps every other process away from a job, until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    #[cfg_attr(not(unix), expect(dead_code, reason = "it stays where it is"))]
    path: PathBuf,
}

impl StateFile {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What it says; `None` where there is no file.
    #[inline]
    pub(super) fn read(&self) -> Result<Option<State>, JobError> {
        let none = || JobError::Format { path: self.0.clone() };
        // A pipe would be waited for.
        let text = match fs::metadata(&self.0) {
            Ok(metadata) if !metadata.is_file() || metadata.len() > LARGEST => return Err(none()),
            Ok(_) => fs::read(&self.0),
            Err(error) => Err(error),
        };
        match text {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|_| none()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(JobError::File { path: self.0.clone(), source }),
        }
    }

    /// Takes the job for this process: by a lock on a file beside it, because the file itself is replaced.
    #[inline]
    pub(super) fn lock(&self) -> Result<Lock, JobError> {
        let path = beside(&self.0, ".lock");
        let failed = |source| JobError::File { path: path.clone(), source };
        loop {
            let file = private().create(true).truncate(false).open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Lock { _file: file, path }),
                // The process that had it has just removed it.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(JobError::InUse { path: self.0.clone() }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }

    /// Writes it anew beside the old one, which it then takes the place of.
    #[inline]
    pub(super) fn write(&self, state: &State) -> Result<(), JobError> {
        let written =
            serde_json::to_vec_pretty(state).map_err(io::Error::from).and_then(|text| self.replace(&text));
        written.map_err(|source| JobError::File { path: self.0.clone(), source })
    }

    #[inline]
    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let new = beside(&self.0, ".new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private().create_new(true).open(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)?;
        #[cfg(unix)]
        {
            let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}

/// It is removed while it is held, so that nobody else holds the one that is removed.
#[cfg(unix)]
impl Drop for Lock {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

#[inline]
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Files that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whether the file is the one that the path leads to.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let (Ok(file), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (file.dev(), file.ino()) == (there.dev(), there.ino())
}

/// Nobody removes it here.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
