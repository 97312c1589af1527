//! Reading a file that nobody else can read, or that a platform mounts.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::Path,
};

use secrecy::zeroize::Zeroizing;

use crate::{Error, ErrorKind};

#[cfg(not(unix))]
mod elsewhere;
mod shown;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use elsewhere as system;
pub use shown::shown_path;
pub(crate) use shown::{looks_like_a_path, quoted};
#[cfg(unix)]
use unix as system;

/// Reads a file that holds something secret, at most `largest` bytes of it; `None` where there is no file.
///
/// It is opened without following a link at its last step and without waiting (so a pipe cannot hang the caller), and
/// what is checked is the open file, so it cannot be swapped in between. It has to be a regular file, without any
/// right for group and others and without a second name, that belongs to the user of this process or to root. Where the
/// system is not a Unix, mode, names and owner are **not** checked.
///
/// A file that is written or replaced while it is read is read again, so that what comes is one version of it.
///
/// The file is read on the calling thread: it is small, and a local disk answers at once.
///
/// # Errors
///
/// [`ErrorKind::NotARegularFile`], [`ErrorKind::OpenToOthers`], [`ErrorKind::ForeignOwner`], [`ErrorKind::Linked`],
/// [`ErrorKind::TooLarge`] or [`ErrorKind::Unreadable`], with the path as its place; [`ErrorKind::Unavailable`] where it
/// is written again and again.
pub fn read_private(path: &Path, largest: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    read(path, largest, Kept::Private)
}

/// Reads a file that decides something but holds no secret: as [`read_private`], but the group and others may read it too.
///
/// # Errors
///
/// As [`read_private`].
pub fn read_unshared(path: &Path, largest: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    read(path, largest, Kept::Readable)
}

/// Checks an open file as [`read_private`] does before it reads: one that is opened for writing, or to be locked.
///
/// # Errors
///
/// As [`read_private`].
pub fn check_private(file: &File, path: &Path) -> Result<(), Error> {
    let refused = |kind| Error::new(kind, quoted(path));
    let unreadable = |error: io::Error| refused(ErrorKind::Unreadable).with_source(error);
    let metadata = file.metadata().map_err(unreadable)?;
    check(&metadata, Kept::Private).map_err(unreadable)?.map_err(refused)
}

/// Checks that nobody else can put another file in the place of one in `folder`: it and every folder above it, and each link
/// on the way, belong to the user of this process or to root, and are not writable by group or others, unless what is in
/// them can be removed by its owners only (as in `/tmp`). What does not exist is right. Where the system is not a Unix,
/// nothing is checked.
///
/// # Errors
///
/// [`ErrorKind::OpenFolder`] or [`ErrorKind::ForeignOwner`], with the folder that is wrong as its place, or
/// [`ErrorKind::Unreadable`].
pub fn check_folder(folder: &Path) -> Result<(), Error> {
    system::check_way(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// Reads a file that a platform mounts and replaces, as Kubernetes does with a service account's token.
///
/// As [`read_private`], but a link is followed, for that is how such a file is replaced, and owner and readers are the
/// platform's business. Only a right to *write* it, for group or others, is refused. A link that leads nowhere is
/// [`ErrorKind::Unavailable`], for what is mounted there is being replaced or broken.
pub(crate) fn read_mounted(path: &Path, largest: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    read(path, largest, Kept::Mounted)
}

/// Who keeps a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    /// The user, for this program only.
    Private,
    /// The user, for all to read.
    Readable,
    /// The platform, for whoever runs here.
    Mounted,
}

fn read(path: &Path, largest: usize, kept: Kept) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let refused = |kind| Error::new(kind, shown_path(path));
    let unreadable = |error: io::Error| refused(ErrorKind::Unreadable).with_source(error);

    for _ in 0..TRIES {
        let mut file = match system::open(path, kept) {
            Ok(file) => file,
            // What its link led to a moment ago was replaced and removed.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && kept == Kept::Mounted && is_link(path) =>
            {
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if system::is_a_link(&error) => {
                let why = "it is a link, and links are not followed; `mount:` follows those of a platform";
                return Err(refused(ErrorKind::NotARegularFile).with_source(io::Error::other(why)));
            }
            Err(error) if system::is_not_a_file(&error) => return Err(refused(ErrorKind::NotARegularFile)),
            Err(error) => return Err(unreadable(error)),
        };
        let before = file.metadata().map_err(unreadable)?;
        check(&before, kept).map_err(unreadable)?.map_err(refused)?;
        if before.len() > largest as u64 {
            return Err(refused(ErrorKind::TooLarge));
        }
        // The whole room at once: a buffer that grows would leave pieces of the secret behind.
        let mut raw = Zeroizing::new(Vec::with_capacity(largest.min(ROOM) + 1));
        (&mut file).take(largest as u64 + 1).read_to_end(&mut raw).map_err(unreadable)?;
        if raw.len() > largest {
            return Err(refused(ErrorKind::TooLarge));
        }
        if system::is_same(&before, &file.metadata().map_err(unreadable)?) {
            return Ok(Some(raw));
        }
    }
    Err(refused(ErrorKind::Unavailable))
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

fn check(metadata: &Metadata, kept: Kept) -> io::Result<Result<(), ErrorKind>> {
    if !metadata.is_file() {
        return Ok(Err(ErrorKind::NotARegularFile));
    }
    system::check_rights(metadata, kept)
}

/// How often a file that changes under the reader is read.
const TRIES: usize = 5;
/// The room that is made before reading, in bytes: more than any real secret needs.
const ROOM: usize = 64 * 1024;
