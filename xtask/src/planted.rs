//! `cargo xtask planted`: puts known bugs into a copy of auth-core, one at a time, and demands that its simulation finds
//! each of them. A simulation that finds nothing proves nothing until it has shown what it would find.
//!
//! A bug is a file in `crates/auth-core/tests/planted`: a line that says what is wrong, and a patch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::Message;

use crate::step::{self, Workspace, timed};
use crate::workers;

const CRATE: &str = "crates/auth-core";
const BUGS: &str = "crates/auth-core/tests/planted";
/// The tests that simulate: all of the first module, and those properties that drive a machine. In this order, until
/// one fails.
const SIMULATIONS: [&str; 3] =
    ["sim::", "props::nothing_makes_a_machine_unsafe", "props::without_demand_no_input"];
/// Where they are. The other modules are not built: that takes longer than the simulations.
const MODULES: [&str; 3] = ["mod props;", "mod rig;", "mod sim;"];
/// What a Rust test ends with when an assertion failed.
const FAILED: i32 = 101;

/// A bug to plant.
#[derive(Debug)]
struct Bug {
    name: String,
    patch: PathBuf,
    what: String,
    /// The files that the patch changes.
    files: Vec<String>,
}

/// What a test made of a bug.
#[derive(Debug)]
struct Found {
    test: String,
    after: Duration,
    assertion: String,
}

/// Plants every bug, and prints which test found it and after how long.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let bugs = bugs(&workspace.root.join(BUGS))?;
    let copies = copies(workspace, workers::count(bugs.len()))?;

    let width = bugs.iter().map(|bug| bug.name.len()).max().unwrap_or_default();
    let found = workers::each(&bugs, |worker, bug| {
        let name = &bug.name;
        let copy = copies.get(worker).context("there is a copy for each worker")?;
        let (found, took) = timed(|| copy.plant(bug));
        let found = found.with_context(|| format!("{BUGS}/{name}.patch"))?;
        match &found {
            Some(Found { test, after, assertion }) => {
                println!("{name:width$}  {:4.1} s  {test}: {assertion}", after.as_secs_f64());
            }
            None => println!("{name:width$}  {:4.1} s  NOT FOUND: {}", took.as_secs_f64(), bug.what),
        }
        Ok(found.is_some())
    })?;
    let missed = found.iter().filter(|found| !**found).count();
    ensure!(missed == 0, "{missed} of {} bugs were not found: teach sim.rs to see them", bugs.len());
    println!("all {} bugs were found", bugs.len());
    Ok(())
}

/// A copy for each worker, of which the first was built and found to be without a bug.
fn copies(workspace: &Workspace, count: usize) -> Result<Vec<Copy<'_>>> {
    let copy = |worker: usize| Copy { workspace, folder: workspace.target.join(format!("planted/{worker}")) };
    let copies: Vec<_> = (0..count).map(copy).collect();
    let (first, others) = copies.split_first().context("there is no worker")?;
    first.make_afresh()?;
    let found = first.simulate().context("the copy without a bug")?;
    if let Some(Found { test, assertion, .. }) = found {
        bail!("{test} fails without a bug ({assertion}): mend that first");
    }
    for other in others {
        other.take_built(first)?;
    }
    Ok(copies)
}

fn bugs(folder: &Path) -> Result<Vec<Bug>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut bugs = Vec::new();
    for entry in entries {
        let patch = entry?.path();
        let text = fs::read_to_string(&patch).with_context(|| format!("cannot read {}", patch.display()))?;
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        bugs.push(Bug::read(name, patch, &text)?);
    }
    ensure!(!bugs.is_empty(), "there is no bug in {}", folder.display());
    bugs.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(bugs)
}

impl Bug {
    fn read(name: String, patch: PathBuf, text: &str) -> Result<Self> {
        let what = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        let files: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("+++ b/")).map(str::to_owned).collect();
        ensure!(!what.is_empty(), "{name}: begin with a line `# ` that says what the bug is");
        ensure!(!files.is_empty(), "{name}: there is no patch in it");
        ensure!(
            files.iter().all(|file| file.starts_with("crates/auth-core/src/")),
            "{name}: a bug is planted in {CRATE}/src and nowhere else"
        );
        Ok(Self { name, patch, what: what.to_owned(), files })
    }
}

/// A workspace of auth-core alone, in the target folder, with a target folder of its own.
#[derive(Debug)]
struct Copy<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

impl Copy<'_> {
    fn source(&self) -> PathBuf {
        self.folder.join("source")
    }

    /// Copies what is needed to build and to test auth-core, over whatever was there.
    fn make_afresh(&self) -> Result<()> {
        let (from, to) = (&self.workspace.root, &self.source());
        if to.exists() {
            fs::remove_dir_all(to).with_context(|| format!("cannot remove {}", to.display()))?;
        }
        copy_folder(&from.join(CRATE), &to.join(CRATE))
            .with_context(|| format!("cannot copy {CRATE} to {}", to.display()))?;
        let main = to.join(CRATE).join("tests/it/main.rs");
        let modules = fs::read_to_string(&main).context("cannot read the tests' main.rs")?;
        fs::write(main, simulations_alone(&modules)).context("cannot write the copy's main.rs")?;
        fs::copy(from.join("Cargo.lock"), to.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
        let manifest = fs::read_to_string(from.join("Cargo.toml")).context("cannot read Cargo.toml")?;
        fs::write(to.join("Cargo.toml"), alone(&manifest)).context("cannot write the copy's Cargo.toml")
    }

    /// Takes over what another copy has built, so that the dependencies are built once.
    fn take_built(&self, other: &Self) -> Result<()> {
        if self.folder.join("target").exists() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot create {}", self.folder.display()))?;
        // Cargo goes by the files' times, so they are copied too.
        let mut copy = Command::new("cp");
        step::run(copy.arg("-a").arg(other.folder.join("target")).arg(&self.folder))
    }

    fn plant(&self, bug: &Bug) -> Result<Option<Found>> {
        self.make_afresh()?;
        let mut git = Command::new("git");
        git.current_dir(self.source()).arg("apply").arg(&bug.patch);
        // Inside a repository, git would leave out what that repository ignores, and say nothing.
        git.env("GIT_CEILING_DIRECTORIES", &self.folder);
        step::run(&mut git).context("it does not apply: make it again for the code as it is now")?;
        for file in &bug.files {
            let read = |root: &Path| fs::read(root.join(file)).with_context(|| format!("cannot read {file}"));
            let changed = read(&self.source())? != read(&self.workspace.root)?;
            ensure!(changed, "it was applied and {file} is as before");
        }
        self.simulate()
    }

    /// Runs the simulations one after the other, until one fails.
    fn simulate(&self) -> Result<Option<Found>> {
        let program = self.build()?;
        for test in self.simulations(&program)? {
            let mut command = Command::new(&program);
            command.current_dir(self.source().join(CRATE)).args(["--exact", &test]);
            // A bug is found as soon as one example shows it; the same examples in each run.
            command.env("PROPTEST_MAX_SHRINK_ITERS", "0").env("PROPTEST_RNG_SEED", "1");
            command.env("RUST_BACKTRACE", "0");
            let (output, after) = timed(|| command.output());
            let output = output.with_context(|| format!("cannot start {}", program.display()))?;
            if output.status.success() {
                continue;
            }
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            match (output.status.code(), assertion(&said)) {
                (Some(FAILED), Some(assertion)) => return Ok(Some(Found { test, after, assertion })),
                _ => bail!("{test} ended without an assertion ({}):\n{said}", output.status),
            }
        }
        Ok(None)
    }

    /// Builds the tests; gives their program.
    fn build(&self) -> Result<PathBuf> {
        let mut cargo = self.workspace.cargo(&["test", "--quiet", "--offline", "--package", "auth-core"]);
        cargo.args(["--test", "it", "--no-run", "--message-format", "json-render-diagnostics"]);
        cargo.current_dir(self.source()).arg("--target-dir").arg(self.folder.join("target"));
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "false");
        let messages = step::output(&mut cargo).context("it does not compile")?;
        let program = Message::parse_stream(messages.as_bytes()).find_map(|message| match message {
            Ok(Message::CompilerArtifact(artifact)) => artifact.executable,
            _ => None,
        });
        Ok(program.context("cargo built no test program")?.into())
    }

    fn simulations(&self, program: &Path) -> Result<Vec<String>> {
        let list = step::output(Command::new(program).args(["--list", "--format", "terse"]))?;
        let tests: Vec<&str> = list.lines().filter_map(|line| line.strip_suffix(": test")).collect();
        let mut simulations = Vec::new();
        for prefix in SIMULATIONS {
            let before = simulations.len();
            let named = tests.iter().filter(|test| test.starts_with(prefix));
            simulations.extend(named.map(|test| (*test).to_owned()));
            ensure!(simulations.len() > before, "no test's name begins with {prefix}");
        }
        Ok(simulations)
    }
}

/// The workspace's manifest with auth-core as its only member.
fn alone(manifest: &str) -> String {
    let lines = manifest.lines().filter(|line| !line.starts_with("default-members = "));
    let lines = lines.map(|line| match line.starts_with("members = ") {
        true => format!("members = [\"{CRATE}\"]\n"),
        false => format!("{line}\n"),
    });
    lines.collect()
}

/// The tests' `main.rs` without the modules that simulate nothing.
fn simulations_alone(main: &str) -> String {
    let lines = main.lines().filter(|line| !line.starts_with("mod ") || MODULES.contains(line));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    text.replacen("#![allow(", "#![allow(dead_code, ", 1)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            // Written and not copied: its time has to be that of now, or cargo would not build it again.
            fs::write(target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// The first line of what the first failed assertion said.
fn assertion(said: &str) -> Option<String> {
    let mut lines = said.lines().skip_while(|line| !line.contains(" panicked at "));
    lines.nth(1).map(|line| line.chars().take(60).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copys_manifest_has_one_member_and_everything_else() {
        let manifest =
            "[workspace]\nmembers = [\"crates/*\", \"xtask\"]\ndefault-members = [\"a\"]\n\n[a]\nb = 1\n";
        assert_eq!(alone(manifest), "[workspace]\nmembers = [\"crates/auth-core\"]\n\n[a]\nb = 1\n");
    }

    #[test]
    fn only_the_simulations_are_built() {
        let main = "#![allow(\n    missing_docs,\n)]\nmod life;\nmod rig;\nmod sim;\n";
        assert_eq!(
            simulations_alone(main),
            "#![allow(dead_code, \n    missing_docs,\n)]\nmod rig;\nmod sim;\n"
        );
    }

    #[test]
    fn an_assertion_is_told_from_other_ends() {
        let said = "running 1 test\n\nthread 'sim::x' (7) panicked at tests/it/sim.rs:1:2:\nan expired lease\nnote: …\n";
        assert_eq!(assertion(said).unwrap(), "an expired lease");
        assert_eq!(assertion("running 1 test\nSIGSEGV"), None);
    }

    #[test]
    fn a_bug_says_what_it_is_and_stays_in_the_source() {
        let read =
            |text: &str| Bug::read("x".into(), PathBuf::new(), text).map_err(|error| error.to_string());
        let bug =
            read("# It leaks.\n--- a/crates/auth-core/src/a.rs\n+++ b/crates/auth-core/src/a.rs\n").unwrap();
        assert_eq!((bug.what.as_str(), bug.files.len()), ("It leaks.", 1));
        assert!(read("+++ b/crates/auth-core/src/a.rs\n").unwrap_err().contains("says what the bug is"));
        assert!(read("# A bug.\n").unwrap_err().contains("no patch"));
        assert!(
            read("# A bug.\n+++ b/crates/auth-core/tests/it/sim.rs\n").unwrap_err().contains("nowhere else")
        );
    }

    #[test]
    fn the_bugs_of_the_repository_can_be_read() {
        let workspace = Workspace::find().unwrap();
        assert!(bugs(&workspace.root.join(BUGS)).unwrap().len() >= 12);
    }
}
