//! How many keys are kept.

use std::{num::NonZeroUsize, sync::Arc};

use ratelimit::{
    Decision, Key, Limits, Observation, Rate, RateLimiter, limiters::Local, test_util::ManualTimer,
};

use crate::{SECOND, requests};

fn two_keys(timer: &Arc<ManualTimer>) -> Local {
    let limits = Limits::default().with_requests(Rate::per_minute(60).with_burst(2));
    Local::limited_to(limits).max_keys(NonZeroUsize::new(2).unwrap()).build(Arc::clone(timer))
}

fn take(limiter: &Local, key: &str) -> Decision {
    limiter.try_acquire(&Key::from(key), requests(1))
}

#[test]
fn a_key_too_many_waits_until_another_is_idle() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = two_keys(&timer);
    assert_eq!(take(&limiter, "a"), Decision::Admit);
    timer.advance(SECOND / 2);
    assert_eq!(take(&limiter, "b"), Decision::Admit);
    assert_eq!(take(&limiter, "c"), Decision::Wait(SECOND / 2));
    timer.advance(SECOND / 2);
    assert_eq!(take(&limiter, "c"), Decision::Admit, "in the place of a");
    assert_eq!(take(&limiter, "d"), Decision::Wait(SECOND / 2));
}

#[test]
fn a_key_that_has_spent_something_is_not_forgotten_for_a_new_one() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = two_keys(&timer);
    for key in ["a", "a", "b", "b"] {
        assert_eq!(take(&limiter, key), Decision::Admit);
    }
    for number in 0..100 {
        assert!(matches!(take(&limiter, &format!("new-{number}")), Decision::Wait(_)));
    }
    assert_eq!(take(&limiter, "a"), Decision::Wait(SECOND));
}

#[test]
fn a_closed_key_is_not_forgotten_for_a_new_one() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = two_keys(&timer);
    limiter.observe(&Key::from("closed"), &Observation::default().with_retry_after(60 * SECOND));
    for number in 0..10 {
        assert_eq!(take(&limiter, &format!("new-{number}")), Decision::Admit);
        timer.advance(2 * SECOND);
    }
    assert_eq!(take(&limiter, "closed"), Decision::Wait(40 * SECOND));
}

#[tokio::test]
async fn acquire_waits_for_room_and_then_gets_it() {
    let timer = Arc::new(ManualTimer::auto());
    let limiter = two_keys(&timer);
    for key in ["a", "b", "c", "d", "e"] {
        drop(limiter.acquire(Key::from(key), requests(2), 2 * SECOND).await.unwrap());
    }
    assert_eq!(timer.sleeps(), [2 * SECOND, 2 * SECOND]);
}

#[tokio::test]
async fn a_key_somebody_waits_for_is_not_forgotten_for_a_new_one() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Arc::new(two_keys(&timer));
    assert_eq!(limiter.try_acquire(&Key::from("a"), requests(2)), Decision::Admit);
    assert_eq!(take(&limiter, "b"), Decision::Admit);
    let waiter = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { limiter.acquire(Key::from("a"), requests(1), SECOND).await }
    });
    tokio::task::yield_now().await;

    timer.advance(10 * SECOND); // both are full again, but the waiter has not run yet
    assert_eq!(take(&limiter, "c"), Decision::Admit, "in the place of b");
    assert!(matches!(take(&limiter, "d"), Decision::Wait(_)), "a is still waited for");
    assert!(waiter.await.unwrap().is_ok());
    assert_eq!(take(&limiter, "a"), Decision::Admit);
    assert_eq!(take(&limiter, "a"), Decision::Wait(SECOND), "two, the waiter's included");
}
