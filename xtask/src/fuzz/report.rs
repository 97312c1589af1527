//! What libFuzzer says at the end of a run.

use std::fmt;

/// The figures of a run that found nothing.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    executions: u64,
    per_second: u64,
    /// How many edges were taken, of how many.
    edges: (u64, u64),
}

impl Report {
    /// Reads the figures from the log of a run.
    pub(super) fn read(log: &str) -> Option<Self> {
        let number = |before: &str| -> Option<u64> {
            let (_, after) = log.rsplit_once(before)?;
            let digits = after.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        Some(Self {
            executions: number("stat::number_of_executed_units:")?,
            per_second: number("stat::average_exec_per_sec:")?,
            edges: (number(" cov:")?, number("Loaded 1 modules   (")?),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, per_second, edges: (taken, all) } = self;
        write!(formatter, "{executions} executions, {per_second}/s, {taken} of {all} edges")
    }
}

/// The log has all of it.
const SHOWN: usize = 300;

/// Returns what went wrong and the file with the input, if something went wrong.
pub(super) fn broken(log: &str) -> Option<(String, &str)> {
    let (before, after) = log.rsplit_once("Test unit written to ")?;
    let panic = || {
        let (_, said) = before.rsplit_once("panicked at ")?;
        let ends = |line: &str| ["stack backtrace:", "note: ", "=="].iter().any(|end| line.starts_with(end));
        let said: Vec<&str> = said.lines().take_while(|line| !ends(line)).take(4).collect();
        Some(said.join(" ").chars().take(SHOWN).collect())
    };
    let limit = || log.lines().find_map(|line| line.split_once("ERROR: ").map(|(_, error)| error.to_owned()));
    Some((panic().or_else(limit).unwrap_or_default(), after.lines().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_quiet_run_are_read() {
        let log = "INFO: Loaded 1 modules   (15805 inline 8-bit counters): 15805 [0x5, 0x6),\n\
                   #9\tINITED cov: 7 ft: 8 corp: 2/9b\n#146797\tDONE   cov: 2197 ft: 7870 corp: 1183/81Kb\n\
                   stat::number_of_executed_units: 146797\nstat::average_exec_per_sec:     1613\n";
        let report = Report::read(log).unwrap();
        assert_eq!(report.to_string(), "146797 executions, 1613/s, 2197 of 15805 edges");
        assert_eq!((broken(log), Report::read("")), (None, None));
    }

    #[test]
    fn a_broken_promise_is_told_with_its_input() {
        let log = "INFO: Seed: 1\nthread '<unnamed>' panicked at a.rs:1:2:\nan expired lease\nnote: run with more\n\
                   ==7== ERROR: libFuzzer: deadly signal\nTest unit written to found/crash-1\nBase64: eA==\n";
        assert_eq!(broken(log), Some(("a.rs:1:2: an expired lease".to_owned(), "found/crash-1")));
        let log = "ALARM: working on the last Unit for 10 seconds\nTest unit written to found/timeout-1\n\
                   ==7== ERROR: libFuzzer: timeout after 10 seconds\n";
        assert_eq!(broken(log), Some(("libFuzzer: timeout after 10 seconds".to_owned(), "found/timeout-1")));
    }
}
