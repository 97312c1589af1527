//! Whether the work grows with the input, and no faster.

use anyhow::{Context as _, Result};
use bench_probe::{Task, Work};
use bytes::Bytes;

use super::{Benchmark, figures, number};
use crate::figure::{self, Figure};
use crate::page;
use crate::script;
use crate::stand::{OURS, SSE_STREAM, Stand};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "linear",
    about: "What a byte costs in 64 MiB and in 1 MiB of the same kind, in pieces of 16 KiB: one line, one event of many \
        lines, many events. Work that is not linear in its input shows as a ratio far above 1. Blocks of more than 128 KiB \
        come from the kernel for both: left alone, glibc keeps those of 1 MiB and gives back those of 64, and what shows is \
        how long the kernel takes to clear pages.",
    run,
    only_by_name: false,
    table: page::one_figure_a_row,
    chart: None,
};

const SMALL: usize = 1 << 20;
const LARGE: usize = 64 << 20;
type Make = fn(usize) -> Bytes;
const KINDS: [(&str, Make); 3] = [
    ("one line", script::one_line),
    ("one event of many lines", script::many_lines),
    ("many events", script::many_events),
];

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir().context("no folder for the input")?;
    let input = folder.path().join("input");
    let mut all = Vec::new();
    for (kind, make) in KINDS {
        for (case, size) in
            [(format!("{kind}, 1 MiB"), stand.count(SMALL)), (format!("{kind}, 64 MiB"), stand.count(LARGE))]
        {
            let text = make(size);
            std::fs::write(&input, &text).context("the input cannot be written")?;
            let task = Task {
                work: Work::Decode,
                url: String::new(),
                // As much work for the small input as for the large one.
                count: stand.count(LARGE).div_ceil(size),
                warm_up: 1,
                in_flight: 0,
                input: input.to_string_lossy().into_owned(),
                chunk: 16 << 10,
            };
            let events = text.windows(2).filter(|pair| pair == b"\n\n").count() as u64;
            let label = format!("linear, {case}");
            let expected = |count: usize| count as u64 * events;
            let turns =
                stand.take_turns(&label, &[&OURS, &SSE_STREAM], stand.rounds(5, 3), &task, expected)?;
            let bytes = number(text.len());
            all.extend(figures(&case, "ns/KiB", &turns, |report, count| {
                number(report.cpu_ns) / count / bytes * 1024.0
            }));
        }
    }
    let ratios: Vec<_> = KINDS.iter().flat_map(|(kind, _)| ratios(&all, kind)).collect();
    all.extend(ratios);
    Ok(all)
}

/// What a byte of the large input costs in bytes of the small one.
fn ratios(all: &[Figure], kind: &str) -> Vec<Figure> {
    let contenders = [OURS.name, SSE_STREAM.name].into_iter();
    let ratios = contenders.filter_map(|contender| {
        let of = |size| figure::find(all, &format!("{kind}, {size}"), contender);
        let ratio = of("64 MiB")?.ratio(of("1 MiB")?);
        Some(Figure { case: format!("{kind}, 64 MiB ÷ 1 MiB"), ..ratio })
    });
    ratios.collect()
}
