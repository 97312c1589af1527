//! Time that nobody sets: windows and alarms go by it, so that a wall clock that is wrong for a moment spoils neither.

use std::{sync::Arc, time::Duration};

use claude_sdk::ratelimit::Timer;

/// From which difference on the wall clock has made a step, in seconds.
const STEP: i64 = 60;
/// How long it has to be ahead before it is believed.
const BELIEVED: Duration = Duration::from_secs(600);

/// Seconds that count on from the wall clock's at the beginning.
#[derive(Debug)]
pub(super) struct Steady {
    timer: Arc<dyn Timer>,
    /// What the wall clock said when the timer was at zero.
    zero: i64,
    ahead_since: Option<Duration>,
}

impl Steady {
    pub(super) fn new(timer: Arc<dyn Timer>, wall: i64) -> Self {
        let zero = wall - seconds(timer.now());
        Self { timer, zero, ahead_since: None }
    }

    /// What time it is, where the wall clock says `wall`. One that stays ahead is believed in the end: the machine has slept,
    /// which no timer counts. One that was set back is not: what was seen before is no future.
    pub(super) fn now(&mut self, wall: i64) -> i64 {
        let passed = self.timer.now();
        let now = self.zero + seconds(passed);
        if wall - now < STEP {
            self.ahead_since = None;
            return now;
        }
        let since = *self.ahead_since.get_or_insert(passed);
        if passed.saturating_sub(since) < BELIEVED {
            return now;
        }
        self.ahead_since = None;
        self.zero = wall - seconds(passed);
        wall
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::held::Held, *};

    #[test]
    fn a_clock_that_is_wrong_for_a_moment_is_not_followed_and_one_that_stays_ahead_is() {
        let timer = Held::default();
        timer.advance(Duration::from_secs(5));
        let mut steady = Steady::new(Arc::new(timer.clone()), 1_000_000);
        let mut after = |passed, wall| {
            timer.advance(Duration::from_secs(passed));
            steady.now(wall)
        };
        assert_eq!(after(0, 1_000_000), 1_000_000);
        // Years ahead for a moment, then far behind, then right.
        assert_eq!(after(60, 2_000_000_000), 1_000_060);
        assert_eq!(after(60, 0), 1_000_120);
        assert_eq!(after(880, 1_001_001), 1_001_000);
        // A night's sleep.
        assert_eq!(after(60, 1_030_060), 1_001_060);
        assert_eq!(after(599, 1_030_659), 1_001_659);
        assert_eq!(after(1, 1_030_660), 1_030_660);
        assert_eq!(after(60, 1_030_720), 1_030_720);
    }
}
