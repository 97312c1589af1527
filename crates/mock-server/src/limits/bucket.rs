//! One token bucket.

use std::time::Duration;

/// A minute in nanoseconds, which is also how many units one token counts: a bucket of `n` a minute then
/// gains `n` units each nanosecond, and no rounding ever happens.
const MINUTE: i128 = 60_000_000_000;

/// A bucket that starts full and refills evenly.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) per_minute: u32,
    /// How many tokens it holds.
    burst: u32,
    /// What is in it, in units of which a token has [`MINUTE`]. Negative: in debt.
    level: i128,
    at: Duration,
}

impl Bucket {
    pub(super) fn new(per_minute: u32, burst: u32) -> Self {
        let (per_minute, burst) = (per_minute.max(1), burst.max(1));
        Self { per_minute, burst, level: i128::from(burst) * MINUTE, at: Duration::ZERO }
    }

    fn capacity(&self) -> i128 {
        i128::from(self.burst) * MINUTE
    }

    pub(super) fn refill(&mut self, now: Duration) {
        let passed = i128::try_from(now.saturating_sub(self.at).as_nanos()).unwrap_or(i128::MAX);
        let gained = passed.saturating_mul(i128::from(self.per_minute));
        self.level = self.level.saturating_add(gained).min(self.capacity());
        self.at = self.at.max(now);
    }

    /// How long until `tokens` are there, or until the bucket is full where it can never hold as many.
    pub(super) fn wait_for(&mut self, now: Duration, tokens: u64) -> Duration {
        self.refill(now);
        let needed = i128::from(tokens) * MINUTE;
        if needed > self.capacity() {
            return self.until(self.capacity()).max(Duration::from_secs(1));
        }
        self.until(needed)
    }

    pub(super) fn until_full(&self) -> Duration {
        self.until(self.capacity())
    }

    fn until(&self, level: i128) -> Duration {
        let missing = (level - self.level).max(0);
        let per_nano = i128::from(self.per_minute);
        let nanos = missing / per_nano + i128::from(missing % per_nano > 0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    pub(super) fn take(&mut self, tokens: u64) {
        self.level = self.level.saturating_sub(i128::from(tokens) * MINUTE);
    }

    pub(super) fn remaining(&self) -> u64 {
        u64::try_from(self.level.max(0) / MINUTE).unwrap_or(u64::MAX)
    }

    /// How full it is, in millionths.
    pub(super) fn full_share(&self) -> i128 {
        self.level.saturating_mul(1_000_000) / self.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_never_holds_more_than_a_minute() {
        let mut bucket = Bucket::new(3, 3);
        bucket.refill(Duration::MAX);
        assert_eq!(bucket.remaining(), 3);
        assert_eq!(bucket.until_full(), Duration::ZERO);
    }

    #[test]
    fn time_that_goes_back_refills_nothing() {
        let mut bucket = Bucket::new(60, 60);
        bucket.refill(Duration::from_secs(10));
        bucket.take(60);
        bucket.refill(Duration::from_secs(1));
        assert_eq!(bucket.remaining(), 0);
        bucket.refill(Duration::from_secs(11));
        assert_eq!(bucket.remaining(), 1);
    }
}
