//! `cargo xtask deny`: licences, bans and sources of everything we depend on, as `deny.toml` says.

use anyhow::Result;

use crate::step::{self, Workspace, step};
use crate::tools;

/// The release that CI's rules were written for.
const VERSION: &str = "^0.20";

/// A command of its own and no part of CI, because building cargo-deny takes minutes. Advisories need a copy of the
/// advisory database, so they are left to whoever has one: `cargo deny check advisories`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let program = tools::cargo_program(workspace, "cargo-deny", VERSION)?;
    step("licences, bans, sources", || {
        step::run(workspace.command(program).args(["--all-features", "check", "licenses", "bans", "sources"]))
    })
}
