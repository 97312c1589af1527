//! `cargo xtask ci`: everything that has to pass before a change is merged, cheapest first, the tests last.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{self, Workspace, output, step};
use crate::{fuzz, lab, layers, planted, readme, tidy};

/// How long each fuzz target runs here; `cargo xtask fuzz` takes longer.
const FUZZ_SECONDS: u32 = 20;

/// What nobody takes out of this repository, and the program, which the quickstart builds by itself, with the default
/// features of everything.
const NOT_TAKEN_OUT: [&str; 6] = ["auth-model", "bench", "bench-probe", "claude-cli", "e2e", "xtask"];

/// Whose features people turn off: their tests have to build then too.
const TESTS_TOO: [&str; 4] = ["claude-sdk", "ratelimit", "secrets", "transport"];

/// Runs every step; the first one that fails ends the run. The last lines are the test runner's summary.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    step("toolchain", || toolchain(workspace))?;
    step("format", || step::run(&mut workspace.cargo(&["fmt", "--all", "--check"])))?;
    step("layers", || layers::run(workspace))?;
    step("tidy", || tidy::run(workspace))?;
    step("clippy, no default features", || clippy_alone(workspace))?;
    step("clippy, default features", || clippy(workspace, &["--package", "claude-sdk", "--all-targets"]))?;
    step("clippy, all features", || clippy(workspace, &["--workspace", "--all-targets", "--all-features"]))?;
    step("documentation", || documentation(workspace))?;
    step("tests without HTTP/2", || without_http2(workspace))?;
    step("planted bugs", || planted::run(workspace))?;

    step("fuzz targets, lints", || fuzz::lint(workspace))?;
    step("fuzz targets, planted bugs", || fuzz::run_planted(workspace))?;
    step("fuzz targets", || fuzz::run(workspace, &[], FUZZ_SECONDS, fuzz::Seed::Fixed))?;

    let commands = step("README", || readme::commands(workspace))?;
    step("quickstart", || as_typed(workspace, &commands.quickstart))?;
    step("lab", || lab::run(workspace))?;
    // No closing line for this one: its last lines belong to the test runner.
    as_typed(workspace, &commands.test)
}

fn clippy(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let mut command = workspace.cargo(&["clippy", "--quiet"]);
    step::run(command.args(arguments).args(["--", "-D", "warnings"]))
}

/// One crate at a time: in one run, cargo would join the features that the crates ask of each other.
fn clippy_alone(workspace: &Workspace) -> Result<()> {
    let mut others = workspace.crates().filter(|name| !NOT_TAKEN_OUT.contains(name));
    others.try_for_each(|name| {
        let mut arguments = vec!["--package", name, "--no-default-features"];
        arguments.extend(TESTS_TOO.contains(&name).then_some("--all-targets"));
        clippy(workspace, &arguments)
    })
}

fn documentation(workspace: &Workspace) -> Result<()> {
    for what in [&["--workspace", "--all-features"][..], &["--package", "claude-sdk"]] {
        let mut command = workspace.cargo(&["doc", "--quiet", "--no-deps"]);
        step::run(command.args(what).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

/// What the default features leave out is in every other run of the tests: cargo joins features.
fn without_http2(workspace: &Workspace) -> Result<()> {
    let arguments = ["test", "--quiet", "--package", "transport", "--test", "it"];
    step::run(workspace.cargo(&arguments).args([
        "--features",
        "hyper,test-util",
        "--",
        "tls::",
        "exchange::",
        "faults::",
    ]))
}

/// Says whether this run tests the oldest toolchain we promise to build with.
fn toolchain(workspace: &Workspace) -> Result<()> {
    let version = output(workspace.command("rustc").arg("--version"))?;
    let used = release(&version).with_context(|| format!("rustc calls itself {version:?}"))?;
    for package in workspace.metadata.workspace_packages() {
        let promised = package.rust_version.as_ref();
        let promised =
            promised.with_context(|| format!("{}: add `rust-version.workspace = true`", package.name))?;
        if used < (promised.major, promised.minor) {
            bail!("{} promises Rust {}.{}, this is {version}", package.name, promised.major, promised.minor);
        }
        if used > (promised.major, promised.minor) {
            eprintln!(
                "rust-version {}.{} is not tested by this run: {version}",
                promised.major, promised.minor
            );
            return Ok(());
        }
    }
    eprintln!("rust-version {}.{} is tested by this run", used.0, used.1);
    Ok(())
}

/// The release in `rustc 1.95.0 (…)`.
fn release(version: &str) -> Option<(u64, u64)> {
    let number = version.strip_prefix("rustc ")?.split(' ').next()?;
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn as_typed(workspace: &Workspace, words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().context("an empty command")?;
    let mut command: Command = workspace.command(program);
    eprintln!("── {}", words.join(" "));
    step::run(command.args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_from_what_rustc_says_of_itself() {
        assert_eq!(release("rustc 1.95.0 (59807616e 2026-04-14)\n"), Some((1, 95)));
        assert_eq!(release("rustc 1.97.0-nightly (abc 2026-04-14)"), Some((1, 97)));
        assert_eq!(release("clang 18"), None);
    }
}
