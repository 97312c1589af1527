//! Small files that are replaced whole.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use crate::{entropy, error::ProfileError};

/// The largest file that is read here, in bytes.
const LARGEST: usize = 1024 * 1024;

/// A file that its owner alone may change, or put another in the place of; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ProfileError> {
    let Some(bytes) = secrets::read_unshared(path, LARGEST)? else { return Ok(None) };
    secrets::check_folder(folder_of(path))?;
    Ok(Some(bytes.to_vec()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Nobody else writes into the folder while this is held: of two who change something, the second sees what the first has done.
pub(super) struct Lock(#[expect(dead_code, reason = "held until it is dropped")] fs::File);

/// Waits for whoever writes into the folder now; they write a small file or two.
#[inline]
pub(super) fn lock(folder: &Path) -> Result<Lock, ProfileError> {
    make(folder)?;
    let locked = || {
        let file = openable(folder)?;
        file.lock()?;
        Ok(Lock(file))
    };
    locked().map_err(|source| ProfileError::io("locking", folder, &source))
}

/// The folder itself, which needs no file beside it.
#[cfg(unix)]
fn openable(folder: &Path) -> io::Result<fs::File> {
    fs::File::open(folder)
}

#[cfg(not(unix))]
fn openable(folder: &Path) -> io::Result<fs::File> {
    fs::File::options().create(true).append(true).open(folder.join(".profiles.lock"))
}

/// Makes the folder, and those above it, where they are missing, with mode 700.
fn make(folder: &Path) -> Result<(), ProfileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| ProfileError::io("making", folder, &source))
}

/// Old or new, never torn, never empty: write beside, sync, rename, sync the folder. It is made with mode 600.
#[inline]
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ProfileError> {
    let folder = folder_of(path);
    make(folder)?;
    secrets::check_folder(folder)?;
    let replaced = || {
        let draft = folder.join(format!(".profile-{:016x}.tmp", entropy::seed().map_err(io::Error::other)?));
        let mut file = new(&draft)?;
        let put =
            file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&draft, path));
        if put.is_err() {
            // What it says would be nobody's.
            drop(fs::remove_file(&draft));
        }
        put?;
        sync(folder)
    };
    replaced().map_err(|source| ProfileError::io("writing", path, &source))
}

/// Makes a file that was not there, for its owner alone.
fn new(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gone for good; it is no error where there is none. A link is removed, not followed.
#[inline]
pub(super) fn remove(path: &Path) -> Result<(), ProfileError> {
    let removed = || match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync(folder_of(path)),
    };
    removed().map_err(|source| ProfileError::io("removing", path, &source))
}

#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "a folder can be synced on Unix only")]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
