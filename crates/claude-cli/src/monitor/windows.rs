//! The last hours in memory, minute by minute: what alarms and the page go by, whatever the disk does.

use std::collections::BTreeMap;

use super::{
    history::{HOUR, MINUTE, Place},
    outcome::Outcome,
    summary::Summary,
};
use crate::args::Probe;

/// How far back it reaches, in seconds.
pub(super) const REACH: i64 = 6 * HOUR;

/// Summaries of minutes, by when they begin.
#[derive(Debug, Default)]
pub(super) struct Windows(BTreeMap<Place, Summary>);

impl Windows {
    pub(super) fn new(minutes: Vec<(Place, Summary)>) -> Self {
        Self(minutes.into_iter().collect())
    }

    /// Takes in what has just run, whatever the wall clock said then.
    pub(super) fn hear(&mut self, outcome: &Outcome, now: i64) {
        let minute = now - now.rem_euclid(MINUTE);
        self.0.entry((outcome.probe, minute)).or_default().add(outcome);
        self.0.retain(|(_, at), _| *at >= minute - REACH);
    }

    /// The last `seconds` before `now`, to the minute.
    pub(super) fn over(&self, probe: Probe, now: i64, seconds: i64) -> Summary {
        let mut sum = Summary::default();
        for (_, summary) in self.0.range((probe, now - seconds + 1)..=(probe, now)) {
            sum.merge(summary);
        }
        sum
    }

    /// The minutes from `since` on.
    pub(super) fn minutes(&self, since: i64) -> Vec<(Place, Summary)> {
        let minutes = self.0.iter().filter(|((_, at), _)| *at >= since);
        minutes.map(|(place, summary)| (*place, summary.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn run(probe: Probe) -> Outcome {
        Outcome { probe, at: 4_000_000_000, took: Duration::from_millis(5), failure: None }
    }

    #[test]
    fn a_window_holds_what_lies_in_it_of_one_probe() {
        let mut windows = Windows::default();
        for minute in 0..30 {
            windows.hear(&run(Probe::Models), minute * 60 + 20);
        }
        windows.hear(&run(Probe::Stream), 29 * 60);
        let now = 29 * 60 + 30;
        assert_eq!(windows.over(Probe::Models, now, 300).runs(), 5);
        assert_eq!(windows.over(Probe::Models, now, HOUR).runs(), 30);
        assert_eq!(windows.over(Probe::Stream, now, 300).runs(), 1);
        assert_eq!(windows.over(Probe::Models, now + HOUR, 300).runs(), 0);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut windows = Windows::default();
        for minute in 0..2_000 {
            windows.hear(&run(Probe::Models), minute * 60);
        }
        assert_eq!(windows.0.len(), usize::try_from(REACH / MINUTE).unwrap() + 1);
    }
}
