//! `cargo xtask test`: installs what is missing, then runs every test.

use std::process::Command;

use anyhow::{Result, bail};

use crate::step::{self, Workspace, step, succeeds};
use crate::tools;

/// Runs the doc tests first and everything else after them, so that the last lines are the runner's summary.
pub(crate) fn run(workspace: &Workspace, runner_arguments: &[String]) -> Result<()> {
    step("what the tests need", || tools::install(workspace))?;
    // A filter for the runner names tests, not doc tests: asking for one test runs just that.
    let documentation = match runner_arguments {
        [] => step("doc tests", || {
            step::run(&mut workspace.cargo(&["test", "--doc", "--workspace", "--all-features"]))
        }),
        _ => Ok(()),
    };
    step::run(runner(workspace).args(runner_arguments))?;
    match documentation {
        Ok(()) => Ok(()),
        Err(error) => bail!("the doc tests failed, see above: {error}"),
    }
}

fn runner(workspace: &Workspace) -> Command {
    if succeeds(&mut workspace.cargo(&["nextest", "--version"])) {
        return workspace.cargo(&["nextest", "run", "--workspace", "--all-features"]);
    }
    eprintln!(
        "cargo-nextest is not installed (`cargo install cargo-nextest --locked`), so cargo test runs the tests"
    );
    workspace.cargo(&["test", "--workspace", "--all-features", "--all-targets", "--no-fail-fast"])
}
