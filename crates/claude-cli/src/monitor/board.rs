//! All that is known now: what the page shows, what Prometheus reads, and what alarms go by. It is in memory, so that it is there
//! whatever the disk does.

use std::collections::{BTreeMap, VecDeque};

use claude_sdk::RateLimits;

use super::{
    alarm::{Alarms, News, Tolerance},
    history::{History, MINUTE},
    outcome::Outcome,
    summary::Summary,
    windows::{REACH, Windows},
};
use crate::args::Probe;

/// How many failures are shown.
const FAILURES: u32 = 20;

/// The state of a monitor.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) windows: Windows,
    pub(super) alarms: Alarms,
    /// The newest run of each probe.
    pub(super) last: BTreeMap<Probe, Outcome>,
    /// The newest failures, the last one first.
    pub(super) failures: VecDeque<Outcome>,
    /// All runs since this program began.
    pub(super) totals: BTreeMap<Probe, Summary>,
    /// What the newest answer that had any said of the rate limits, and when.
    pub(super) limits: Option<(RateLimits, i64)>,
}

impl Board {
    /// Goes on from the history, if there is one to be read.
    pub(super) fn new(tolerance: Tolerance, history: Option<&History>, now: i64) -> Self {
        let minutes = history.and_then(|history| history.summaries(MINUTE, now - REACH).ok());
        let failures = history.and_then(|history| history.failures(FAILURES).ok());
        let firing = history.and_then(|history| history.firing().ok());
        Self {
            windows: Windows::new(minutes.unwrap_or_default()),
            alarms: Alarms::new(tolerance, &firing.unwrap_or_default()),
            last: BTreeMap::new(),
            failures: failures.unwrap_or_default().into(),
            totals: BTreeMap::new(),
            limits: None,
        }
    }

    /// Takes a run in, and gives what it means for the alarms.
    pub(super) fn hear(&mut self, outcome: &Outcome, limits: RateLimits) -> Vec<News> {
        self.windows.hear(outcome);
        self.totals.entry(outcome.probe).or_default().add(outcome);
        self.last.insert(outcome.probe, outcome.clone());
        if outcome.failure.is_some() {
            self.failures.push_front(outcome.clone());
            self.failures.truncate(usize::try_from(FAILURES).unwrap_or_default());
        }
        // Answers to messages have them.
        let is_new = matches!(outcome.probe, Probe::Message | Probe::Stream) && outcome.failure.is_none();
        if !limits.is_empty() && (is_new || self.limits.is_none()) {
            self.limits = Some((limits, outcome.at));
        }
        self.alarms.hear(outcome, &self.windows)
    }
}
