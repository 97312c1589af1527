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
        size, on one thread. The line split finds the ends of lines and nothing else; the borrowed framer checks no UTF-8. A \
        piece costs all of them something beside its bytes, so sizes are compared by the share of the line split.",
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
    let mut spreads: Vec<_> = WHO.iter().filter_map(|who| spread(&all, who, None)).collect();
    spreads.extend(spread(&all, &OURS, Some(&LINES)));
    all.extend(spreads);
    Ok(all)
}

/// How much faster a contender is with its best size of pieces than with its worst, round by round: by itself, or by what it has
/// of `floor`'s speed with the same size.
fn spread(all: &[Figure], who: &Contender, floor: Option<&Contender>) -> Option<Figure> {
    let speeds = |of: &Contender| -> Vec<&Figure> {
        CHUNKS.iter().filter_map(|(case, _)| figure::find(all, case, of.name)).collect()
    };
    let (own, floors) = (speeds(who), floor.map(speeds));
    let rounds = own.iter().map(|figure| figure.samples.len()).min()?;
    let in_round =
        |figures: &[&Figure], size: usize, round: usize| figures.get(size)?.samples.get(round).copied();
    let samples = (0..rounds).map(|round| {
        let shares = (0..CHUNKS.len()).filter_map(|size| {
            let floor = floors.as_ref().map_or(Some(1.0), |floors| in_round(floors, size, round))?;
            Some(in_round(&own, size, round)? / floor)
        });
        let (least, most) =
            shares.fold((f64::INFINITY, 0.0f64), |(least, most), share| (least.min(share), most.max(share)));
        most / least
    });
    let of = floor.map_or(String::new(), |floor| format!(", ÷ {}", floor.name));
    Some(Figure {
        case: format!("best size ÷ worst size{of}"),
        contender: who.name.to_owned(),
        unit: "×",
        samples: samples.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speeds(who: &Contender, speeds: [f64; 4]) -> Vec<Figure> {
        let sizes = CHUNKS.iter().zip(speeds);
        let figure = |((case, _), speed): (&(&str, usize), f64)| Figure {
            case: (*case).to_owned(),
            contender: who.name.to_owned(),
            unit: "MB/s",
            samples: vec![speed, 2.0 * speed],
        };
        sizes.map(figure).collect()
    }

    #[test]
    fn a_spread_is_of_the_speeds_or_of_what_they_are_of_the_floor() {
        let mut all = speeds(&OURS, [4.0, 6.0, 8.0, 9.0]);
        all.extend(speeds(&LINES, [8.0, 12.0, 10.0, 18.0]));
        assert_eq!(spread(&all, &OURS, None).unwrap().samples, [9.0 / 4.0; 2]);
        assert_eq!(spread(&all, &OURS, Some(&LINES)).unwrap().samples, [0.8 / 0.5; 2]);
    }
}
