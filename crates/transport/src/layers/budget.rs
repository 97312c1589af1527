//! How many retries all calls together may make.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// A purse that all calls pay their retries from, so that an outage is not answered with a multiple of the load.
///
/// It holds 500 tokens. A retry costs what the policy says ([`Verdict::Retry`](super::Verdict::Retry)); a success after
/// a retry brings back what its last retry has cost, a success at the first attempt one token. What no success brings
/// back returns slowly, 1.4 tokens a second: enough for one retry every ten seconds, so that a client that asks seldom
/// is never without. Where it is empty, the outcome of the attempt is the outcome of the call.
///
/// Clones share the purse. The numbers are explained in `docs/decisions/0020-retry-budget.md`.
#[derive(Clone)]
pub struct Budget(Arc<Mutex<Purse>>);

struct Purse {
    tokens: f64,
    most: f64,
    filled: Option<SystemTime>,
}

impl Budget {
    /// Makes a full one of 500 tokens.
    #[must_use]
    pub fn new() -> Self {
        Self::with_tokens(500)
    }

    /// Makes a full one of another size.
    #[must_use]
    pub fn with_tokens(most: u32) -> Self {
        let most = f64::from(most);
        Self(Arc::new(Mutex::new(Purse { tokens: most, most, filled: None })))
    }

    /// Returns how many tokens are left, without what has trickled in since the last retry.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        // Between 0 and a number that was a `u32`.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
        let tokens = self.purse().tokens as u32;
        tokens
    }

    /// Pays for a retry, unless there is not enough.
    pub(super) fn spend(&self, cost: u32, now: SystemTime) -> bool {
        let cost = f64::from(cost);
        let mut purse = self.purse();
        let since = purse.filled.replace(now).and_then(|then| now.duration_since(then).ok());
        let trickled = since.unwrap_or_default().min(LONG).as_secs_f64() * TRICKLE;
        purse.put(trickled);
        let enough = purse.tokens >= cost;
        if enough {
            purse.tokens -= cost;
        }
        enough
    }

    /// Takes note of a success, whose last retry has cost `cost`, or that needed none.
    #[inline]
    pub(super) fn succeeded(&self, cost: Option<u32>) {
        self.purse().put(cost.map_or(1.0, f64::from));
    }

    #[inline]
    fn purse(&self) -> MutexGuard<'_, Purse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Purse {
    fn put(&mut self, tokens: f64) {
        self.tokens = (self.tokens + tokens).min(self.most);
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("tokens", &self.tokens()).finish()
    }
}

/// Tokens a second.
const TRICKLE: f64 = 1.4;
/// After this long any purse is full.
const LONG: Duration = Duration::from_secs(60 * 60 * 24 * 365);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn an_outage_gets_35_retries_and_then_one_every_ten_seconds() {
        let budget = Budget::new();
        let at_once = (0..1_000).filter(|_| budget.spend(14, at(0))).count();
        assert_eq!(at_once, 35);
        let later = (0..1_000).filter(|&second| budget.spend(14, at(second))).count();
        assert_eq!(later, 100);
    }

    #[test]
    fn a_success_brings_back_what_its_last_retry_has_cost() {
        let budget = Budget::with_tokens(20);
        assert!(budget.spend(14, at(0)) && !budget.spend(14, at(0)));
        budget.succeeded(Some(14));
        assert!(budget.spend(14, at(0)));
        for _ in 0..7 {
            budget.succeeded(None);
        }
        assert!(!budget.spend(14, at(0)), "13 tokens");
        budget.succeeded(None);
        assert!(budget.spend(14, at(0)));
    }

    #[test]
    fn it_never_holds_more_than_it_can() {
        let budget = Budget::with_tokens(14);
        budget.succeeded(Some(14));
        assert_eq!(budget.tokens(), 14);
        assert!(budget.spend(14, at(0)) && budget.spend(14, at(1_000_000)));
        assert!(!budget.spend(14, at(1_000_000)));
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_and_takes_nothing() {
        let budget = Budget::with_tokens(14);
        assert!(budget.spend(14, at(100)));
        assert!(!budget.spend(14, at(0)));
        assert!(budget.spend(14, at(10)), "ten seconds after the step");
    }

    #[test]
    fn clones_share_the_purse() {
        let budget = Budget::with_tokens(14);
        assert!(budget.clone().spend(14, at(0)));
        assert!(!budget.spend(14, at(0)));
    }
}
