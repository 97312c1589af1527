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
    pub(super) fn new(ceiling: Option<Rate>, now: u64) -> Self {
        Self { ceiling, bucket: ceiling.map(|rate| Bucket::full(rate, now)) }
    }

    /// Takes note of what the server said. Only its newest word may raise anything, and `uncounted` is what it may not
    /// have counted yet when it said that.
    pub(super) fn hear(&mut self, now: u64, window: Window, is_newest: bool, uncounted: u128) {
        if let Some(limit) = window.limit.filter(|limit| *limit > 0) {
            self.adopt(now, not_quite(limit), is_newest, uncounted);
        }
        let (Some(remaining), Some(bucket)) = (window.remaining, &mut self.bucket) else { return };
        bucket.lower_to(remaining);
        if is_newest && self.ceiling.is_none() {
            let uncounted = u64::try_from(uncounted).unwrap_or(u64::MAX);
            bucket.raise_to(remaining.saturating_sub(uncounted));
        }
    }

    fn adopt(&mut self, now: u64, told: Rate, is_newest: bool, uncounted: u128) {
        let rate = self.ceiling.map_or(told, |ceiling| told.and(ceiling));
        match &mut self.bucket {
            None => {
                let mut bucket = Bucket::full(rate, now);
                bucket.take(u64::try_from(uncounted).unwrap_or(u64::MAX));
                self.bucket = Some(bucket);
            }
            Some(bucket) if is_newest || rate.amount() < bucket.rate().amount() => bucket.change(rate),
            Some(_) => {}
        }
    }
}

/// The server's limit, with a burst that is a hundredth smaller. A request is on its way for a while, and until it arrives
/// the server's full bucket gains nothing, while ours does: without room for that, the last of a burst would be refused.
fn not_quite(limit: u64) -> Rate {
    let margin = limit.div_ceil(100).min(limit.saturating_sub(1));
    Rate::per_minute(limit).with_burst(limit - margin)
}
