//! One limit, counted in whole numbers: a token bucket, which is GCRA seen from the other side.

use crate::Rate;

/// A minute in nanoseconds, and how many units one token counts: a bucket of `n` a minute gains `n` units each
/// nanosecond, so nothing is ever rounded and no rate is out of true.
const TOKEN: i128 = 60_000_000_000;

/// The longest debt, in minutes of the rate: whatever is settled, somebody is served again within the hour.
const MOST_DEBT: i128 = 60;

/// What is left of one limit. Every time is in nanoseconds and below [`FOREVER`](crate::moment::FOREVER), so that no sum
/// or product here reaches 127 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// How many tokens it fills up to; some may be left to somebody who counts more strictly.
    fill: u64,
    /// The level of a full bucket, and of the deepest debt.
    bounds: (i128, i128),
    /// In units; below zero there is a debt.
    level: i128,
    at: u64,
}

impl Bucket {
    #[inline]
    pub(crate) fn full(rate: Rate, now: u64) -> Self {
        Self::filled_to(rate.burst(), rate, now)
    }

    /// Fills up to `fill` only, which is less than the burst; a whole burst is admitted all the same, out of a full bucket.
    #[inline]
    pub(crate) fn filled_to(fill: u64, rate: Rate, now: u64) -> Self {
        let bounds = bounds(fill, rate);
        Self { rate, fill, bounds, level: bounds.0, at: now }
    }

    pub(crate) const fn rate(&self) -> Rate {
        self.rate
    }

    /// Adds what has been earned since the last look; time that goes back earns nothing.
    #[inline]
    pub(crate) fn refill(&mut self, now: u64) {
        if now > self.at {
            let earned = i128::from(now - self.at) * i128::from(self.rate.amount());
            self.level = (self.level + earned).min(self.bounds.0);
            self.at = now;
        }
    }

    /// Whether there are `amount` tokens, and no debt.
    #[inline]
    pub(crate) fn has(&self, amount: u64) -> bool {
        self.can_hold(amount) && self.level >= units(self.wanted(amount))
    }

    /// Whether there can ever be `amount` tokens.
    pub(crate) const fn can_hold(&self, amount: u64) -> bool {
        amount <= self.rate.burst()
    }

    /// What has to be there for `amount` tokens: all of a full bucket for more than it is filled with.
    #[inline]
    pub(crate) fn wanted(&self, amount: u64) -> u64 {
        amount.min(self.fill)
    }

    /// How long until the bucket has gained `amount` tokens, its debt paid back, were it large enough for them.
    #[inline]
    pub(crate) fn until(&self, amount: u128) -> u64 {
        let wanted = i128::try_from(amount).unwrap_or(i128::MAX).saturating_mul(TOKEN);
        let missing = wanted.saturating_sub(self.level);
        if missing <= 0 {
            return 0;
        }
        let nanos = missing.unsigned_abs().checked_div_euclid(self.rate.amount().into());
        let rest = missing.unsigned_abs().checked_rem_euclid(self.rate.amount().into()).unwrap_or_default();
        nanos.and_then(|nanos| u64::try_from(nanos).ok()).map_or(u64::MAX, |nanos| {
            nanos.saturating_add(u64::from(rest > 0)) // never a nanosecond too early
        })
    }

    /// When the bucket is full again, if nothing more is taken.
    #[inline]
    pub(crate) fn full_at(&self) -> u64 {
        self.at.saturating_add(self.until(self.fill.into()))
    }

    #[inline]
    pub(crate) fn take(&mut self, amount: u64) {
        self.level = (self.level - units(amount)).max(self.bounds.1);
    }

    #[inline]
    pub(crate) fn give(&mut self, amount: u64) {
        self.level = (self.level + units(amount)).min(self.bounds.0);
    }

    /// Charges the difference to `actual`, where `charged` has been taken.
    #[inline]
    pub(crate) fn correct(&mut self, charged: u64, actual: u64) {
        if actual > charged {
            self.take(actual - charged);
        } else {
            self.give(charged - actual);
        }
    }

    /// Goes on with another rate; what is left stays, as far as there is room for it.
    #[inline]
    pub(crate) fn change(&mut self, fill: u64, rate: Rate) {
        self.rate = rate;
        self.fill = fill;
        self.bounds = bounds(fill, rate);
        self.level = self.level.min(self.bounds.0);
    }

    /// Leaves no more than somebody else counts, who tells whole tokens only: what is beyond them is anybody's guess, and
    /// taking it away at each word would cost half a token each time.
    #[inline]
    pub(crate) fn lower_to(&mut self, amount: u64) {
        self.level = self.level.min(units(amount) + TOKEN - 1);
    }

    /// Leaves no less than `amount`, as far as there is room for it.
    #[inline]
    pub(crate) fn raise_to(&mut self, amount: u64) {
        self.level = self.level.max(units(amount)).min(self.bounds.0);
    }
}

#[inline]
fn bounds(fill: u64, rate: Rate) -> (i128, i128) {
    (units(fill), -units(rate.amount()) * MOST_DEBT)
}

#[inline]
fn units(amount: u64) -> i128 {
    i128::from(amount) * TOKEN
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn bucket(per_minute: u64, burst: u64) -> Bucket {
        Bucket::full(Rate::per_minute(per_minute).with_burst(burst), 0)
    }

    #[test]
    fn a_debt_is_paid_back_by_waiting_and_before_anything_else() {
        let mut bucket = bucket(60, 10);
        bucket.correct(0, 25);
        assert_eq!((bucket.has(0), bucket.until(0), bucket.until(1)), (false, 15 * SECOND, 16 * SECOND));
        bucket.refill(15 * SECOND);
        assert_eq!((bucket.has(0), bucket.has(1)), (true, false));
    }

    #[test]
    fn a_debt_without_bounds_is_one_of_an_hour() {
        let mut bucket = bucket(60, 10);
        for _ in 0..3 {
            bucket.take(u64::MAX);
        }
        assert_eq!(bucket.until(0), 3_600 * SECOND);
    }

    #[test]
    fn what_comes_back_is_never_more_than_there_is_room_for() {
        let mut bucket = bucket(60, 10);
        bucket.take(4);
        bucket.correct(u64::MAX, 0);
        assert!(bucket.has(10) && !bucket.has(11));
    }

    #[test]
    fn a_rate_that_no_whole_nanoseconds_make_is_kept_exactly() {
        let mut bucket = bucket(40_000_007, 2);
        bucket.take(2);
        let mut at = 0;
        for _ in 0..1_000_000 {
            at += bucket.until(1);
            bucket.refill(at);
            bucket.take(1);
        }
        // Each takes 1,499.9997… ns, and is given at a whole nanosecond; what that leaves over is kept.
        assert_eq!(at, (1_000_000 * 60_000_000_000_u64).div_ceil(40_000_007));
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut bucket = bucket(u64::MAX, u64::MAX);
        for now in [crate::moment::FOREVER, 0, crate::moment::FOREVER] {
            bucket.take(u64::MAX);
            bucket.take(u64::MAX);
            bucket.refill(now);
            bucket.give(u64::MAX);
            assert!(bucket.until(u128::MAX) > 0);
        }
        let mut still = Bucket::full(Rate::per_minute(0).with_burst(1), 0);
        still.take(1);
        still.refill(crate::moment::FOREVER);
        assert_eq!((still.until(1), still.full_at()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn a_whole_burst_goes_out_of_a_bucket_that_is_as_full_as_it_gets() {
        let mut bucket = Bucket::filled_to(99, Rate::per_minute(60).with_burst(100), 0);
        assert!(bucket.can_hold(100) && bucket.has(100) && !bucket.can_hold(101));
        bucket.take(100);
        assert_eq!((bucket.until(0), bucket.until(bucket.wanted(100).into())), (SECOND, 100 * SECOND));
        bucket.refill(1_000 * SECOND);
        bucket.take(1);
        assert!(!bucket.has(100) && bucket.has(98));
    }

    #[test]
    fn another_rate_counts_from_now_on() {
        let mut bucket = bucket(60, 60);
        bucket.take(60);
        bucket.refill(SECOND);
        bucket.change(5, Rate::per_minute(600).with_burst(5));
        bucket.refill(SECOND + SECOND / 10);
        assert!(bucket.has(2) && !bucket.has(3));
        bucket.refill(60 * SECOND);
        assert!(bucket.has(5) && !bucket.has(6));
    }
}
