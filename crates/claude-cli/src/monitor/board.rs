//! All that is known now: what the page shows, what Prometheus reads, and what alarms go by. It is in memory, so that it is there
//! whatever the disk does.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use claude_sdk::{RateLimits, ratelimit::Timer};

use super::{
    alarm::{Alarms, News, Tolerance},
    history::{History, MINUTE},
    outcome::Outcome,
    steady::Steady,
    summary::Summary,
    windows::{REACH, Windows},
};
use crate::args::Probe;

/// How many failures are shown.
const FAILURES: u32 = 20;

/// The state of a monitor.
#[derive(Debug)]
pub(super) struct Board {
    /// What `windows` and `alarms` go by.
    pub(super) steady: Steady,
    pub(super) windows: Windows,
    pub(super) alarms: Alarms,
    /// The newest run of each probe.
    pub(super) last: BTreeMap<Probe, Outcome>,
    /// The newest failures, the last one first.
    pub(super) failures: VecDeque<Outcome>,
    /// All runs since this program began.
    pub(super) totals: BTreeMap<Probe, Total>,
    /// What the newest answer that had any said of the rate limits, and when.
    pub(super) limits: Option<(RateLimits, i64)>,
}

/// Runs of a probe, and how long those took in all that went well.
#[derive(Debug, Default)]
pub(super) struct Total {
    pub(super) runs: Summary,
    pub(super) took: Duration,
}

impl Board {
    /// Goes on from the history, if there is one to be read.
    pub(super) fn new(
        tolerance: Tolerance,
        history: Option<&History>,
        timer: Arc<dyn Timer>,
        now: i64,
    ) -> Self {
        let minutes = history.and_then(|history| history.summaries(MINUTE, now - REACH, now).ok());
        let failures = history.and_then(|history| history.failures(FAILURES).ok());
        let firing = history.and_then(|history| history.firing().ok());
        Self {
            steady: Steady::new(timer, now),
            windows: Windows::new(minutes.unwrap_or_default()),
            alarms: Alarms::new(tolerance, &firing.unwrap_or_default()),
            last: BTreeMap::new(),
            failures: failures.unwrap_or_default().into(),
            totals: BTreeMap::new(),
            limits: None,
        }
    }

    /// Takes in what has just run, and gives what it means for the alarms.
    pub(super) fn hear(&mut self, outcome: &Outcome, limits: RateLimits, wall: i64) -> Vec<News> {
        let now = self.steady.now(wall);
        self.windows.hear(outcome, now);
        let total = self.totals.entry(outcome.probe).or_default();
        total.runs.add(outcome);
        self.last.insert(outcome.probe, outcome.clone());
        if outcome.failure.is_none() {
            total.took = total.took.saturating_add(outcome.took);
        } else {
            self.failures.push_front(outcome.clone());
            self.failures.truncate(usize::try_from(FAILURES).unwrap_or_default());
        }
        // Answers to messages have them.
        let is_new = matches!(outcome.probe, Probe::Message | Probe::Stream) && outcome.failure.is_none();
        if !limits.is_empty() && (is_new || self.limits.is_none()) {
            self.limits = Some((limits, outcome.at));
        }
        self.alarms.hear(outcome, now, &self.windows)
    }
}
