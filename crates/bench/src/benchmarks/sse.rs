//! Framing alone: bytes to events, without a network and without JSON.

use anyhow::{Context as _, Result};
use bench_probe::{Task, Work};

use super::{Benchmark, figures, number};
use crate::figure::{self, Figure};
use crate::page;
use crate::script;
use crate::stand::{Contender, FRAMER, LINES, OURS, SSE_STREAM, Stand};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "sse",
    about: "How fast bytes become events, without a network and without JSON: a recorded stream of 1 MiB in pieces of one \
        size, on one thread. The line split finds the ends of lines and nothing else; the borrowed framer checks no UTF-8.",
    run,
    only_by_name: false,
    table: page::one_figure_a_row,
    chart: None,
};

const PASSES: usize = 400;
const INPUT: usize = 1 << 20;
const CHUNKS: [(&str, usize); 4] =
    [("1 KiB", 1 << 10), ("4 KiB", 4 << 10), ("16 KiB", 16 << 10), ("64 KiB", 64 << 10)];
const WHO: [&Contender; 4] = [&OURS, &LINES, &FRAMER, &SSE_STREAM];

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir().context("no folder for the input")?;
    let input = folder.path().join("input");
    let text = script::many_events(stand.count(INPUT));
    std::fs::write(&input, &text).context("the input cannot be written")?;
    let blocks = text.windows(2).filter(|pair| pair == b"\n\n").count() as u64;
    let mut all = Vec::new();
    for (case, chunk) in CHUNKS {
        let task = Task {
            work: Work::Decode,
            url: String::new(),
            count: stand.count(PASSES),
            warm_up: 2,
            in_flight: 0,
            input: input.to_string_lossy().into_owned(),
            chunk,
        };
        let label = format!("sse, {case}");
        let turns =
            stand.take_turns(&label, &WHO, stand.rounds(7, 7), &task, |count| count as u64 * blocks)?;
        let size = number(text.len());
        let speed = |report: &bench_probe::Report, count| size * count / number(report.cpu_ns) * 1000.0;
        all.extend(figures(case, "MB/s", &turns, speed));
    }
    let spreads: Vec<_> = WHO.iter().filter_map(|who| spread(&all, who)).collect();
    all.extend(spreads);
    Ok(all)
}

/// How much faster a contender is with its best size of pieces than with its worst, round by round.
fn spread(all: &[Figure], who: &Contender) -> Option<Figure> {
    let figures: Vec<_> = CHUNKS.iter().filter_map(|(case, _)| figure::find(all, case, who.name)).collect();
    let rounds = figures.iter().map(|figure| figure.samples.len()).min()?;
    let samples = (0..rounds).map(|round| {
        let speeds = figures.iter().filter_map(|figure| figure.samples.get(round)).copied();
        let (least, most) =
            speeds.fold((f64::INFINITY, 0.0f64), |(least, most), speed| (least.min(speed), most.max(speed)));
        most / least
    });
    Some(Figure {
        case: "best size ÷ worst size".to_owned(),
        contender: who.name.to_owned(),
        unit: "×",
        samples: samples.collect(),
    })
}
