//! How long calls take when many are under way.

use anyhow::Result;
use bench_probe::{Task, Work};

use super::{Benchmark, figures, number};
use crate::figure::Figure;
use crate::page;
use crate::script;
use crate::server::Script;
use crate::stand::{ANTHROPIC_AI_SDK, GENAI, HYPER, OURS, OURS_HYPER, PYTHON, REQWEST, Stand, TYPESCRIPT};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "p99",
    about: "How long a call takes at the 99th percentile while 64 callers of one client make one call after the other, by \
        the clock on the wall. One thread, one processor, 64 connections.",
    run,
    only_by_name: false,
    table: page::one_figure_a_row,
    chart: None,
};

const IN_FLIGHT: usize = 64;

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let server = stand.server(&Script::Message)?;
    let calls = |full| stand.count(full).next_multiple_of(IN_FLIGHT);
    let task = Task {
        work: Work::Crowd,
        url: server.url().to_owned(),
        count: calls(300 * IN_FLIGHT),
        warm_up: calls(20 * IN_FLIGHT),
        in_flight: IN_FLIGHT,
        input: String::new(),
        chunk: 0,
    };
    let who = [&OURS, &OURS_HYPER, &REQWEST, &HYPER, &GENAI, &ANTHROPIC_AI_SDK, &PYTHON, &TYPESCRIPT];
    let text = script::ANSWER.len() as u64;
    // Each caller makes the same number of calls.
    let expected = |count: usize| count.next_multiple_of(IN_FLIGHT) as u64 * text;
    let turns = stand.take_turns("p99", &who, stand.rounds(11, 3), &task, expected)?;
    Ok(figures("99th percentile", "ms", &turns, |report, _| number(report.p99_ns) / 1e6))
}
