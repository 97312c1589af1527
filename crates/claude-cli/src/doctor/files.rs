//! Whether others can get at what is kept on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use claude_sdk::{
    profile::Profiles,
    secrets::{check_folder, providers::Env},
    transport::{Clock as _, SystemClock},
};

use super::{Finding, network::PATIENCE};
use crate::{
    console::{has_secrets, plain},
    failure::parts,
};

pub(super) const FILES: &str = "files";
/// After how long nobody is writing a file any more, and how many are told of at most.
const FORGOTTEN: Duration = Duration::from_mins(10);
const MOST: usize = 20;
/// How many entries are looked at.
const ENTRIES: usize = 2_000;
/// Why there is no command.
const UNSHOWN: &str = "its name cannot be shown, and so no command for it";

/// The folder of the profiles with what is in it, and with `fix` its modes set right.
pub(super) fn look(env: &Env, fix: bool) -> Vec<Finding> {
    let folder = match Profiles::of(env) {
        Ok(profiles) => profiles.path().to_owned(),
        Err(error) => {
            let next = "set HOME, or ANTHROPIC_CONFIG_DIR, if there is to be a profile";
            return vec![Finding::skipped(FILES, parts(&error.into(), None).0, next)];
        }
    };
    if !folder.exists() {
        return vec![Finding::ok(FILES, format!("nothing is kept in {}", folder.display()))];
    }
    // A link's own mode says nothing; what the folder's link leads to is what counts.
    let real = if folder.is_symlink() { fs::canonicalize(&folder).ok() } else { None };
    let mut walk = Walk::until(SystemClock.now() + PATIENCE);
    if let Err(error) = walk.over(real.as_ref().unwrap_or(&folder)) {
        let next = match (error.kind(), in_a_shell(&folder)) {
            (io::ErrorKind::NotADirectory, Some(quoted)) => {
                format!("it is no folder: move it away, `mv {quoted} {quoted}.old`; a login makes the folder")
            }
            (io::ErrorKind::NotADirectory, None) => format!("it is no folder: move it away; {UNSHOWN}"),
            (_, Some(quoted)) => format!(
                "see whose it is, `ls -ld {quoted}`, and give it back: `sudo chown -R \"$USER\" {quoted}`"
            ),
            (_, None) => format!("see whose it is, and give it back to you; {UNSHOWN}"),
        };
        return vec![Finding::problem(FILES, format!("{} cannot be read: {error}", folder.display()), next)];
    }
    let mut findings: Vec<_> =
        walk.open.iter().map(|(path, mode, right)| told(path, *mode, *right, fix)).collect();
    // The folders above count too: who may rename one of them decides what lies in this one.
    if findings.is_empty()
        && let Err(error) = check_folder(&folder)
    {
        let next = "do that, or set ANTHROPIC_CONFIG_DIR to a folder that only you can change";
        findings.push(Finding::failed(FILES, &error.into(), next));
    }
    if findings.is_empty() {
        let whole = if walk.is_cut { "the part that was looked at of " } else { "" };
        findings.push(Finding::ok(
            FILES,
            format!("nobody else can read a credential or change anything in {whole}{}", folder.display()),
        ));
    }
    if walk.is_cut {
        let evidence = format!(
            "{} holds more than {ENTRIES} entries, or takes longer than {} s to read: of `credentials`, of `configs` and then of the \
             rest, only the first were looked at",
            folder.display(),
            PATIENCE.as_secs()
        );
        let next =
            "move out of it what belongs to no profile, or set ANTHROPIC_CONFIG_DIR to a folder of its own";
        findings.push(Finding::skipped(FILES, evidence, next));
    }
    let left = [folder.join("credentials"), folder.join("configs"), folder]
        .iter()
        .flat_map(|folder| left_over(folder))
        .collect::<Vec<_>>();
    findings.extend(left.iter().map(|path| cleaned(path, fix)));
    findings
}

/// Files that were being written when their writer died. Locks need no such look: the system gives them back.
#[cfg(unix)]
fn left_over(folder: &Path) -> Vec<PathBuf> {
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
fn left_over(_: &Path) -> Vec<PathBuf> {
    Vec::new()
}

fn cleaned(path: &Path, fix: bool) -> Finding {
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

fn told(path: &Path, mode: u32, right: u32, fix: bool) -> Finding {
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

fn by_hand(command: &str, path: &Path) -> String {
    match in_a_shell(path) {
        Some(quoted) => format!("{command} {quoted}, or run this with --fix"),
        None => format!("run this with --fix: {UNSHOWN}"),
    }
}

fn as_root(deed: &str, command: &str, path: &Path) -> String {
    match in_a_shell(path) {
        Some(quoted) => format!("have its owner {deed}, or do so as root: `sudo {command} {quoted}`"),
        None => format!("have its owner {deed}, or do so as root; {UNSHOWN}"),
    }
}

/// The path as a shell takes it for one word and no command for an option, whatever is in it: somebody else may have named the
/// file. Nothing, where what is shown would be another name.
fn in_a_shell(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| plain(text) == *text && !has_secrets(text))?;
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@%,:".contains(c);
    Some(if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) })
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

/// A look at files and folders with a mode that lets others do what they must not: read a credential, or change anything. It ends
/// after so many entries, or so long: a folder may hold anything, and be a link to `/`.
struct Walk {
    /// With each the mode that it is, and the one that it should be.
    open: Vec<(PathBuf, u32, u32)>,
    left: usize,
    until: SystemTime,
    /// Whether something was not looked at for that.
    is_cut: bool,
}

impl Walk {
    fn until(until: SystemTime) -> Self {
        Self { open: Vec::new(), left: ENTRIES, until, is_cut: false }
    }

    /// Looks at the folder and what is in it, first at what profiles keep there. What a link in it leads to is not followed.
    #[cfg(unix)]
    fn over(&mut self, folder: &Path) -> io::Result<()> {
        self.look(folder, 0o755)?;
        let kept = ["credentials", "configs"].map(|name| folder.join(name));
        let is_folder = |path: &&PathBuf| fs::symlink_metadata(path).is_ok_and(|one| one.is_dir());
        for path in kept.iter().filter(is_folder) {
            self.within(path, 1, &[])?;
        }
        self.within(folder, 0, &kept)
    }

    #[cfg(not(unix))]
    fn over(&mut self, _: &Path) -> io::Result<()> {
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

    #[test]
    fn what_others_can_do_is_told_by_the_bits_that_are_too_many() {
        for (mode, right, told) in [
            (0o644, 0o600, "others can read /k (mode 644)"),
            (0o666, 0o600, "others can read and change /k (mode 666)"),
            (0o777, 0o755, "others can change /k (mode 777)"),
            (0o711, 0o700, "others can run /k (mode 711)"),
        ] {
            assert_eq!(super::told(Path::new("/k"), mode, right, false).evidence, told);
        }
    }

    #[test]
    fn a_name_that_somebody_else_gave_a_file_is_one_word_of_the_command_that_is_told() {
        let next = |name: &str| told(Path::new(name), 0o644, 0o600, false).next_step.unwrap();
        assert_eq!(next("/k"), "chmod 600 /k, or run this with --fix");
        assert_eq!(next("/k;rm -r $HOME"), "chmod 600 '/k;rm -r $HOME', or run this with --fix");
        assert_eq!(next("/it's"), r"chmod 600 '/it'\''s', or run this with --fix");
        assert_eq!(next("-x/k"), "chmod 600 ./-x/k, or run this with --fix");
        assert_eq!(next("-x y"), "chmod 600 './-x y', or run this with --fix");
        let next = cleaned(Path::new("/.`id`.tmp"), false).next_step.unwrap();
        assert_eq!(next, "rm '/.`id`.tmp', or run this with --fix");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_shown_as_another_is_in_no_command() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

        let key = format!("/sk-ant-api03-{}", "A1b2C3d4".repeat(12));
        for name in [b"/a\nb".as_slice(), b"/\x1b[2J", "/\u{202e}k".as_bytes(), b"/caf\xe9", key.as_bytes()] {
            let path = Path::new(OsStr::from_bytes(name));
            for next in [told(path, 0o644, 0o600, false), cleaned(path, false)].map(|one| one.next_step) {
                assert_eq!(next.unwrap(), format!("run this with --fix: {UNSHOWN}"));
            }
            // There is no such file.
            for next in [told(path, 0o644, 0o600, true), cleaned(path, true)].map(|one| one.next_step) {
                let next = next.unwrap();
                assert!(next.ends_with(&format!("or do so as root; {UNSHOWN}")), "{next}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_in_the_place_of_the_folder_is_to_be_moved_away() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().as_os_str().to_owned();
        let env =
            Env::new(std::sync::Arc::new(move |name| (name == "ANTHROPIC_CONFIG_DIR").then(|| path.clone())));
        let found = look(&env, false);
        let [Finding { next_step: Some(next), .. }] = &found[..] else { panic!("{found:?}") };
        assert!(next.starts_with("it is no folder: move it away, `mv "), "{next}");
    }
}
