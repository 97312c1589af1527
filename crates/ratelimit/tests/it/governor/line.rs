//! Those who wait for the same key.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ratelimit::{
    Decision, Error, Observation, Permit, RateLimiter, limiters::Governor, test_util::ManualTimer,
};
use tokio::task::{JoinHandle, yield_now};

use super::one_per_second;
use crate::{NANO, SECOND, key, requests};

/// A spent limiter, and the timer it waits by.
fn spent(burst: u32) -> (Arc<Governor>, Arc<ManualTimer>) {
    let timer = Arc::new(ManualTimer::new());
    let limiter = one_per_second(burst, &timer);
    assert_eq!(limiter.try_acquire(&key(), requests(burst)), Decision::Admit);
    (Arc::new(limiter), timer)
}

type Waiter = JoinHandle<Result<Permit, Error>>;

/// Starts a waiter and lets every task run until it cannot go on.
async fn wait_for(limiter: &Arc<Governor>, count: u32, max_wait: Duration) -> Waiter {
    let limiter = Arc::clone(limiter);
    let waiter = tokio::spawn(async move { limiter.acquire(key(), requests(count), max_wait).await });
    settle().await;
    waiter
}

async fn settle() {
    for _ in 0..16 {
        yield_now().await;
    }
}

#[tokio::test]
async fn a_newcomer_is_told_the_wait_behind_those_in_line() {
    let (limiter, timer) = spent(1);
    let _first = wait_for(&limiter, 1, 10 * SECOND).await;
    let _second = wait_for(&limiter, 1, 10 * SECOND).await;
    assert_eq!(timer.sleeps(), [SECOND, 2 * SECOND]);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(3 * SECOND));

    let third = wait_for(&limiter, 1, 3 * SECOND - NANO).await;
    assert!(third.is_finished(), "the refusal comes at once");
    assert!(matches!(third.await.unwrap(), Err(Error::WouldWait { wait, .. }) if wait == 3 * SECOND));
}

#[tokio::test]
async fn small_requests_do_not_starve_a_big_one() {
    let (limiter, timer) = spent(5);
    let big = wait_for(&limiter, 5, 5 * SECOND).await;
    for _ in 0..4 {
        timer.advance(SECOND);
        settle().await;
        assert!(matches!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(_)));
    }
    timer.advance(SECOND);
    settle().await;
    assert!(big.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_waiter_that_goes_away_gives_up_its_place() {
    let (limiter, timer) = spent(1);
    let gone = wait_for(&limiter, 1, 10 * SECOND).await;
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(2 * SECOND));
    gone.abort();
    settle().await;
    assert_eq!(timer.sleepers(), 0);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(SECOND));
}

#[tokio::test]
async fn a_refused_waiter_leaves_no_place_behind() {
    let (limiter, _timer) = spent(1);
    drop(wait_for(&limiter, 1, Duration::ZERO).await.await.unwrap());
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(SECOND));
}

#[tokio::test]
async fn a_hundred_equal_waiters_are_served_once_a_second_in_the_order_they_came() {
    let (limiter, timer) = spent(1);
    let served = Arc::new(Mutex::new(Vec::new()));
    for number in 0..100 {
        let (limiter, served) = (Arc::clone(&limiter), Arc::clone(&served));
        tokio::spawn(async move {
            limiter.acquire(key(), requests(1), 100 * SECOND).await.unwrap().settle(requests(1));
            served.lock().unwrap().push(number);
        });
        settle().await;
    }
    for second in 1..=100 {
        timer.advance(SECOND);
        settle().await;
        assert_eq!(*served.lock().unwrap(), (0..second).collect::<Vec<_>>());
    }
    assert_eq!(timer.sleeps().len(), 100, "each slept once: nobody was woken for nothing");
}

#[tokio::test]
async fn a_key_that_closes_refuses_those_in_line_who_cannot_wait_that_long() {
    let (limiter, timer) = spent(1);
    let hasty = wait_for(&limiter, 1, 5 * SECOND).await;
    let patient = wait_for(&limiter, 1, 60 * SECOND).await;
    limiter.observe(&key(), &Observation::default().with_retry_after(30 * SECOND));

    timer.advance(SECOND);
    settle().await;
    assert!(matches!(hasty.await.unwrap(), Err(Error::WouldWait { wait, .. }) if wait == 29 * SECOND));

    timer.advance(SECOND);
    settle().await;
    assert!(!patient.is_finished());
    timer.advance(28 * SECOND);
    settle().await;
    assert!(patient.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_late_wake_up_takes_what_has_been_earned_meanwhile() {
    let (limiter, timer) = spent(3);
    let waiters = [wait_for(&limiter, 1, 9 * SECOND).await, wait_for(&limiter, 1, 9 * SECOND).await];
    timer.advance(60 * SECOND);
    settle().await;
    for waiter in waiters {
        assert!(waiter.await.unwrap().is_ok());
    }
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(SECOND));
}

#[tokio::test]
async fn whoever_leaves_the_line_moves_up_those_behind() {
    let (limiter, timer) = spent(20);
    let large = wait_for(&limiter, 20, 60 * SECOND).await;
    let small = wait_for(&limiter, 1, 60 * SECOND).await;
    large.abort();
    settle().await;
    timer.advance(SECOND);
    settle().await;
    assert!(small.is_finished());
}
