//! What a program that says hello costs to build, and how large it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::{Benchmark, number};
use crate::conditions::Ticks;
use crate::figure::Figure;
use crate::page;
use crate::stand::Stand;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "build",
    about: "What the smallest program with a client costs to build in release from nothing, in processor time of all that \
        cargo starts, once; how many crates are in it, itself included; how large it is without symbols. Sources are \
        fetched before.",
    run,
    only_by_name: true,
    table: page::one_figure_a_row,
    chart: None,
};

/// The folders in `crates/bench/hello`, and what they are called on the page.
const PROGRAMS: [(&str, &str); 5] = [
    ("ours", "ours"),
    ("reqwest", "bare reqwest"),
    ("reqwest-ring", "bare reqwest with ring"),
    ("genai", "genai"),
    ("anthropic-ai-sdk", "anthropic-ai-sdk"),
];

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let mut all = Vec::new();
    for (folder, contender) in PROGRAMS {
        let program = Program::new(stand, folder);
        // Our own dependencies may have changed since its lock file was written: this follows them.
        program.cargo(&["fetch", "--quiet"])?;
        let measured = [
            ("processor time", "s", program.build()?),
            ("crates", "crates", program.crates()?),
            ("size", "MB", program.size()?),
        ];
        all.extend(measured.map(|(case, unit, value)| Figure {
            case: case.to_owned(),
            contender: contender.to_owned(),
            unit,
            samples: vec![value],
        }));
    }
    all.sort_by(|left, right| left.case.cmp(&right.case));
    Ok(all)
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
    fn every_program_has_a_lock_file() {
        let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("hello");
        for (folder, _) in PROGRAMS {
            assert!(hello.join(folder).join("Cargo.lock").is_file(), "{folder}");
        }
    }
}
