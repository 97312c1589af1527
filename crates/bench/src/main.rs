//! The program behind `cargo xtask bench`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its terminal")]

use std::process::ExitCode;

use anyhow::Result;
use bench::{
    benchmarks::{self, Benchmark},
    conditions::{self, Ticks},
    goals,
    page::{self, Section},
    stand::Stand,
};
use clap::Parser;

/// Measures, compares with the goals, and writes docs/benchmarks.md.
#[derive(Debug, Parser)]
struct Arguments {
    /// So little work that it only shows that everything runs; writes no page
    #[arg(long)]
    quick: bool,
    /// Leave out other people's clients; writes no page
    #[arg(long)]
    no_peers: bool,
    /// Which benchmarks; all of them but `build` if none is named
    #[arg(value_parser = names())]
    benchmarks: Vec<String>,
}

fn names() -> Vec<&'static str> {
    benchmarks::ALL.iter().map(|benchmark| benchmark.name).collect()
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let stand = Stand::beside_this_program()?.quick(arguments.quick).peers(!arguments.no_peers);
    let asked = |benchmark: &&Benchmark| {
        (arguments.benchmarks.is_empty() && !benchmark.only_by_name)
            || arguments.benchmarks.iter().any(|name| name == benchmark.name)
    };
    let mut sections = Vec::new();
    for benchmark in benchmarks::ALL.iter().filter(asked) {
        let section = measure(&stand, *benchmark)?;
        println!("{}", section.text());
        sections.push(section);
    }
    if !arguments.quick && !arguments.no_peers {
        page::write(stand.root(), &sections)?;
    }
    let missed: Vec<_> =
        sections.iter().flat_map(|section| &section.verdicts).filter(|verdict| !verdict.kept()).collect();
    for verdict in &missed {
        eprintln!("missed: {}, {}", verdict.goal.what(), verdict.goal.limit());
    }
    // With little work, the figures mean nothing.
    Ok(if missed.is_empty() || arguments.quick { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(stand: &Stand, benchmark: Benchmark) -> Result<Section> {
    let before = Ticks::now()?;
    let figures = (benchmark.run)(stand)?;
    let conditions = Ticks::now()?.since(&before, conditions::load()?);
    let verdicts = goals::judge(&goals::all()?, benchmark.name, &figures);
    let when = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
    Ok(Section { benchmark, when, machine: conditions::machine(), conditions, figures, verdicts })
}
