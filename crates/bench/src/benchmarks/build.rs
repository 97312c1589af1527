//! What a program that says hello costs to build, and how large it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::{Benchmark, number};
use crate::conditions::Ticks;
use crate::figure::{Figure, median};
use crate::page;
use crate::stand::Stand;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "build",
    about: "What the smallest program with a client costs to build in release from nothing, in processor time of all that \
        cargo starts, once; how many crates are in it, itself included; how large it is without symbols. Sources are \
        fetched before. Each makes one call. Ours is given its key, as bare reqwest and two of the others are; three read one \
        from a variable. `from_env` looks there too, and brings what else it may find when the program runs: profiles, sessions, \
        federation. The limit of size holds for the former.",
    run,
    only_by_name: true,
    table: page::one_figure_a_row,
    chart: None,
};

/// The floors and ourselves: the folders in `crates/bench/hello`, and what they are called on the page.
const OURS_AND_FLOORS: [(&str, &str); 4] = [
    ("ours", "ours"),
    ("ours-from-env", "ours, `from_env`"),
    ("reqwest", "bare reqwest"),
    ("reqwest-ring", "bare reqwest with ring"),
];

/// Other people's clients: a folder in `crates/bench/hello` has the name of the crate that its program uses.
const OTHERS: [&str; 5] =
    ["anthropic-ai-sdk", "genai", "misanthropic", "mixtape-anthropic-sdk", "rust-claude-sdk"];

/// What the figures of the others are summed up as.
const MEDIAN: &str = "median of the others";

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let mut all = Vec::new();
    for (folder, contender) in OURS_AND_FLOORS {
        all.extend(Program::new(stand, folder).figures(contender)?);
    }
    let mut others = Vec::new();
    for package in OTHERS {
        let program = Program::new(stand, package);
        let contender = format!("{package} {}", program.version(package)?);
        others.extend(program.figures(&contender)?);
    }
    all.extend(medians(&others));
    all.append(&mut others);
    all.sort_by(|left, right| left.case.cmp(&right.case));
    Ok(all)
}

/// One figure for each case: the median of the figures of all in it.
fn medians(figures: &[Figure]) -> Vec<Figure> {
    let cases: BTreeSet<&str> = figures.iter().map(|figure| figure.case.as_str()).collect();
    let median_of = |case: &str| {
        let mut found = figures.iter().filter(|figure| figure.case == case).peekable();
        let unit = found.peek()?.unit;
        let samples: Vec<f64> = found.map(Figure::median).collect();
        let (case, contender) = (case.to_owned(), MEDIAN.to_owned());
        Some(Figure { case, contender, unit, samples: vec![median(&samples)] })
    };
    cases.into_iter().filter_map(median_of).collect()
}

/// One of the packages, and where it is built.
#[derive(Debug)]
struct Program {
    name: String,
    manifest: PathBuf,
    target: PathBuf,
}

impl Program {
    fn new(stand: &Stand, folder: &str) -> Self {
        let manifest = stand.root().join("crates/bench/hello").join(folder).join("Cargo.toml");
        let target = stand.target().join("bench/hello").join(folder);
        Self { name: format!("hello-{folder}"), manifest, target }
    }

    /// Everything that is measured of it.
    fn figures(&self, contender: &str) -> Result<[Figure; 3]> {
        // Our own dependencies may have changed since its lock file was written: this follows them.
        self.cargo(&["fetch", "--quiet"])?;
        let figure = |case: &str, unit, value| {
            let (case, contender) = (case.to_owned(), contender.to_owned());
            Figure { case, contender, unit, samples: vec![value] }
        };
        Ok([
            figure("processor time", "s", self.build()?),
            figure("crates", "crates", self.crates()?),
            figure("size", "MB", self.size()?),
        ])
    }

    /// The version of a package that its lock file fixes.
    fn version(&self, package: &str) -> Result<String> {
        let path = self.manifest.with_file_name("Cargo.lock");
        let lock = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        page::locked_version(&lock, package)
            .with_context(|| format!("{package} is not in {}", path.display()))
    }

    /// Builds it from nothing, and returns the processor time in seconds.
    fn build(&self) -> Result<f64> {
        if self.target.exists() {
            fs::remove_dir_all(&self.target)
                .with_context(|| format!("cannot empty {}", self.target.display()))?;
        }
        let before = Ticks::now()?;
        let target = self.target.to_string_lossy();
        self.cargo(&["build", "--quiet", "--release", "--locked", "--offline", "--target-dir", &target])?;
        Ok(Ticks::now()?.seconds_since(&before))
    }

    fn crates(&self) -> Result<f64> {
        let tree =
            self.cargo(&["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"])?;
        Ok(number(packages(&tree).len()))
    }

    fn size(&self) -> Result<f64> {
        let path = self.target.join("release").join(&self.name);
        let size = fs::metadata(&path).with_context(|| format!("{} was not built", path.display()))?.len();
        Ok(number(size) / 1e6)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("cargo");
        command.args(arguments).arg("--manifest-path").arg(&self.manifest).stdin(Stdio::null());
        // Its folder decides about settings, and nothing of a cargo that may have started this.
        command.current_dir(self.manifest.parent().unwrap_or(Path::new("."))).stderr(Stdio::inherit());
        let output = command.output().context("cannot start cargo")?;
        ensure!(output.status.success(), "cargo {} failed for {}", arguments.join(" "), self.name);
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The packages in the output of `cargo tree`, each once: what is shown again has a mark.
fn packages(tree: &str) -> BTreeSet<&str> {
    tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_once_however_often_it_is_used() {
        let tree = "hello v0.1.0 (/a)\nbytes v1.0.0\nhttp v1.0.0\nbytes v1.0.0 (*)\nbytes v0.9.0\n\n";
        assert_eq!(packages(tree).len(), 4);
    }

    #[test]
    fn the_median_of_the_others_is_taken_case_by_case() {
        let figure = |case: &str, value| Figure {
            case: case.to_owned(),
            contender: "somebody".to_owned(),
            unit: "s",
            samples: vec![value],
        };
        let of = [figure("size", 3.0), figure("crates", 90.0), figure("size", 9.0), figure("size", 4.0)];
        let found = medians(&of);
        let values: Vec<_> = found.iter().map(|figure| (figure.case.as_str(), figure.median())).collect();
        assert_eq!(values, [("crates", 90.0), ("size", 4.0)]);
        assert!(found.iter().all(|figure| figure.contender == MEDIAN));
    }

    #[test]
    fn every_program_has_a_lock_file() {
        let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("hello");
        let folders = OURS_AND_FLOORS.iter().map(|(folder, _)| *folder).chain(OTHERS);
        for folder in folders {
            assert!(hello.join(folder).join("Cargo.lock").is_file(), "{folder}");
        }
    }
}
