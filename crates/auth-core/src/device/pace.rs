//! When the next poll may be.

use std::time::Duration;

use serde_json::Value;

/// What each `slow_down` adds (RFC 8628 section 3.5).
const STEP: Duration = Duration::from_secs(5);
/// Failures alone never make the gap longer than this, or than twice the interval if that is longer.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// The gap between an answer and the next poll; the interval in it never shrinks.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// The last gap, which the next failure in a row doubles.
    gap: Duration,
}

impl Pace {
    #[inline]
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, gap: interval }
    }

    /// The server is up and the user is not done.
    #[inline]
    pub(super) fn pending(&mut self) -> Duration {
        self.gap = self.interval;
        self.gap
    }

    /// The server wants fewer polls from now on, and may say how few.
    #[inline]
    pub(super) fn slow_down(&mut self, told: Option<Duration>) -> Duration {
        self.interval = self.interval.saturating_add(STEP).max(told.unwrap_or_default());
        self.pending()
    }

    /// There was no answer, or none of the server's own.
    #[inline]
    pub(super) fn failed(&mut self, retry_after: Option<Duration>) -> Duration {
        let longest = self.interval.saturating_mul(2).max(MAX_BACKOFF);
        self.gap = self.gap.saturating_mul(2).min(longest);
        self.gap.max(retry_after.unwrap_or_default())
    }
}

/// Reads a number of seconds, quoted or not; a negative one is none, and one too large is the longest there is.
#[inline]
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    let seconds: f64 = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    (!seconds.is_nan()).then(|| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}
