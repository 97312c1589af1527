//! Small files that are replaced whole.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use crate::error::ProfileError;

/// The largest file that is read here, in bytes.
const LARGEST: usize = 1024 * 1024;

/// A file that its owner alone may change; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ProfileError> {
    Ok(secrets::read_unshared(path, LARGEST)?.map(|bytes| bytes.to_vec()))
}

/// Old or new, never torn, never empty: write beside, sync, rename, sync the folder. It is made with mode 600, the
/// folders above it, where they are missing, with 700.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ProfileError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| ProfileError::io("making", folder, &source))?;
    let replaced = || {
        let mut file = tempfile::Builder::new().prefix(".profile-").suffix(".tmp").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync(folder)
    };
    replaced().map_err(|source| ProfileError::io("writing", path, &source))
}

/// Gone for good; it is no error where there is none. A link is removed, not followed.
pub(super) fn remove(path: &Path) -> Result<(), ProfileError> {
    let removed = || match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync(path.parent().unwrap_or(Path::new("."))),
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
