//! Whether others can get at what is kept on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use claude_sdk::{
    profile::Profiles,
    secrets::{check_folder, providers::Env},
};

use super::Finding;
use crate::console::one_line;

const FILES: &str = "files";

/// The folder of the profiles with what is in it, and with `fix` its modes set right.
pub(super) fn look(env: &Env, fix: bool) -> Vec<Finding> {
    let folder = match Profiles::of(env) {
        Ok(profiles) => profiles.path().to_owned(),
        Err(error) => return vec![Finding::skipped(FILES, one_line(&error.into()))],
    };
    if !folder.exists() {
        return vec![Finding::ok(FILES, format!("nothing is kept in {}", folder.display()))];
    }
    let mut open = Vec::new();
    if let Err(error) = walk(&folder, 0, &mut open) {
        let next = "check that the folder is yours";
        return vec![Finding::problem(FILES, format!("{} cannot be read: {error}", folder.display()), next)];
    }
    // The folders above count too: who may rename one of them decides what lies in this one.
    if open.is_empty()
        && let Err(error) = check_folder(&folder)
    {
        let next = "do what is said here, or set ANTHROPIC_CONFIG_DIR to a folder that only you can change";
        return vec![Finding::problem(FILES, one_line(&error.into()), next)];
    }
    if open.is_empty() {
        return vec![Finding::ok(FILES, format!("only you can get at {}", folder.display()))];
    }
    open.into_iter().map(|(path, mode, right)| told(&path, mode, right, fix)).collect()
}

fn told(path: &Path, mode: u32, right: u32, fix: bool) -> Finding {
    let evidence = format!("others can get at {} (mode {mode:o})", path.display());
    if !fix {
        return Finding::problem(
            FILES,
            evidence,
            format!("chmod {right:o} {}, or run this with --fix", path.display()),
        );
    }
    match close(path, right) {
        Ok(()) => Finding::warning(
            FILES,
            format!("others could get at {} (mode {mode:o}); it has mode {right:o} now", path.display()),
            "if others use this machine, log in again and make new keys: they may have read it",
        ),
        Err(error) => {
            Finding::problem(FILES, format!("{evidence}, and it cannot be changed: {error}"), "ask its owner")
        }
    }
}

/// Files and folders with a mode that lets others do what they must not: read a credential, or change anything. With each the
/// mode that it is, and the one that it should be. What a link leads to is not followed.
#[cfg(unix)]
fn walk(folder: &Path, depth: u8, open: &mut Vec<(PathBuf, u32, u32)>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    const DEEPEST: u8 = 3;
    let mut look = |path: &Path, most: u32| -> std::io::Result<()> {
        let mode = fs::symlink_metadata(path)?.permissions().mode() & 0o777;
        if mode & !most != 0 {
            open.push((path.to_owned(), mode, mode & most));
        }
        Ok(())
    };
    let file = if folder.ends_with("credentials") { 0o700 } else { 0o755 };
    look(folder, 0o755)?;
    let mut below = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => below.push(entry.path()),
            kind if kind.is_file() => look(&entry.path(), file)?,
            _ => {}
        }
    }
    if depth < DEEPEST {
        below.iter().try_for_each(|path| walk(path, depth + 1, open))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn walk(_: &Path, _: u8, _: &mut Vec<(PathBuf, u32, u32)>) -> std::io::Result<()> {
    Ok(())
}

/// Sets a mode on what was looked at, and not on what a link put in its place leads to.
#[cfg(unix)]
fn close(path: &Path, mode: u32) -> std::io::Result<()> {
    use rustix::fs::{Mode, OFlags, fchmod, open};

    let file =
        open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    Ok(fchmod(&file, Mode::from_raw_mode(mode))?)
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}
