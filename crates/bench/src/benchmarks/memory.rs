//! What an open stream holds while it says nothing.

use anyhow::Result;
use bench_probe::{Task, Work};

use super::{Benchmark, figures, number};
use crate::figure::Figure;
use crate::page;
use crate::server::Script;
use crate::stand::{ANTHROPIC_AI_SDK, GENAI, HYPER, OURS, OURS_HYPER, PYTHON, REQWEST, Stand, TYPESCRIPT};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "memory",
    about: "How much resident memory one more open stream takes, after its first event, while nothing comes: 2,000 streams \
        of one client, each on a connection of its own, after 200 that are not counted.",
    run,
    only_by_name: false,
    table: page::one_figure_a_row,
    chart: None,
};

const STREAMS: usize = 2000;

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let server = stand.server(&Script::Idle)?;
    let task = Task {
        work: Work::Idle,
        url: server.url().to_owned(),
        count: stand.count(STREAMS),
        warm_up: stand.count(STREAMS / 10),
        in_flight: 0,
        input: String::new(),
        chunk: 0,
    };
    let who = [&OURS, &OURS_HYPER, &REQWEST, &HYPER, &GENAI, &ANTHROPIC_AI_SDK, &PYTHON, &TYPESCRIPT];
    let turns = stand.take_turns("memory", &who, stand.rounds(5, 3), &task, |count| count as u64)?;
    Ok(figures("one idle stream", "KiB", &turns, |report, count| number(report.resident) / count / 1024.0))
}
