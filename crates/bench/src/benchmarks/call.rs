//! One call that is no stream.

use anyhow::Result;
use bench_probe::{Task, Work};

use super::{Benchmark, figures, number};
use crate::figure::Figure;
use crate::page;
use crate::script;
use crate::server::Script;
use crate::stand::{ANTHROPIC_AI_SDK, GENAI, HYPER, OURS, OURS_HYPER, PYTHON, REQWEST, Stand, TYPESCRIPT};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "call",
    about: "What one call that is no stream costs: request to typed message, one after the other on one connection, in \
        the contender's processor time, kernel included.",
    run,
    only_by_name: false,
    table: page::one_figure_a_row,
    chart: None,
};

/// In one process. Processes differ by a tenth from one another, rounds of one do not: there are rather more of the former.
const CALLS: usize = 6_000;

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let server = stand.server(&Script::Message)?;
    let task = Task {
        work: Work::Calls,
        url: server.url().to_owned(),
        count: stand.count(CALLS),
        warm_up: stand.count(CALLS / 10),
        in_flight: 1,
        input: String::new(),
        chunk: 0,
    };
    let who = [&OURS, &OURS_HYPER, &REQWEST, &HYPER, &GENAI, &ANTHROPIC_AI_SDK, &PYTHON, &TYPESCRIPT];
    let text = script::ANSWER.len() as u64;
    let turns = stand.take_turns("call", &who, stand.rounds(50, 5), &task, |count| count as u64 * text)?;
    Ok(figures("one call", "µs", &turns, |report, count| number(report.cpu_ns) / count / 1000.0))
}
