//! `cargo xtask mutants`: one small fault at a time is put into auth-core, and its tests have to notice.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::step::{Workspace, step, succeeds};
use crate::tools;

/// The release that `.cargo/mutants.toml` and the names in the page were written for.
const VERSION: &str = "^27.1";
const PACKAGE: &str = "auth-core";
/// Explains each fault that no test can notice.
const PAGE: &str = "docs/mutation.md";
/// How many of a hundred faults the tests have to notice.
const LEAST: usize = 90;

/// A command of its own and no part of CI, because it builds and tests the crate once for each fault.
///
/// Without `files`, every file of the crate is changed.
pub(crate) fn run(workspace: &Workspace, files: &[String]) -> Result<()> {
    let page =
        fs::read_to_string(workspace.root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let explained = explained(&page)?;
    if !succeeds(&mut workspace.cargo(&["nextest", "--version"])) {
        bail!("this needs cargo-nextest: cargo install cargo-nextest --locked");
    }
    let program = tools::cargo_program(workspace, "cargo-mutants", VERSION)?;
    let results = step("mutants", || {
        // What is built stays: the next run builds no dependency again. It must be one job then.
        let folder = workspace.target.join("mutants");
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let mut command = workspace.command(program);
        command.args(["mutants", "--package", PACKAGE, "--jobs=1", "--output"]).arg(&folder);
        command.args(files.iter().flat_map(|file| ["--file", file])).env("CARGO_TARGET_DIR", &folder);
        let status = command.status().context("cannot start cargo-mutants")?;
        match status.code() {
            // All noticed; some missed; some hung. The last two are judged below.
            Some(0 | 2 | 3) => Results::read(&folder.join("mutants.out")),
            _ => bail!("cargo-mutants failed ({status})"),
        }
    })?;
    eprintln!("{}", results.summary());
    let problems = results.problems(&explained, files.is_empty());
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        count => bail!("mutants: {count} to mend, see above"),
    }
}

/// The names of the faults, each without its line: a name has to survive a change above it.
#[derive(Debug, Default)]
struct Results {
    caught: Vec<String>,
    hung: Vec<String>,
    missed: Vec<String>,
    unviable: Vec<String>,
}

impl Results {
    fn read(folder: &Path) -> Result<Self> {
        let read = |name: &str| -> Result<Vec<String>> {
            let path = folder.join(name);
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok(text.lines().map(name_of).collect())
        };
        Ok(Self {
            caught: read("caught.txt")?,
            hung: read("timeout.txt")?,
            missed: read("missed.txt")?,
            unviable: read("unviable.txt")?,
        })
    }

    /// A hang counts as noticed: the test runner stops it and names the test.
    fn noticed(&self) -> usize {
        self.caught.len() + self.hung.len()
    }

    fn counted(&self) -> usize {
        self.noticed() + self.missed.len()
    }

    fn summary(&self) -> String {
        let (noticed, counted) = (self.noticed(), self.counted());
        let (tenths, hung, unviable) =
            (noticed * 1000 / counted.max(1), self.hung.len(), self.unviable.len());
        format!(
            "{noticed} of {counted} faults were noticed: {}.{} % ({hung} by a hang; {unviable} more do not compile)",
            tenths / 10,
            tenths % 10
        )
    }

    /// What keeps the run from passing; `whole` says that every file was changed.
    fn problems(&self, explained: &[String], whole: bool) -> Vec<String> {
        if self.counted() == 0 {
            return vec!["no fault was tried: check --files".to_owned()];
        }
        let mut problems = Vec::new();
        if self.noticed() * 100 < self.counted() * LEAST {
            problems.push(format!("write tests: fewer than {LEAST} % were noticed"));
        }
        let mut explained = explained.to_vec();
        for name in &self.missed {
            match explained.iter().position(|other| other == name) {
                Some(row) => {
                    explained.swap_remove(row);
                }
                None => problems.push(format!("write a test, or explain in {PAGE}: {name}")),
            }
        }
        let stale = explained.iter().filter(|_| whole);
        problems.extend(stale.map(|name| format!("take out of {PAGE}, it is noticed or gone: {name}")));
        problems
    }
}

/// `a.rs: replace x with y` from `crates/auth-core/src/a.rs:1:2: replace x with y`.
fn name_of(line: &str) -> String {
    let mut parts = line.splitn(4, ':');
    let (Some(path), Some(_), Some(_), Some(fault)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return line.to_owned();
    };
    let path = path.split_once("/src/").map_or(path, |(_, path)| path);
    format!("{path}:{fault}")
}

/// The first cells of the rows `` | `fault` | reason | ``, in which a `|` is written `\|`.
fn explained(page: &str) -> Result<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let row = row.replace("\\|", "\0");
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        match cells[..] {
            ["", name, reason, ""] if !reason.is_empty() => Ok(name.trim_matches('`').replace('\0', "|")),
            _ => bail!("{PAGE}: write each survivor as: | `fault` | reason |"),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn results(caught: usize, missed: &[&str]) -> Results {
        Results { caught: vec!["x".to_owned(); caught], missed: names(missed), ..Results::default() }
    }

    #[test]
    fn a_fault_is_named_without_its_line() {
        let line = "crates/auth-core/src/exchange/error.rs:12:9: replace a::b -> Option<c> with None";
        assert_eq!(name_of(line), "exchange/error.rs: replace a::b -> Option<c> with None");
    }

    #[test]
    fn the_files_of_a_run_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("caught.txt", "crates/a/src/b.rs:1:2: one\ncrates/a/src/b.rs:3:4: two\n"),
            ("timeout.txt", "crates/a/src/b.rs:5:6: three\n"),
            ("missed.txt", "crates/a/src/b.rs:7:8: four\n"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        assert!(Results::read(folder.path()).is_err(), "a file is missing");
        fs::write(folder.path().join("unviable.txt"), "").unwrap();
        let results = Results::read(folder.path()).unwrap();
        assert_eq!(results.missed, ["b.rs: four"]);
        assert_eq!(
            results.summary(),
            "3 of 4 faults were noticed: 75.0 % (1 by a hang; 0 more do not compile)"
        );
    }

    #[test]
    fn less_than_the_least_share_fails_even_when_all_is_explained() {
        assert!(results(9, &["a"]).problems(&names(&["a"]), true).is_empty());
        let problems = results(8, &["a"]).problems(&names(&["a"]), true);
        assert_eq!(problems, ["write tests: fewer than 90 % were noticed"]);
    }

    #[test]
    fn a_survivor_needs_a_row_of_its_own() {
        let problems = results(99, &["a", "a"]).problems(&names(&["a"]), true);
        assert_eq!(problems, ["write a test, or explain in docs/mutation.md: a"]);
    }

    #[test]
    fn a_row_without_a_survivor_is_refused_when_every_file_was_tried() {
        let results = results(99, &[]);
        assert!(results.problems(&names(&["a"]), false).is_empty());
        let problems = results.problems(&names(&["a"]), true);
        assert_eq!(problems, ["take out of docs/mutation.md, it is noticed or gone: a"]);
    }

    #[test]
    fn a_run_without_faults_does_not_pass() {
        assert_eq!(results(0, &[]).problems(&[], false), ["no fault was tried: check --files"]);
    }

    #[test]
    fn a_row_is_read_with_its_escapes_and_needs_a_reason() {
        let page = "# x\n\n| survivor | why |\n|---|---|\n| `a.rs: replace \\|\\| with &&` | equal |\n";
        assert_eq!(explained(page).unwrap(), ["a.rs: replace || with &&"]);
        assert!(explained("| `a` | |\n").is_err());
        assert!(explained("| `a` |\n").is_err());
    }

    #[test]
    fn the_page_itself_can_be_read() {
        let workspace = Workspace::find().unwrap();
        explained(&fs::read_to_string(workspace.root.join(PAGE)).unwrap()).unwrap();
    }
}
