//! Every developer command: `cargo xtask --help` lists them. CI and the README call these and nothing else.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command line speaks to its terminal"
)]

mod ci;
mod deny;
mod layers;
mod markdown;
mod planted;
mod readme;
mod step;
mod test;
mod tidy;
mod tools;

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
    /// Check which crate may depend on which
    Layers,
    /// Check the rules that no compiler checks: file sizes, names, owner files, manifests, links
    Tidy,
    /// Check licences, bans and sources of all dependencies; installs cargo-deny when it is missing
    Deny,
    /// Plant known bugs in a copy of auth-core and demand that its simulation finds each
    Planted,
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
        Command::Layers => layers::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Deny => deny::run(&workspace),
        Command::Planted => planted::run(&workspace),
        Command::Tools => tools::install(&workspace),
    }
}
