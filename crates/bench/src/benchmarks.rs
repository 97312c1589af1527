//! The table of benchmarks, one file each.

mod build;
mod call;
mod events;
mod goodput;
mod linear;
mod memory;
mod p99;
mod sse;

use anyhow::Result;

use crate::figure::Figure;
use crate::stand::{Stand, Turns};

/// A benchmark.
#[derive(Clone, Copy, Debug)]
pub struct Benchmark {
    /// What it is called on the command line and on the page.
    pub name: &'static str,
    /// What is measured, and how, for the page.
    pub about: &'static str,
    /// Measures.
    pub run: fn(&Stand) -> Result<Vec<Figure>>,
    /// It takes so long that it only runs when it is named.
    pub only_by_name: bool,
    /// Turns its figures into a table.
    pub table: fn(&[Figure]) -> String,
    /// Draws them, as SVG, where a picture says more.
    pub chart: Option<fn(&[Figure]) -> String>,
}

/// All of them, in the order of the page.
pub const ALL: &[Benchmark] = &[
    sse::BENCHMARK,
    events::BENCHMARK,
    call::BENCHMARK,
    p99::BENCHMARK,
    memory::BENCHMARK,
    linear::BENCHMARK,
    goodput::BENCHMARK,
    build::BENCHMARK,
];

/// Figures of some turns: a value of each report and of how much was to be done.
fn figures(
    case: &str,
    unit: &'static str,
    turns: &[Turns],
    value: impl Fn(&bench_probe::Report, f64) -> f64,
) -> Vec<Figure> {
    let figure = |turn: &Turns| Figure {
        case: case.to_owned(),
        contender: turn.contender.name.to_owned(),
        unit,
        samples: turn.reports.iter().map(|report| value(report, number(turn.count))).collect(),
    };
    turns.iter().map(figure).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts and times of one run are far below 2^52")]
fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
