//! `cargo xtask bench`: builds every contender, and has them measured side by side.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::step::{self, Workspace, step};
use crate::tools;

/// What can be asked for.
pub(crate) const BENCHMARKS: [&str; 8] =
    ["sse", "events", "call", "p99", "memory", "linear", "goodput", "build"];

/// Packages that are no part of the workspace, so that its lock file stays free of other people's clients.
const CONTENDERS: &str = "crates/bench/contenders";

/// How thoroughly to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// So little work that it only shows that everything runs.
    pub(crate) quick: bool,
    /// Without other people's clients.
    pub(crate) no_peers: bool,
}

/// A command of its own and no part of CI, which shares its machine: there, the harness's own tests run.
pub(crate) fn run(workspace: &Workspace, options: Options, benchmarks: &[String]) -> Result<()> {
    step("build", || build(workspace))?;
    if !options.no_peers {
        step("what the official SDKs need", || tools::install_official(workspace))?;
        for package in contenders(workspace)? {
            let name =
                package.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            step(&name, || build_contender(workspace, &package))?;
        }
    }
    let mut command = workspace.command(workspace.target.join("release/bench"));
    if options.quick {
        command.arg("--quick");
    }
    if options.no_peers {
        command.arg("--no-peers");
    }
    step("bench", || step::run(command.args(benchmarks)))
}

fn build(workspace: &Workspace) -> Result<()> {
    step::run(&mut workspace.cargo(&["build", "--quiet", "--release", "--package", "bench", "--bins"]))
}

fn build_contender(workspace: &Workspace, package: &Path) -> Result<()> {
    let mut cargo = workspace.cargo(&["build", "--quiet", "--release", "--locked", "--manifest-path"]);
    cargo.arg(package.join("Cargo.toml")).arg("--target-dir").arg(workspace.target.join("bench"));
    step::run(&mut cargo)
}

/// The folders of packages, in order.
fn contenders(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.root.join(CONTENDERS);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut packages: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    packages.retain(|package| package.join("Cargo.toml").is_file());
    packages.sort();
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_can_be_asked_for() {
        let root = Workspace::find().unwrap().root;
        let table = fs::read_to_string(root.join("crates/bench/src/benchmarks.rs")).unwrap();
        for name in BENCHMARKS {
            assert!(table.contains(&format!("{name}::BENCHMARK")), "{name}");
        }
        assert_eq!(table.matches("::BENCHMARK").count(), BENCHMARKS.len());
    }

    #[test]
    fn every_contender_has_a_lock_file() {
        let packages = contenders(&Workspace::find().unwrap()).unwrap();
        assert!(packages.len() >= 3, "{packages:?}");
        assert!(packages.iter().all(|package| package.join("Cargo.lock").is_file()), "{packages:?}");
    }
}
