//! A limiter written outside the crate, used like one of its own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use ratelimit::{
    Cost, Error, Key, Limits, Observation, Permit, Rate, RateLimiter, Timer, limiters::Local,
    test_util::contract,
};

use crate::{SECOND, key, requests};

/// So many tokens in all, and what was not used comes back.
#[derive(Debug)]
struct Purse {
    tokens: Arc<Mutex<u64>>,
    closed: Mutex<bool>,
}

impl Purse {
    fn new(tokens: u64) -> Self {
        Self { tokens: Arc::new(Mutex::new(tokens)), closed: Mutex::new(false) }
    }
}

#[async_trait]
impl RateLimiter for Purse {
    async fn acquire(&self, _: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error> {
        let mut left = self.tokens.lock().unwrap();
        let rest = left.checked_sub(cost.input_tokens);
        let (Some(rest), false) = (rest, *self.closed.lock().unwrap()) else {
            return Err(Error::WouldWait { wait: SECOND, max_wait });
        };
        *left = rest;
        let tokens = Arc::clone(&self.tokens);
        Ok(Permit::new(move |actual| {
            let used = actual.map_or(0, |actual| actual.input_tokens);
            *tokens.lock().unwrap() += cost.input_tokens.saturating_sub(used);
        }))
    }

    fn observe(&self, _: &Key, seen: &Observation) {
        *self.closed.lock().unwrap() = seen.retry_after.is_some();
    }
}

#[tokio::test]
async fn a_foreign_limiter_keeps_the_contract_and_settles_its_own_way() {
    contract(Purse::new(100)).await;

    let limiter: Arc<dyn RateLimiter> = Arc::new(Arc::new(Purse::new(100)));
    let large = requests(1).with_input_tokens(80);
    let permit = limiter.acquire(key(), large, Duration::ZERO).await.unwrap();
    assert!(limiter.acquire(key(), large, Duration::ZERO).await.is_err());
    permit.settle(requests(1).with_input_tokens(10));
    drop(limiter.acquire(key(), large, Duration::ZERO).await.unwrap());
    drop(limiter.acquire(key(), large.with_input_tokens(90), Duration::ZERO).await.unwrap());

    limiter.observe(&key(), &Observation::default().with_retry_after(SECOND));
    assert!(limiter.acquire(key(), requests(1), Duration::ZERO).await.is_err());
}

/// Moves a second whenever somebody looks.
#[derive(Debug, Default)]
struct Restless(Mutex<Duration>);

#[async_trait]
impl Timer for Restless {
    fn now(&self) -> Duration {
        let mut now = self.0.lock().unwrap();
        *now += SECOND;
        *now
    }

    async fn sleep(&self, _: Duration) {}
}

#[tokio::test]
async fn a_foreign_timer_drives_a_limiter() {
    let limits = Limits::default().with_requests(Rate::per_minute(6).with_burst(1));
    let limiter = Local::limited_to(limits).build(Restless::default());
    for _ in 0..3 {
        drop(limiter.acquire(key(), requests(1), 60 * SECOND).await.unwrap());
    }
}
