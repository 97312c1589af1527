//! `cargo xtask fuzz`: builds the fuzz targets of auth-core and transport, and lets each look for a broken promise for a while.
//!
//! Their folders have the layout of cargo-fuzz, for those who have it, but this drives libFuzzer itself. What cargo-fuzz adds
//! is a build of its own, a nightly compiler for options that nothing here needs, and `AddressSanitizer`, which makes
//! the targets four times slower and looks for what code without `unsafe` cannot do.

mod planted;
mod report;

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use self::report::Report;
use crate::step::{self, Workspace, output};
use crate::workers;

/// Every target; each has a file in `fuzz_targets`, seeds and a dictionary.
pub(crate) const TARGETS: [&str; 6] =
    ["callback", "event_stream", "machine", "metadata", "token_response", "www_authenticate"];
/// How long each target runs unless told otherwise.
pub(crate) const SECONDS: u32 = 60;

/// Where a run begins: with the same inputs each time, or with inputs that nobody has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seed {
    /// What CI takes, so that it judges the change and not the day's luck.
    Fixed,
    /// What finds something new.
    Fresh,
}

/// The crates that have targets.
const CRATES: [&str; 2] = ["auth-core", "transport"];

/// The crate that a target is of.
fn home(target: &str) -> &'static str {
    if target == "event_stream" { "transport" } else { "auth-core" }
}

/// Where the targets of a crate are.
fn package(root: &Path, name: &str) -> PathBuf {
    root.join("crates").join(name).join("fuzz")
}

/// Counts the edges that an input takes, and shows libFuzzer what is compared with what.
const FLAGS: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// An input may take ten seconds (any takes milliseconds), a target may take 1 GiB.
const LIMITS: [&str; 4] = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1"];

/// Checks the targets' format and lints: they are a workspace of their own, so nobody else's check sees them.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    CRATES.iter().try_for_each(|name| {
        let manifest = package(&workspace.root, name).join("Cargo.toml");
        step::run(workspace.cargo(&["fmt", "--check", "--manifest-path"]).arg(&manifest))?;
        step::run(cargo(workspace, "clippy", &manifest)?.args(["--", "-D", "warnings"]))
    })
}

/// Runs these targets, as many at once as there are processors; none means all.
pub(crate) fn run(workspace: &Workspace, targets: &[String], seconds: u32, seed: Seed) -> Result<()> {
    let targets = if targets.is_empty() { TARGETS.map(str::to_owned).to_vec() } else { targets.to_vec() };
    let fuzzer = Fuzzer::build(workspace, &workspace.root)?;
    let mut failed = Vec::new();
    for (target, outcome) in fuzzer.run_all(&targets, seconds, seed)? {
        match outcome {
            Outcome::Held(report) => eprintln!("{target}: {report}"),
            Outcome::Broken { why, input } => {
                let again = fuzzer.binary(&target);
                eprintln!(
                    "{target}: {why}\n  input: {}\n  again: {} {}",
                    input.display(),
                    again.display(),
                    input.display()
                );
                failed.push(target);
            }
        }
    }
    match failed.len() {
        0 => Ok(()),
        _ => bail!("broken promises were found by: {}; see the lines above", failed.join(", ")),
    }
}

/// Shows that every target can fail: each has to find a bug that was planted for it.
pub(crate) fn run_planted(workspace: &Workspace) -> Result<()> {
    let fuzzer = Fuzzer::build(workspace, &planted::plant(workspace)?)?;
    let mut missed = Vec::new();
    for (target, outcome) in fuzzer.run_all(&TARGETS.map(str::to_owned), SECONDS, Seed::Fixed)? {
        match outcome {
            Outcome::Held(report) => missed.push(format!("{target} ({report})")),
            Outcome::Broken { why, .. } => eprintln!("{target}: found: {why}"),
        }
    }
    match missed.len() {
        0 => Ok(()),
        _ => bail!("planted bugs were not found by: {}", missed.join(", ")),
    }
}

/// How a run of one target ended.
#[derive(Debug)]
enum Outcome {
    Held(Report),
    Broken { why: String, input: PathBuf },
}

/// The targets, built from one copy of the sources.
#[derive(Debug)]
struct Fuzzer<'a> {
    workspace: &'a Workspace,
    /// The root of the sources that the targets are from, with their seeds.
    root: PathBuf,
    /// Where the targets are.
    binaries: PathBuf,
    /// Where what the targets find and say goes.
    found: PathBuf,
}

impl<'a> Fuzzer<'a> {
    /// Builds the targets of the sources at this root.
    fn build(workspace: &'a Workspace, root: &Path) -> Result<Self> {
        for name in CRATES {
            step::run(&mut cargo(workspace, "build", &package(root, name).join("Cargo.toml"))?).context(
                "the fuzz targets need a C++ compiler, for libFuzzer; Debian's is in the package g++",
            )?;
        }
        let target = workspace.target.join("fuzz");
        let binaries = target.join(host(workspace)?).join("release");
        let found = if root == workspace.root { "found" } else { "found-planted" };
        Ok(Self { workspace, root: root.to_owned(), binaries, found: target.join(found) })
    }

    fn binary(&self, target: &str) -> PathBuf {
        self.binaries.join(target)
    }

    /// Runs targets side by side, and returns how they ended, in their order.
    fn run_all(&self, targets: &[String], seconds: u32, seed: Seed) -> Result<Vec<(String, Outcome)>> {
        workers::each(targets, |_, target| Ok((target.clone(), self.run(target, seconds, seed)?)))
    }

    fn run(&self, target: &str, seconds: u32, seed: Seed) -> Result<Outcome> {
        let folder = self.found.join(target);
        let corpus = folder.join("corpus");
        fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
        let log = folder.join("log");
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = self.workspace.command(self.binary(target));
        command.args(LIMITS).arg(format!("-max_total_time={seconds}"));
        // To libFuzzer, 0 is a seed of its own choice.
        command.arg(match seed {
            Seed::Fixed => "-seed=1",
            Seed::Fresh => "-seed=0",
        });
        command.arg(option("-artifact_prefix=", &folder.join("")));
        let package = package(&self.root, home(target));
        command.arg(option("-dict=", &package.join("dictionaries").join(target)));
        // New inputs go into the first of the two.
        command.arg(corpus).arg(package.join("seeds").join(target));
        let status = command.stderr(file).status().with_context(|| format!("cannot start {target}"))?;
        let said = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
        let said = String::from_utf8_lossy(&said);
        match report::broken(&said) {
            Some((why, input)) => Ok(Outcome::Broken { why, input: input.into() }),
            None if !status.success() => bail!("{target} failed ({status}), see {}", log.display()),
            None => Report::read(&said).map(Outcome::Held).with_context(|| format!("{target} said {said:?}")),
        }
    }
}

/// One command of cargo over the targets of a manifest; all of them share what they build.
fn cargo(workspace: &Workspace, command: &str, manifest: &Path) -> Result<Command> {
    let mut cargo = workspace.cargo(&[command, "--quiet", "--release", "--bins", "--locked"]);
    cargo.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(workspace.target.join("fuzz"));
    // With a target named, the flags are not for build scripts and macros.
    cargo.arg("--target").arg(host(workspace)?);
    cargo.env("RUSTFLAGS", FLAGS.join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    Ok(cargo)
}

fn host(workspace: &Workspace) -> Result<String> {
    let version = output(workspace.command("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> String {
        fs::read_to_string(Workspace::find().unwrap().root.join(path)).unwrap()
    }

    #[test]
    fn the_targets_keep_the_lints_of_the_workspace() {
        let root = text("Cargo.toml");
        let start = root.find("[workspace.lints.rust]").unwrap();
        let lints = root[start..].split("\n[profile").next().unwrap();
        assert!(lints.contains("unwrap_used"));
        for name in CRATES {
            let ours = text(&format!("crates/{name}/fuzz/Cargo.toml"));
            assert!(ours.contains(lints), "{name}: copy the lints from Cargo.toml");
        }
    }

    #[test]
    fn every_target_is_built_and_has_seeds_and_a_dictionary() {
        let root = Workspace::find().unwrap().root;
        let manifests = CRATES.map(|name| text(&format!("crates/{name}/fuzz/Cargo.toml")));
        let built: usize = manifests.iter().map(|manifest| manifest.matches("[[bin]]").count()).sum();
        assert_eq!(built, TARGETS.len());
        for target in TARGETS {
            let package = package(&root, home(target));
            let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(package.join("dictionaries").join(target).is_file(), "{target}");
            let seeds = fs::read_dir(package.join("seeds").join(target)).unwrap().count();
            assert!((1..=12).contains(&seeds), "{target}: {seeds} seeds");
        }
    }
}
