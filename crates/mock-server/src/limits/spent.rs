//! What was spent in a month.

use std::time::Duration;

/// How long what was spent counts.
pub(super) const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// What one holder has spent.
#[derive(Debug, Default)]
pub(super) struct Spent {
    month: u128,
    millionths: u64,
}

impl Spent {
    /// In the month that is now, in millionths of a dollar.
    pub(super) fn by(&self, now: Duration) -> u64 {
        if self.month == month(now) { self.millionths } else { 0 }
    }

    pub(super) fn add(&mut self, now: Duration, millionths: u64) {
        let millionths = self.by(now).saturating_add(millionths);
        *self = Self { month: month(now), millionths };
    }
}

fn month(now: Duration) -> u128 {
    now.as_nanos() / MONTH.as_nanos()
}
