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

fn check(owner: u32, mode: u32, user: u32, too_much: u32) -> Result<(), ErrorKind> {
    if owner != user && owner != 0 {
        return Err(ErrorKind::ForeignOwner);
    }
    if mode & too_much != 0 {
        return Err(ErrorKind::OpenToOthers);
    }
    Ok(())
}

/// The user whom this process acts for: a pipe that it makes is theirs. The call that tells it directly is not safe code
/// without a crate that takes as long to build as this one (`docs/decisions/0015-weight.md`).
fn user() -> io::Result<u32> {
    let (pipe, _) = io::pipe()?;
    Ok(fs::File::from(OwnedFd::from(pipe)).metadata()?.uid())
}

/// Tells whether nothing was written, and the file is still where it was: a new one in its place moves its times too.
pub(super) fn is_same(before: &fs::Metadata, after: &fs::Metadata) -> bool {
    let state = |now: &fs::Metadata| {
        (now.len(), now.mtime(), now.mtime_nsec(), now.ctime(), now.ctime_nsec(), now.nlink())
    };
    state(before) == state(after)
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
        check_folder(metadata.uid(), metadata.mode(), user, is_link).map_err(|kind| refused(&here, kind))?;
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
