//! `cargo xtask soak`: the trials with many real processes and many schedules, in full number.

use std::env;

use anyhow::Result;

use crate::step::{self, Workspace, step};
use crate::tools;

/// What can be asked for; all of it takes the better part of an hour.
pub(crate) const PARTS: [&str; 8] =
    ["fleet", "kill", "mixed", "limits", "leave", "schedules", "history", "cuts"];

/// The limiter's decisions beside those of GCRA: a million schedules in a release build, ten thousand in any other.
const SCHEDULES: [&str; 7] =
    ["nextest", "run", "--release", "--package=ratelimit", "--features=test-util", "-E", "test(oracle)"];

/// The monitor's history of a thousand days: at the full rate in a release build, with fewer runs that leave as many rows in any
/// other. It tells its figures.
const HISTORY: [&str; 8] = [
    "nextest",
    "run",
    "--release",
    "--package=claude-cli",
    "--lib",
    "--no-capture",
    "-E",
    "test(a_thousand_days)",
];

/// Streams that are cut within TLS: at every byte in a release build, at some in any other, whose handshakes are slow.
const CUTS: [&str; 7] = [
    "nextest",
    "run",
    "--release",
    "--package=claude-sdk",
    "--all-features",
    "-E",
    "test(whose_tls_has_no_end)",
];

/// A command of its own and no part of CI, where a few trials of each kind are tests.
pub(crate) fn run(workspace: &Workspace, parts: &[String]) -> Result<()> {
    let mut parts = if parts.is_empty() { PARTS.map(str::to_owned).to_vec() } else { parts.to_vec() };
    for (name, test) in [("schedules", &SCHEDULES[..]), ("history", &HISTORY), ("cuts", &CUTS)] {
        if parts.iter().any(|part| part == name) {
            step(name, || step::run(&mut workspace.cargo(test)))?;
            parts.retain(|part| part != name);
        }
    }
    if parts.is_empty() {
        return Ok(());
    }
    if parts.iter().any(|part| part == "mixed" || part == "limits") {
        step("what the tests need", || tools::install(workspace))?;
    }
    step("build", || step::run(&mut workspace.cargo(&["build", "--quiet", "--package", "e2e", "--bins"])))?;
    let program = workspace.target.join(format!("debug/soak{}", env::consts::EXE_SUFFIX));
    step("soak", || step::run(workspace.command(&program).arg(&workspace.target).args(&parts)))
}
