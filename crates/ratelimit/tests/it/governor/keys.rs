//! How many keys are kept.

use std::{num::NonZeroUsize, sync::Arc};

use ratelimit::{Decision, Key, Observation, RateLimiter, limiters::Governor, test_util::ManualTimer};

use super::non_zero;
use crate::{SECOND, requests};

fn two_keys(timer: &Arc<ManualTimer>) -> Governor {
    let settings = Governor::per_minute(non_zero(60)).burst(non_zero(2));
    settings.max_keys(NonZeroUsize::new(2).unwrap()).build(Arc::clone(timer)).unwrap()
}

fn take(limiter: &Governor, key: &str) -> Decision {
    limiter.try_acquire(&Key::from(key), requests(1))
}

#[test]
fn a_key_too_many_waits_until_another_is_idle() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = two_keys(&timer);
    assert_eq!(take(&limiter, "a"), Decision::Admit);
    timer.advance(SECOND / 2);
    assert_eq!(take(&limiter, "b"), Decision::Admit);
    assert_eq!(take(&limiter, "c"), Decision::Wait(SECOND), "at least the time of one request");
    timer.advance(SECOND / 2);
    assert_eq!(take(&limiter, "c"), Decision::Admit);
    assert_eq!(take(&limiter, "d"), Decision::Wait(SECOND));
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
