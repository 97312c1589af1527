//! Where the workspace is, and how a child process is run in it.
#![expect(
    clippy::disallowed_methods,
    reason = "the developer commands read the real environment and time their steps"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// The workspace this command was built from.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) metadata: Metadata,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(&manifest)
            .no_deps()
            .exec()
            .context("cargo metadata failed, so the workspace's manifests do not parse")?;
        Ok(Self {
            root: metadata.workspace_root.clone().into(),
            target: metadata.target_directory.clone().into(),
            metadata,
        })
    }

    /// The names of the workspace's crates.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &str> {
        self.metadata.workspace_packages().into_iter().map(|package| package.name.as_str())
    }

    /// A command that runs in the workspace's root, from a clean cargo environment.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.root).stdin(Stdio::null());
        // `cargo run` tells its child about this package. Build scripts that watch these variables would
        // otherwise rebuild after each change between `cargo xtask …` and plain `cargo …`.
        for name in INHERITED_FROM_CARGO_RUN {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }
}

const INHERITED_FROM_CARGO_RUN: [&str; 16] = [
    "CARGO",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
];

/// Does one named step and says how it went and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("── {name}");
    let (outcome, took) = timed(work);
    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
    eprintln!("── {name}: {word} ({:.1} s)", took.as_secs_f64());
    outcome
}

/// Does some work and says how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let outcome = work();
    (outcome, start.elapsed())
}

/// Runs a command to its end; a failure names the command, so that it can be typed again.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = display(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = display(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` did not write UTF-8"))
}

/// Whether the command starts and succeeds; what it writes is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Whether a program of this name is on the `PATH`.
pub(crate) fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_named_as_it_was_typed() {
        let error = run(Command::new("false").arg("--really")).unwrap_err();
        assert!(error.to_string().starts_with("`false --really` failed"), "{error}");
    }

    #[test]
    fn a_missing_program_is_an_error_and_not_a_success() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program-here`");
        assert!(!succeeds(&mut Command::new("no-such-program-here")));
    }

    #[test]
    fn a_step_hands_on_the_outcome_of_its_work() {
        assert_eq!(step("works", || Ok(7)).unwrap(), 7);
        assert!(step("fails", || -> Result<()> { bail!("no") }).is_err());
    }
}
