//! `cargo xtask deny`: licences, bans and sources of everything we depend on, as `deny.toml` says.

use std::path::PathBuf;

use anyhow::Result;

use crate::step::{self, Workspace, step, succeeds};

/// The release that CI's rules were written for.
const VERSION: &str = "^0.20";

/// A command of its own and no part of CI, because building cargo-deny takes minutes. Advisories need a copy of the
/// advisory database, so they are left to whoever has one: `cargo deny check advisories`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let program = match installed(workspace) {
        Some(program) => program,
        None => step("cargo-deny", || install(workspace))?,
    };
    step("licences, bans, sources", || {
        step::run(workspace.command(program).args(["--all-features", "check", "licenses", "bans", "sources"]))
    })
}

fn installed(workspace: &Workspace) -> Option<PathBuf> {
    let ours = folder(workspace).join("bin/cargo-deny");
    [PathBuf::from("cargo-deny"), ours]
        .into_iter()
        .find(|program| succeeds(workspace.command(program).arg("--version")))
}

fn install(workspace: &Workspace) -> Result<PathBuf> {
    let folder = folder(workspace);
    step::run(
        workspace.cargo(&["install", "cargo-deny", "--version", VERSION, "--locked", "--root"]).arg(&folder),
    )?;
    Ok(folder.join("bin/cargo-deny"))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools/cargo")
}
