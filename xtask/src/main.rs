//! Every developer command: `cargo xtask --help` lists them. CI and the README call these and nothing else.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command line speaks to its terminal"
)]

mod bench;
mod ci;
mod deny;
mod fuzz;
mod lab;
mod layers;
mod markdown;
mod mutants;
mod planted;
mod readme;
mod soak;
mod step;
mod test;
mod tidy;
mod tools;
mod workers;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The developer commands of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what the tests need and is missing, then run every test
    Test {
        /// Passed on to the test runner
        #[arg(last = true)]
        runner: Vec<String>,
    },
    /// Run everything that has to pass before a change is merged
    Ci,
    /// Go through the exercise of docs/lab against a mock server, with newman, curl and the library; installs newman when it is missing
    Lab,
    /// Check which crate may depend on which
    Layers,
    /// Check the rules that no compiler checks: file sizes, names, owner files, manifests, links
    Tidy,
    /// Check licences, bans and sources of all dependencies; installs cargo-deny when it is missing
    Deny,
    /// Put small faults into auth-core and check that its tests notice; installs cargo-mutants when it is missing
    Mutants {
        /// Change only the files that match this, such as crates/auth-core/src/flow.rs
        #[arg(long, value_name = "GLOB", num_args = 1..)]
        files: Vec<String>,
    },
    /// Run the fuzz targets of auth-core and transport; a broken promise is an error that names the input
    Fuzz {
        /// How long each target runs
        #[arg(long, default_value_t = fuzz::SECONDS)]
        seconds: u32,
        /// Show that every target can fail: each has to find a bug planted in a copy of auth-core
        #[arg(long, conflicts_with_all = ["seconds", "targets"])]
        planted: bool,
        /// Which targets; all of them if none is named
        #[arg(value_parser = fuzz::TARGETS)]
        targets: Vec<String>,
    },
    /// Plant known bugs in a copy of auth-core and demand that its simulation finds each
    Planted,
    /// Run the trials with many real processes in full number: shared sessions and limits, kills, the official SDKs beside us
    Soak {
        /// Which parts; all of them if none is named
        #[arg(value_parser = soak::PARTS)]
        parts: Vec<String>,
    },
    /// Measure speed and memory side by side with other clients, and write docs/benchmarks.md; fails where a goal is missed
    Bench {
        /// So little work that it only shows that everything runs
        #[arg(long)]
        quick: bool,
        /// Leave out other people's clients: what the goals compare is enough, and builds in a fraction of the time
        #[arg(long)]
        no_peers: bool,
        /// Which benchmarks; all of them but `build`, which takes ten minutes, if none is named
        #[arg(value_parser = bench::BENCHMARKS)]
        benchmarks: Vec<String>,
    },
    /// Install what the tests need, and run nothing
    Tools,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = step::Workspace::find()?;
    match command {
        Command::Test { runner } => test::run(&workspace, &runner),
        Command::Ci => ci::run(&workspace),
        Command::Lab => lab::run(&workspace),
        Command::Layers => layers::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Deny => deny::run(&workspace),
        Command::Mutants { files } => mutants::run(&workspace, &files),
        Command::Fuzz { planted: true, .. } => fuzz::run_planted(&workspace),
        Command::Fuzz { seconds, targets, .. } => fuzz::run(&workspace, &targets, seconds, fuzz::Seed::Fresh),
        Command::Planted => planted::run(&workspace),
        Command::Soak { parts } => soak::run(&workspace, &parts),
        Command::Bench { quick, no_peers, benchmarks } => {
            bench::run(&workspace, bench::Options { quick, no_peers }, &benchmarks)
        }
        Command::Tools => tools::install(&workspace),
    }
}
