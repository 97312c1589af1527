//! A look at the modes of what is in a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use claude_sdk::transport::{Clock as _, SystemClock};

use super::ENTRIES;

/// A look at files and folders with a mode that lets others do what they must not: read a credential, or change anything. It ends
/// after so many entries, or so long: a folder may hold anything, and be a link to `/`.
pub(super) struct Walk {
    /// With each the mode that it is, and the one that it should be.
    pub(super) open: Vec<(PathBuf, u32, u32)>,
    left: usize,
    until: SystemTime,
    /// Whether something was not looked at for that.
    pub(super) is_cut: bool,
}

impl Walk {
    pub(super) fn until(until: SystemTime) -> Self {
        Self { open: Vec::new(), left: ENTRIES, until, is_cut: false }
    }

    /// Looks at the folder and what is in it, first at what profiles keep there. What a link in it leads to is not followed.
    #[cfg(unix)]
    pub(super) fn over(&mut self, folder: &Path) -> io::Result<()> {
        self.look(folder, 0o755)?;
        let kept = ["credentials", "configs"].map(|name| folder.join(name));
        let is_folder = |path: &&PathBuf| fs::symlink_metadata(path).is_ok_and(|one| one.is_dir());
        for path in kept.iter().filter(is_folder) {
            self.within(path, 1, &[])?;
        }
        self.within(folder, 0, &kept)
    }

    #[cfg(not(unix))]
    pub(super) fn over(&mut self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    /// A folder's files, and then its folders but for those that were seen before.
    #[cfg(unix)]
    fn within(&mut self, folder: &Path, depth: u8, seen: &[PathBuf]) -> io::Result<()> {
        const DEEPEST: u8 = 3;
        let file = if folder.ends_with("credentials") { 0o700 } else { 0o755 };
        if depth > 0 {
            self.look(folder, 0o755)?;
        }
        let mut below = Vec::new();
        for entry in fs::read_dir(folder)? {
            if !self.goes_on() {
                return Ok(());
            }
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => below.push(entry.path()),
                kind if kind.is_file() => self.look(&entry.path(), file)?,
                _ => {}
            }
        }
        let deeper = below.iter().filter(|path| depth < DEEPEST && !seen.contains(path));
        for path in deeper {
            if self.is_cut {
                break;
            }
            self.within(path, depth + 1, &[])?;
        }
        Ok(())
    }

    /// Whether one more may be looked at.
    #[cfg(unix)]
    fn goes_on(&mut self) -> bool {
        self.is_cut = self.is_cut || self.left == 0 || SystemClock.now() > self.until;
        self.left = self.left.saturating_sub(1);
        !self.is_cut
    }

    #[cfg(unix)]
    fn look(&mut self, path: &Path, most: u32) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = fs::symlink_metadata(path)?.permissions().mode() & 0o777;
        if mode & !most != 0 {
            self.open.push((path.to_owned(), mode, mode & most));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_look_ends_when_its_time_is_over_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let is_cut = |until| {
            let mut walk = Walk::until(until);
            walk.over(folder.path()).unwrap();
            walk.is_cut
        };
        assert!(is_cut(SystemTime::UNIX_EPOCH));
        assert!(!is_cut(SystemClock.now() + Duration::from_secs(3_600)));
    }
}
