//! The page `docs/benchmarks.md`: a section for each benchmark, of which only those that were run are written anew.

mod versions;

pub use versions::locked_version;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::benchmarks::{self, Benchmark};
use crate::chart::distinct;
use crate::conditions::Conditions;
use crate::figure::{self, Figure};
use crate::goals::Verdict;
use crate::stand::OURS;

/// What came of one benchmark.
#[derive(Clone, Debug)]
pub struct Section {
    /// Which.
    pub benchmark: Benchmark,
    /// When, as a date and a time.
    pub when: String,
    /// On which machine.
    pub machine: String,
    /// What else the machine did.
    pub conditions: Conditions,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// How the goals came out.
    pub verdicts: Vec<Verdict>,
}

/// Writes the page with these sections, and their charts beside it; the others stay as they are.
///
/// # Errors
///
/// The page cannot be written, or the lock files cannot be read.
pub fn write(root: &Path, sections: &[Section]) -> Result<()> {
    let path = root.join("docs/benchmarks.md");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let mut page = START.to_owned();
    for benchmark in benchmarks::ALL {
        let new = sections.iter().find(|section| section.benchmark.name == benchmark.name);
        match new.map(Section::text).or_else(|| section_of(&old, benchmark.name)) {
            Some(text) => page.push_str(&text),
            None => writeln!(page, "## {}\n\nNot run yet.\n", benchmark.name)?,
        }
    }
    page.push_str(&versions::section(root)?);
    page.push_str(END);
    for Section { benchmark, figures, .. } in sections {
        if let Some(chart) = benchmark.chart {
            let path = root.join("docs").join(benchmark.name).with_extension("svg");
            std::fs::write(&path, chart(figures))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}

const START: &str = "\
# How fast

`cargo xtask bench` writes this page: it builds what is needed, has every contender do the same work in turns, and compares
what came of it with the goals in [goals.json](../crates/bench/goals.json). `cargo xtask bench call` runs one benchmark and
writes its section anew.

Each contender is a process of its own; so is the server, bare hyper on loopback. Where there are two processors, the
contender gets one and the server the other. A figure is the median of some rounds, in brackets the least and the most; a
ratio is the median of the ratios of each round, so that a round that was slow for everybody changes nothing. Absolute
figures are for orientation; ratios are what counts.

";

const END: &str = "\
## What is not measured

TLS, HTTP/2, proxies and compression: everything here is HTTP/1.1 in the clear on loopback. Requests and answers of many
kilobytes. Tool calls, thinking and citations in streams: all deltas are of text, and the floor knows no other. Retries
and renewals of credentials. More than one thread of a client. The crate `claude-sdk` 2.1 of
another author is left out: its address is fixed to the service and its certificates are built in, so it cannot be pointed
at the server here without changing its source.
";

/// The section of an existing page, from its heading to the next one.
fn section_of(page: &str, name: &str) -> Option<String> {
    let heading = format!("## {name}\n");
    let start = page.find(&heading)?;
    let (_, section) = page.split_at(start);
    let end = section.get(3..)?.find("\n## ").map_or(section.len(), |end| end + 4);
    section.get(..end).map(str::to_owned)
}

impl Section {
    /// The section, as it is on the page.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { benchmark, when, machine, conditions, figures, .. } = self;
        let mut text =
            format!("## {}\n\n{}\n\n{when}, {machine}; {conditions}.\n\n", benchmark.name, benchmark.about);
        if !self.verdicts.is_empty() {
            text.push_str("| goal | limit | found | |\n|---|---|---|---|\n");
            for verdict in &self.verdicts {
                let found = verdict.found.as_ref().map_or_else(|| "not measured".to_owned(), shown);
                let word = if verdict.kept() { "kept" } else { "**missed**" };
                let _ = writeln!(
                    text,
                    "| {} | {} | {found} | {word} |",
                    verdict.goal.what(),
                    verdict.goal.limit()
                );
            }
            text.push('\n');
        }
        if benchmark.chart.is_some() {
            let _ = writeln!(text, "![{0}]({0}.svg)\n", benchmark.name);
        }
        text.push_str(&(benchmark.table)(figures));
        text.push('\n');
        text
    }
}

/// A table of every figure by itself, with what ours is of it.
#[must_use]
pub fn one_figure_a_row(figures: &[Figure]) -> String {
    let mut text = "| case | contender | | ours ÷ it |\n|---|---|---|---|\n".to_owned();
    for figure in figures {
        let ours = figure::find(figures, &figure.case, OURS.name);
        let ratio = ours.filter(|ours| ours.contender != figure.contender).map(|ours| ours.ratio(figure));
        let ratio = ratio.map(|ratio| amount(ratio.median())).unwrap_or_default();
        let _ = writeln!(text, "| {} | {} | {} | {ratio} |", figure.case, figure.contender, shown(figure));
    }
    text
}

/// A table with a column for each contender.
#[must_use]
pub fn one_case_a_row(figures: &[Figure]) -> String {
    let contenders = distinct(figures.iter().map(|figure| figure.contender.as_str()));
    let mut text =
        format!("| case | {} |\n|---|{}\n", contenders.join(" | "), "---|".repeat(contenders.len()));
    for case in distinct(figures.iter().map(|figure| figure.case.as_str())) {
        let cells = contenders.iter().map(|contender| {
            let figure = figure::find(figures, case, contender);
            figure.map(|figure| format!("{} {}", amount(figure.median()), figure.unit)).unwrap_or_default()
        });
        let _ = writeln!(text, "| {case} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

/// The median with its unit, and the least and the most.
fn shown(figure: &Figure) -> String {
    let (least, most) = figure.range();
    format!("{} {} ({}–{})", amount(figure.median()), figure.unit, amount(least), amount(most))
}

/// A number with three or so digits that matter.
fn amount(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::Goal;

    fn section() -> Section {
        let figure = |contender: &str, samples: &[f64]| Figure {
            case: "c".to_owned(),
            contender: contender.to_owned(),
            unit: "ns",
            samples: samples.to_vec(),
        };
        let figures =
            vec![figure("ours", &[240.0, 260.0, 250.0]), figure("bare reqwest", &[200.0, 200.0, 200.0])];
        let goal: Goal = serde_json::from_str(
            r#"{"benchmark":"call","case":"c","contender":"ours","of":"bare reqwest","at_most":1.2}"#,
        )
        .unwrap();
        let verdicts = crate::goals::judge(&[goal], "call", &figures);
        let benchmark = *benchmarks::ALL.iter().find(|benchmark| benchmark.name == "call").unwrap();
        let conditions = Conditions { others: 0.5, stolen: 0.0, load: 2.0 };
        let (when, machine) = ("2026-11-28 03:00".to_owned(), "2 × a processor".to_owned());
        Section { benchmark, when, machine, conditions, figures, verdicts }
    }

    #[test]
    fn a_section_says_what_was_found_and_which_goal_was_missed() {
        let text = section().text();
        assert!(
            text.contains("| c: ours ÷ bare reqwest | ≤ 1.2 | 1.25 × (1.20–1.30) | **missed** |"),
            "{text}"
        );
        assert!(text.contains("| c | bare reqwest | 200 ns (200–200) | 1.25 |"), "{text}");
        assert!(text.contains("not quiet: other processes took 50 %"), "{text}");
    }

    #[test]
    fn a_benchmark_that_was_not_run_keeps_its_section() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        let page = root.path().join("docs/benchmarks.md");
        std::fs::write(&page, "# How fast\n\n## sse\n\nkept as it was\n\n## call\n\nold\n\n## end\n")
            .unwrap();
        let old = std::fs::read_to_string(&page).unwrap();
        assert_eq!(section_of(&old, "sse").unwrap(), "## sse\n\nkept as it was\n\n");
        assert_eq!(section_of(&old, "end").unwrap(), "## end\n");
        assert_eq!(section_of(&old, "gone"), None);
    }

    #[test]
    fn amounts_have_the_digits_that_matter() {
        assert_eq!([12_345.6, 12.34, 1.234, 0.001].map(amount), ["12346", "12.3", "1.23", "0.0010"]);
    }
}
