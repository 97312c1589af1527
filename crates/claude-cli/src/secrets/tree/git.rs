//! Git, and what it is asked.

use std::{
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, bail};
use claude_sdk::secrets::ChildEnvironment;

use crate::console::plain;

/// Git, which runs nothing that the repository's own settings name.
pub(super) fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    git.env_clear().envs(ChildEnvironment::process().variables());
    git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
    // What is there is looked at, and not what the repository has put in its place.
    git.env("GIT_NO_REPLACE_OBJECTS", "1").stdin(Stdio::null());
    git.env("LC_ALL", "C"); // what it says is read here
    git
}

/// The files of a git work tree that git does not ignore.
pub(super) struct Listed {
    pub(super) files: Vec<PathBuf>,
    /// What git says of folders that it cannot read.
    pub(super) unread: Vec<String>,
}

/// What lies in a git work tree; `None` where there is none.
pub(super) fn listed(root: &Path) -> anyhow::Result<Option<Listed>> {
    let output = git(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).output();
    let Ok(output) = output else { return Ok(None) }; // no git on this machine
    if !output.status.success() {
        return Ok(None);
    }
    let files = output.stdout.split(|&byte| byte == 0).filter(|file| !file.is_empty());
    let mut files: Vec<PathBuf> = files.map(path_of).collect::<Result<_, _>>()?;
    files.dedup();
    let unread = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect();
    Ok(Some(Listed { files, unread }))
}

#[cfg(unix)]
pub(super) fn path_of(file: &[u8]) -> anyhow::Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(std::ffi::OsStr::from_bytes(file).into())
}

#[cfg(not(unix))]
pub(super) fn path_of(file: &[u8]) -> anyhow::Result<PathBuf> {
    Ok(std::str::from_utf8(file).context("a file's name is not UTF-8")?.into())
}

/// Why git does not look into a repository at all, where that is because of its owner.
pub(super) fn refusal(root: &Path) -> Option<anyhow::Error> {
    let output = git(root).args(["rev-parse", "--git-dir"]).output().ok()?;
    foreign(&String::from_utf8_lossy(&output.stderr))
}

/// What git says names the folder in the last line, as a shell takes it.
fn foreign(said: &str) -> Option<anyhow::Error> {
    let allow = said.lines().rev().find(|line| line.contains("safe.directory"))?;
    let allow = plain(allow.trim());
    Some(anyhow::anyhow!(
        "the repository belongs to another user, and git looks into no such history; run this as its owner, or allow it with \
         `{allow}`"
    ))
}

/// A running git, which is ended when it is not waited for.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        child.map(Self).context("cannot run git; install it, or leave --history out")
    }

    /// What it prints; it is taken once.
    pub(super) fn output(&mut self) -> anyhow::Result<ChildStdout> {
        self.0.stdout.take().context("git has no output")
    }

    pub(super) fn succeed(&mut self, has_begun: bool) -> anyhow::Result<()> {
        if !self.0.wait().context("cannot wait for git")?.success() {
            if has_begun {
                bail!("git cannot read all of its objects; run `git fsck`, which says what is damaged");
            }
            bail!("git cannot read the history; name a folder of a git repository");
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and was waited for, which is what they are for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In git's own words, which it says to this variable as it does to another owner.
    #[test]
    fn a_repository_of_somebody_else_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert!(git(folder.path()).args(["init", "-q"]).status().unwrap().success());
        let said = |owner: &str| {
            let mut git = git(folder.path());
            let output =
                git.args(["rev-parse", "--git-dir"]).env("GIT_TEST_ASSUME_DIFFERENT_OWNER", owner).output();
            String::from_utf8(output.unwrap().stderr).unwrap()
        };
        let told = foreign(&said("1")).unwrap().to_string();
        let allow = format!("`git config --global --add safe.directory {}`", folder.path().display());
        assert!(told.contains("belongs to another user") && told.ends_with(&allow), "{told}");
        assert!(foreign(&said("0")).is_none());
        assert!(refusal(folder.path()).is_none());
    }
}
