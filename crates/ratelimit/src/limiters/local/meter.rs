//! One dimension of a key, as far as it is limited.

use crate::{Rate, Window, bucket::Bucket};

/// What is left of a limit: the lower of the one that was set and the one that the server tells.
#[derive(Debug)]
pub(super) struct Meter {
    /// What was set. The server's word never raises the limit above it.
    ceiling: Option<Rate>,
    /// Nothing while nobody has set or told a limit.
    pub(super) bucket: Option<Bucket>,
}

impl Meter {
    #[inline]
    pub(super) fn new(ceiling: Option<Rate>, now: u64) -> Self {
        Self { ceiling, bucket: ceiling.map(|rate| Bucket::full(rate, now)) }
    }

    /// Takes note of what the server said to one of so many. Only its newest word may raise anything, and `uncounted` is what it may not
    /// have counted yet when it said that.
    #[inline]
    pub(super) fn hear(&mut self, now: u64, window: Window, parts: u64, is_newest: bool, uncounted: u128) {
        if let Some(limit) = window.limit.filter(|limit| *limit > 0) {
            self.adopt(now, (limit / parts).max(1), is_newest, uncounted);
        }
        let (Some(remaining), Some(bucket)) = (window.remaining, &mut self.bucket) else { return };
        // Where anything is left, one may be; but it takes one for each to count on it.
        bucket.lower_to(remaining.div_ceil(parts));
        // What the others have not used yet is theirs.
        if is_newest && parts == 1 && self.ceiling.is_none() {
            let uncounted = u64::try_from(uncounted).unwrap_or(u64::MAX);
            bucket.raise_to(remaining.saturating_sub(uncounted));
        }
    }

    #[inline]
    fn adopt(&mut self, now: u64, limit: u64, is_newest: bool, uncounted: u128) {
        let told = Rate::per_minute(limit);
        let rate = self.ceiling.map_or(told, |ceiling| told.and(ceiling));
        let fill = rate.burst().min(not_quite(limit));
        match &mut self.bucket {
            None => {
                let mut bucket = Bucket::filled_to(fill, rate, now);
                bucket.take(u64::try_from(uncounted).unwrap_or(u64::MAX));
                self.bucket = Some(bucket);
            }
            Some(bucket) if is_newest || rate.amount() < bucket.rate().amount() => {
                bucket.change(fill, rate);
            }
            Some(_) => {}
        }
    }
}

/// A hundredth less than the server's limit. A request is on its way for a while, and until it arrives the server's full
/// bucket gains nothing, while ours does: without room for that, the last of a burst would be refused.
pub(in crate::limiters) fn not_quite(limit: u64) -> u64 {
    limit - limit.div_ceil(100).min(limit.saturating_sub(1))
}
