//! `cargo xtask soak`: the trials with many real processes, in full number.

use std::env;

use anyhow::Result;

use crate::step::{self, Workspace, step};
use crate::tools;

/// What can be asked for; all of it takes the better part of an hour.
pub(crate) const PARTS: [&str; 4] = ["fleet", "kill", "mixed", "limits"];

/// A command of its own and no part of CI, where a few trials of each kind are tests.
pub(crate) fn run(workspace: &Workspace, parts: &[String]) -> Result<()> {
    let parts = if parts.is_empty() { PARTS.map(str::to_owned).to_vec() } else { parts.to_vec() };
    if parts.iter().any(|part| part == "mixed" || part == "limits") {
        step("what the tests need", || tools::install(workspace))?;
    }
    step("build", || step::run(&mut workspace.cargo(&["build", "--quiet", "--package", "e2e", "--bins"])))?;
    let program = workspace.target.join(format!("debug/soak{}", env::consts::EXE_SUFFIX));
    step("soak", || step::run(workspace.command(&program).arg(&workspace.target).args(&parts)))
}
