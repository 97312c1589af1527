//! Who keeps a history: one monitor at a time, by a lock on a file beside it. A second one would take the first one's alarms for
//! its own, and tell them again or call them resolved.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process,
};

use anyhow::bail;

/// What the file's name has at its end; the system gives the lock back when its owner dies, so the file may stay.
const BESIDE: &str = "-monitor.lock";

/// Held as long as the history is kept.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Takes the history, which is there unless the disk is full. What cannot be locked is kept all the same: a monitor is not to
    /// fail for that.
    pub(super) fn take(history: &Path) -> anyhow::Result<Self> {
        // By whatever links one comes there.
        let real = fs::canonicalize(history).unwrap_or_else(|_| history.to_owned());
        let mut path = real.into_os_string();
        path.push(BESIDE);
        let Ok(mut file) = open(&PathBuf::from(path)) else { return Ok(Self { _file: None }) };
        match file.try_lock() {
            Ok(()) => {
                // It only helps the next one to say who it is.
                let _ = sign(&mut file);
                Ok(Self { _file: Some(file) })
            }
            Err(TryLockError::Error(_)) => Ok(Self { _file: None }),
            Err(TryLockError::WouldBlock) => {
                let (who, how) = match owner(&mut file) {
                    Some(process) => (format!(" (process {process})"), format!(": kill {process}")),
                    None => (String::new(), String::new()),
                };
                bail!(
                    "another monitor{who} keeps the history {} and tells its alerts; give this one a history of its own with \
                     --history, or stop the other one{how}",
                    history.display()
                )
            }
        }
    }
}

/// Refuses a file that has another name too: a lock beside that one keeps nobody from this one, and what `SQLite` writes beside a file
/// to mend it after a crash is not found by another name.
#[cfg(unix)]
pub(super) fn refuse_another_name(history: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    if fs::metadata(history).is_ok_and(|file| file.is_file() && file.nlink() > 1) {
        let shown = history.display();
        bail!(
            "the history {shown} has another name too (a hard link), by which another monitor could keep it and a crash damage it; \
             remove the other name (`find / -xdev -samefile {shown}` lists both), or give another place with --history"
        );
    }
    if history.is_file() && is_mounted(history) {
        bail!(
            "the history {} is mounted by itself (a bind mount, `docker run -v FILE:FILE`), so another monitor could keep it by its other \
             name and a crash damage it; mount the folder that it is in, or give another place with --history",
            history.display()
        );
    }
    Ok(())
}

/// Whether something is mounted here itself, and not only on a folder above.
#[cfg(target_os = "linux")]
fn is_mounted(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::empty());
    found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_mounted(_: &Path) -> bool {
    false
}

#[cfg(not(unix))]
pub(super) fn refuse_another_name(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

/// Only ever a file that lies there itself, for what a link leads to may be anything.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", process::id())
}

fn owner(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_has_one_keeper_at_a_time_who_is_named_to_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        fs::write(&path, "").unwrap();
        let first = Lock::take(&path).unwrap();
        let refusal = Lock::take(&path).unwrap_err().to_string();
        let told =
            format!("another monitor (process {}) keeps the history {}", process::id(), path.display());
        assert!(refusal.starts_with(&told) && refusal.contains("--history"), "{refusal}");
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            Lock::take(&link).unwrap_err();
        }
        Lock::take(&folder.path().join("other")).unwrap();
        drop(first);
        Lock::take(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_history_of_two_names_is_refused_by_both_and_one_by_a_link_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other, link] = ["history", "other", "link"].map(|name| folder.path().join(name));
        refuse_another_name(&path).unwrap();
        fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        [&path, &link].into_iter().for_each(|path| refuse_another_name(path).unwrap());
        fs::hard_link(&path, &other).unwrap();
        for path in [&path, &other, &link] {
            let told = refuse_another_name(path).unwrap_err().to_string();
            let name = format!("the history {} has another name too", path.display());
            assert!(told.starts_with(&name) && told.contains("; remove the other name"), "{told}");
        }
        fs::remove_file(&other).unwrap();
        refuse_another_name(&path).unwrap();
        refuse_another_name(folder.path()).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_mounted_by_itself_is_known_and_what_lies_in_it_is_not_taken_for_that() {
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert!(!is_mounted(Path::new("/nowhere/at/all")));
        // Whatever else is wrong with a folder, that is not.
        refuse_another_name(Path::new("/proc")).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_in_the_lock_s_place_leads_to_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (path, diary) = (folder.path().join("history"), folder.path().join("diary"));
        fs::write(&diary, "dear diary").unwrap();
        std::os::unix::fs::symlink(&diary, folder.path().join(format!("history{BESIDE}"))).unwrap();
        Lock::take(&path).unwrap();
        assert_eq!(fs::read_to_string(diary).unwrap(), "dear diary");
    }
}
