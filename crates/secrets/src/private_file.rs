//! Reading a file that nobody else can read, or that a platform mounts.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

use secrecy::zeroize::Zeroizing;

use crate::{Error, ErrorKind};

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

/// The path as an error may show it: what is nothing like a path and leads nowhere is not shown, for somebody may have put a
/// secret where its path belongs.
#[must_use]
pub fn shown_path(path: &Path) -> String {
    if looks_like_a_path(path) { quoted(path) } else { "[not shown]".to_owned() }
}

/// It begins with a dot or with `~`, or with what is there, or is a whole path from the root through a folder.
pub(crate) fn looks_like_a_path(path: &Path) -> bool {
    let mut begin = PathBuf::new();
    let mut parts = path.components();
    for part in parts.by_ref() {
        begin.push(part);
        match part {
            Component::CurDir | Component::ParentDir => return true,
            Component::Normal(name) if name == "~" => return true,
            Component::Normal(_) => break,
            Component::Prefix(_) | Component::RootDir => {}
        }
    }
    begin.symlink_metadata().is_ok() || (path.is_absolute() && parts.next().is_some())
}

/// The path as a shell and a terminal may safely see it.
pub(crate) fn quoted(path: &Path) -> String {
    let path: String = path.to_string_lossy().chars().flat_map(printable).collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    if !path.is_empty() && !path.starts_with('-') && path.bytes().all(is_plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

fn printable(char: char) -> impl Iterator<Item = char> {
    let shown = if char.is_control() { '\u{fffd}' } else { char };
    std::iter::once(shown)
}

#[cfg(unix)]
mod system {
    //! What Unix can check.

    use std::{
        ffi::OsString,
        fs, io,
        os::{
            fd::OwnedFd,
            unix::fs::{MetadataExt as _, OpenOptionsExt as _},
        },
        path::{self, Path, PathBuf},
    };

    use libc::{ELOOP, EMLINK, ENXIO, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK};

    use super::{Kept, quoted};
    use crate::{Error, ErrorKind};

    const GROUP_AND_OTHERS: u32 = 0o077;
    const WRITTEN_BY_THEM: u32 = 0o022;
    const STICKY: u32 = 0o1000;

    pub(super) fn open(path: &Path, kept: Kept) -> io::Result<fs::File> {
        let follow = if kept == Kept::Mounted { 0 } else { O_NOFOLLOW };
        fs::OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY | follow).open(path)
    }

    /// A link is found out by opening (`ELOOP`, elsewhere `EMLINK`).
    pub(super) fn is_a_link(error: &io::Error) -> bool {
        [Some(ELOOP), Some(EMLINK)].contains(&error.raw_os_error())
    }

    /// So is a socket.
    pub(super) fn is_not_a_file(error: &io::Error) -> bool {
        error.raw_os_error() == Some(ENXIO)
    }

    /// The user whom this process acts for: a pipe that it makes is theirs. The call that tells it directly is not safe code
    /// without a crate that takes as long to build as this one (`docs/decisions/0015-weight.md`).
    fn user() -> io::Result<u32> {
        let (pipe, _) = io::pipe()?;
        Ok(fs::File::from(OwnedFd::from(pipe)).metadata()?.uid())
    }

    pub(super) fn check_rights(metadata: &fs::Metadata, kept: Kept) -> io::Result<Result<(), ErrorKind>> {
        let check = |too_much| Ok(check(metadata.uid(), metadata.mode(), user()?, too_much));
        match kept {
            // Another name may lie where others can reach it. None at all is a file that was replaced since.
            Kept::Private if metadata.nlink() > 1 => Ok(Err(ErrorKind::Linked)),
            Kept::Private => check(GROUP_AND_OTHERS),
            Kept::Readable => check(WRITTEN_BY_THEM),
            Kept::Mounted if metadata.mode() & WRITTEN_BY_THEM != 0 => Ok(Err(ErrorKind::OpenToOthers)),
            Kept::Mounted => Ok(Ok(())),
        }
    }

    /// From the root down, for whoever may rename one of the folders, or change a link, decides what is found there.
    pub(super) fn check_way(folder: &Path) -> Result<(), Error> {
        let refused = |path: &Path, kind| Error::new(kind, quoted(path));
        let unreadable = |path: &Path, error| refused(path, ErrorKind::Unreadable).with_source(error);
        let whole = path::absolute(folder).map_err(|error| unreadable(folder, error))?;
        let user = user().map_err(|error| unreadable(folder, error))?;
        let (mut here, mut left) = (PathBuf::new(), parts(&whole));
        for _ in 0..LONGEST_WAY {
            let Some(part) = left.pop() else { return Ok(()) };
            if part == ".." {
                here.pop();
                continue;
            }
            here.push(part);
            let metadata = match here.symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                found => found.map_err(|error| unreadable(&here, error))?,
            };
            let is_link = metadata.is_symlink();
            check_folder(metadata.uid(), metadata.mode(), user, is_link)
                .map_err(|kind| refused(&here, kind))?;
            if is_link {
                let target = fs::read_link(&here).map_err(|error| unreadable(&here, error))?;
                here.pop();
                left.extend(parts(&target));
            }
        }
        Err(unreadable(folder, io::Error::other("links lead on and on")))
    }

    /// The parts of a path, the last one first; an absolute one ends with the root.
    fn parts(path: &Path) -> Vec<OsString> {
        path.components().rev().map(|part| part.as_os_str().to_owned()).filter(|part| part != ".").collect()
    }

    /// The modes of links mean nothing.
    fn check_folder(owner: u32, mode: u32, user: u32, is_link: bool) -> Result<(), ErrorKind> {
        if owner != user && owner != 0 {
            return Err(ErrorKind::ForeignOwner);
        }
        let shared = mode & WRITTEN_BY_THEM != 0 && mode & STICKY == 0;
        if shared && !is_link { Err(ErrorKind::OpenFolder) } else { Ok(()) }
    }

    /// How many folders and links are looked at.
    const LONGEST_WAY: usize = 1000;

    /// Tells whether nothing was written, and the file is still where it was: a new one in its place moves its times too.
    pub(super) fn is_same(before: &fs::Metadata, after: &fs::Metadata) -> bool {
        let state = |now: &fs::Metadata| {
            (now.len(), now.mtime(), now.mtime_nsec(), now.ctime(), now.ctime_nsec(), now.nlink())
        };
        state(before) == state(after)
    }

    fn check(owner: u32, mode: u32, user: u32, too_much: u32) -> Result<(), ErrorKind> {
        if owner != user && owner != 0 {
            return Err(ErrorKind::ForeignOwner);
        }
        if mode & too_much != 0 {
            return Err(ErrorKind::OpenToOthers);
        }
        Ok(())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_user_is_the_one_whom_a_new_file_belongs_to() {
            let file = tempfile::tempfile().unwrap();
            assert_eq!(user().unwrap(), file.metadata().unwrap().uid());
        }

        #[test]
        fn only_the_user_and_root_may_own_the_file() {
            for too_much in [GROUP_AND_OTHERS, WRITTEN_BY_THEM] {
                assert_eq!(check(1000, 0o600, 1000, too_much), Ok(()));
                assert_eq!(check(0, 0o400, 1000, too_much), Ok(()));
                assert_eq!(check(1001, 0o600, 1000, too_much), Err(ErrorKind::ForeignOwner));
                assert_eq!(check(1000, 0o600, 0, too_much), Err(ErrorKind::ForeignOwner));
            }
        }

        #[test]
        fn any_right_of_the_group_or_of_others_is_too_much() {
            for bit in 0..6 {
                let judged = check(7, 0o100_600 | 1 << bit, 7, GROUP_AND_OTHERS);
                assert_eq!(judged, Err(ErrorKind::OpenToOthers), "bit {bit}");
            }
        }

        #[test]
        fn a_folder_of_somebody_else_is_as_bad_as_one_that_all_may_write() {
            for (owner, mode, is_link, judged) in [
                (7, 0o40_755, false, Ok(())),
                (0, 0o40_755, false, Ok(())),
                (0, 0o41_777, false, Ok(())),
                (8, 0o40_755, false, Err(ErrorKind::ForeignOwner)),
                (8, 0o41_777, false, Err(ErrorKind::ForeignOwner)),
                (7, 0o40_775, false, Err(ErrorKind::OpenFolder)),
                (0, 0o40_757, false, Err(ErrorKind::OpenFolder)),
                (7, 0o120_777, true, Ok(())),
                (8, 0o120_777, true, Err(ErrorKind::ForeignOwner)),
            ] {
                assert_eq!(check_folder(owner, mode, 7, is_link), judged, "{owner} {mode:o}");
            }
        }

        #[test]
        fn what_all_may_read_they_may_not_write() {
            assert_eq!(check(7, 0o100_644, 7, WRITTEN_BY_THEM), Ok(()));
            for bit in [0o020, 0o002] {
                let judged = check(7, 0o100_644 | bit, 7, WRITTEN_BY_THEM);
                assert_eq!(judged, Err(ErrorKind::OpenToOthers), "{bit:o}");
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    //! Elsewhere a link is recognised by its path, and rights are not checked.

    use std::{fs, io, path::Path};

    use super::Kept;
    use crate::{Error, ErrorKind};

    pub(super) fn open(path: &Path, kept: Kept) -> io::Result<fs::File> {
        if kept != Kept::Mounted && fs::symlink_metadata(path)?.is_symlink() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        fs::File::open(path)
    }

    pub(super) fn is_a_link(error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::InvalidInput
    }

    pub(super) fn is_not_a_file(_: &io::Error) -> bool {
        false
    }

    pub(super) fn check_rights(_: &fs::Metadata, _: Kept) -> io::Result<Result<(), ErrorKind>> {
        Ok(Ok(()))
    }

    pub(super) fn check_way(_: &Path) -> Result<(), Error> {
        Ok(())
    }

    pub(super) fn is_same(before: &fs::Metadata, after: &fs::Metadata) -> bool {
        before.len() == after.len() && before.modified().ok() == after.modified().ok()
    }
}
