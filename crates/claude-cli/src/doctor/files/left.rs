//! What programs that died have left.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use claude_sdk::transport::{Clock as _, SystemClock};

use super::{
    ENTRIES, FILES,
    by_hand::{as_root, by_hand},
};
use crate::doctor::Finding;

/// After how long nobody is writing a file any more, and how many are told of at most.
const FORGOTTEN: Duration = Duration::from_mins(10);
const MOST: usize = 20;

/// Files that were being written when their writer died. Locks need no such look: the system gives them back.
#[cfg(unix)]
pub(super) fn left_over(folder: &Path) -> Vec<PathBuf> {
    use rustix::fs::{FlockOperation, flock};

    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_left = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let metadata = fs::symlink_metadata(path);
        let is_old = metadata.is_ok_and(|metadata| {
            let age = metadata.modified().ok().and_then(|at| SystemClock.now().duration_since(at).ok());
            metadata.is_file() && age.is_some_and(|age| age > FORGOTTEN)
        });
        // Whoever writes one holds a lock on it.
        let is_free = || {
            fs::File::open(path)
                .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok())
        };
        name.starts_with('.') && name.ends_with(".tmp") && is_old && is_free()
    };
    entries.take(ENTRIES).filter_map(|entry| Some(entry.ok()?.path())).filter(is_left).take(MOST).collect()
}

#[cfg(not(unix))]
pub(super) fn left_over(_: &Path) -> Vec<PathBuf> {
    Vec::new()
}

/// What is told of one; with `fix` it is removed.
pub(super) fn cleaned(path: &Path, fix: bool) -> Finding {
    let evidence = format!("{} was left by a program that died while it wrote", path.display());
    if !fix {
        return Finding::warning(FILES, evidence, by_hand("rm", path));
    }
    match fs::remove_file(path) {
        Ok(()) => Finding::ok(FILES, format!("{evidence}; it is removed")),
        Err(error) => {
            let next = as_root("remove it", "rm", path);
            Finding::warning(FILES, format!("{evidence}, and cannot be removed: {error}"), next)
        }
    }
}
