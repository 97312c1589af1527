//! The file operations of a store, one function each, so that a test can make any of them fail.

#[cfg(test)]
use std::sync::Arc;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use secrecy::zeroize::Zeroizing;

/// One step on the way to a stored session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    MakeFolder,
    CheckFolder,
    Read,
    List,
    OpenLock,
    Lock,
    Create,
    Allocate,
    Write,
    Truncate,
    Sync,
    Rename,
    SyncFolder,
    Remove,
}

/// What a test does to the steps.
#[cfg(test)]
pub(super) trait Faults: std::fmt::Debug + Send + Sync {
    /// Called before each step: how it fails, if it does.
    fn before(&self, step: Step) -> io::Result<()>;

    /// How many of so many bytes are written at once.
    fn written(&self, bytes: usize) -> usize {
        bytes
    }
}

#[derive(Debug)]
pub(super) struct TemporaryFile {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) written: SystemTime,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) faults: Option<Arc<dyn Faults>>,
}

impl Disk {
    pub(super) fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        self.step(Step::MakeFolder, || builder.create(folder))
    }

    pub(super) fn check_folder(&self, folder: &Path) -> Result<(), secrets::Error> {
        self.secret(Step::CheckFolder, folder, || secrets::check_folder(folder))
    }

    pub(super) fn read(
        &self,
        path: &Path,
        largest: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, secrets::Error> {
        self.secret(Step::Read, path, || secrets::read_private(path, largest))
    }

    /// The files of `folder` that are called temporary.
    pub(super) fn temporary_files(&self, folder: &Path) -> io::Result<Vec<TemporaryFile>> {
        self.step(Step::List, || {
            let mut files = Vec::new();
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                if path.extension().is_none_or(|extension| extension != "tmp") {
                    continue;
                }
                // Somebody may have removed it since.
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_file() {
                    files.push(TemporaryFile { path, name, written: metadata.modified()? });
                }
            }
            Ok(files)
        })
    }

    /// Tells whether no living process is writing this file: its writer holds a lock on it.
    pub(super) fn is_nobodys(&self, path: &Path) -> bool {
        private().read(true).open(path).is_ok_and(|file| file.try_lock().is_ok())
    }

    pub(super) fn open_lock(&self, path: &Path) -> io::Result<File> {
        let mut options = private();
        options.read(true).create(true).truncate(false);
        self.step(Step::OpenLock, || options.open(path))
    }

    pub(super) fn lock(&self, file: &File) -> Result<(), fs::TryLockError> {
        self.step(Step::Lock, || Ok(())).map_err(fs::TryLockError::Error)?;
        file.try_lock()
    }

    /// Makes a file that was not there before, and locks it, so that it is not taken for one of a dead process.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = private();
        options.create_new(true);
        let file = self.step(Step::Create, || options.open(path))?;
        match file.try_lock() {
            // Whoever clears up was faster, and it is gone.
            Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::AlreadyExists.into()),
            // A file system without locks has no renewals to clear up after.
            Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(file),
        }
    }

    /// Takes room on the disk for so many bytes: after a sync they are this file's, except where a file system never writes in
    /// place, or none of what is empty.
    pub(super) fn allocate(&self, file: &mut File, bytes: u64) -> io::Result<()> {
        let zeros = vec![0; usize::try_from(bytes).unwrap_or_default()];
        self.step(Step::Allocate, || Ok(()))?;
        self.write(file, &zeros)
    }

    /// Makes `bytes` the whole content.
    pub(super) fn fill(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.rewind()?;
        self.write(file, bytes)?;
        self.step(Step::Truncate, || file.set_len(bytes.len() as u64))
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, _) = rest.split_at(self.at_once(rest.len()));
            let written = self.step(Step::Write, || file.write(now))?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// After a failure the system may have forgotten what was to be written: only a new file can be trusted then.
    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        self.step(Step::Sync, || self.really(|| file.sync_all()))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Rename, || fs::rename(from, to))
    }

    /// Makes durable which files there are.
    pub(super) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(Step::SyncFolder, || {
            #[cfg(unix)]
            self.really(|| File::open(folder)?.sync_all())?;
            let _ = folder;
            Ok(())
        })
    }

    /// Removes a file, if there is one. A link is removed, not followed.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        match self.step(Step::Remove, || fs::remove_file(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// One step, again where a signal came in between.
    fn step<T>(&self, step: Step, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            match self.before(step).and_then(|()| work()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }

    fn secret<T>(
        &self,
        step: Step,
        path: &Path,
        work: impl FnOnce() -> Result<T, secrets::Error>,
    ) -> Result<T, secrets::Error> {
        self.step(step, || Ok(())).map_err(|error| {
            let place = path.display().to_string();
            secrets::Error::new(secrets::ErrorKind::Unreadable, place).with_source(error)
        })?;
        work()
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "a test has something to say here")]
    fn before(&self, _: Step) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn before(&self, step: Step) -> io::Result<()> {
        self.faults.as_ref().map_or(Ok(()), |faults| faults.before(step))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "a test has something to say here")]
    fn at_once(&self, bytes: usize) -> usize {
        bytes
    }

    #[cfg(test)]
    fn at_once(&self, bytes: usize) -> usize {
        self.faults.as_ref().map_or(bytes, |faults| faults.written(bytes).clamp(1, bytes))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "a test has something to say here")]
    fn really<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        work()
    }

    /// A disk that fails when told is not waited for: thousands of syncs would take minutes.
    #[cfg(test)]
    fn really(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.faults.is_some() { Ok(()) } else { work() }
    }
}

/// How every file is opened: for its owner alone, and never through a link.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    options
}
