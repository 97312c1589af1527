//! Modes that let others do what they must not.

use std::{io, path::Path};

use super::{
    FILES,
    by_hand::{as_root, by_hand},
};
use crate::doctor::Finding;

/// What others can do with what is at a path; with `fix` they cannot any more.
pub(super) fn told(path: &Path, mode: u32, right: u32, fix: bool) -> Finding {
    let (deeds, consequence) = excess(mode & !right);
    let evidence = format!("others can {deeds} {} (mode {mode:o})", path.display());
    if !fix {
        return Finding::problem(FILES, evidence, by_hand(&format!("chmod {right:o}"), path));
    }
    match close(path, right) {
        Ok(()) => Finding::warning(
            FILES,
            format!("others could {deeds} {}: its mode was {mode:o}, and is {right:o} now", path.display()),
            consequence,
        ),
        Err(error) => {
            let next = as_root("do it", &format!("chmod {right:o}"), path);
            Finding::problem(FILES, format!("{evidence}, and it cannot be changed: {error}"), next)
        }
    }
}

/// What these bits of a mode let others do, and what it takes once they could.
fn excess(bits: u32) -> (&'static str, &'static str) {
    let may_be_read = "if others use this machine, log in again and make new keys: they may have read it";
    let may_be_changed = "if others use this machine, see whether it is still as you left it";
    match (bits & 0o044 != 0, bits & 0o022 != 0) {
        (true, true) => ("read and change", may_be_read),
        (true, false) => ("read", may_be_read),
        (false, true) => ("change", may_be_changed),
        (false, false) => ("run", may_be_changed),
    }
}

/// Sets a mode on what was looked at, and not on what a link put in its place leads to.
#[cfg(unix)]
fn close(path: &Path, mode: u32) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, fchmod, open};

    let file =
        open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    Ok(fchmod(&file, Mode::from_raw_mode(mode))?)
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_do_is_told_by_the_bits_that_are_too_many() {
        for (mode, right, evidence) in [
            (0o644, 0o600, "others can read /k (mode 644)"),
            (0o666, 0o600, "others can read and change /k (mode 666)"),
            (0o777, 0o755, "others can change /k (mode 777)"),
            (0o711, 0o700, "others can run /k (mode 711)"),
        ] {
            assert_eq!(told(Path::new("/k"), mode, right, false).evidence, evidence);
        }
    }
}
