//! The events of a stream, as types.

use anyhow::Result;
use bench_probe::{Task, Work};

use super::{Benchmark, figures, number};
use crate::figure::Figure;
use crate::page;
use crate::script;
use crate::server::Script;
use crate::stand::{ANTHROPIC_AI_SDK, GENAI, HYPER, OURS, OURS_HYPER, PYTHON, REQWEST, Stand, TYPESCRIPT};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "events",
    about: "What one event of a stream costs, from the socket to a typed event with its own text, in the contender's \
        processor time, kernel included. The floor is bare reqwest with a framer that borrows, checks nothing and knows no \
        event but the deltas of text; it adds nothing up, where ours also keeps the message so far.",
    run,
    only_by_name: false,
    table: page::one_figure_a_row,
    chart: None,
};

const DELTAS: usize = 20_000;
const STREAMS: usize = 20;

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let mut all = Vec::new();
    for (case, chunk) in [("chunks of 16 KiB", 16 << 10), ("one event a chunk", 0)] {
        let deltas = stand.count(DELTAS);
        let server = stand.server(&Script::Stream { deltas, chunk })?;
        let task = Task {
            work: Work::Streams,
            url: server.url().to_owned(),
            count: STREAMS,
            warm_up: 2,
            in_flight: 1,
            input: String::new(),
            chunk: 0,
        };
        let who = [&OURS, &OURS_HYPER, &REQWEST, &HYPER, &GENAI, &ANTHROPIC_AI_SDK, &PYTHON, &TYPESCRIPT];
        let events = number(script::events(deltas).len());
        let text = script::text_of(deltas);
        let label = format!("events, {case}");
        let turns =
            stand.take_turns(&label, &who, stand.rounds(11, 3), &task, |count| count as u64 * text)?;
        all.extend(figures(case, "ns", &turns, |report, count| number(report.cpu_ns) / count / events));
    }
    Ok(all)
}
