use std::{sync::Arc, time::Duration};

use ratelimit::{
    Cost, Decision, Dimension, Error, Key, Observation, RateLimiter, Timer, Window,
    limiters::Governor,
    test_util::{ManualTimer, contract},
};

use super::{non_zero, one_per_second};
use crate::{NANO, SECOND, key, requests};

#[tokio::test]
async fn it_keeps_the_contract() {
    contract(Governor::per_minute(non_zero(100)).build(ManualTimer::new()).unwrap()).await;
    contract(Arc::new(one_per_second(2, &Arc::new(ManualTimer::new())))).await;
}

#[test]
fn after_the_burst_requests_are_spaced_to_the_nanosecond() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = one_per_second(3, &timer);
    for _ in 0..3 {
        assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Admit);
    }
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(SECOND));
    timer.advance(SECOND - NANO);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(NANO));
    timer.advance(NANO);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&key(), requests(2)), Decision::Wait(2 * SECOND));
}

#[test]
fn without_a_burst_of_its_own_a_minutes_worth_may_come_at_once() {
    let limiter = Governor::per_minute(non_zero(7)).build(ManualTimer::new()).unwrap();
    assert_eq!(limiter.try_acquire(&key(), requests(7)), Decision::Admit);
    assert!(matches!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(_)));
}

#[test]
fn keys_do_not_share_a_limit() {
    let limiter = one_per_second(1, &Arc::new(ManualTimer::new()));
    assert_eq!(limiter.try_acquire(&Key::from("a"), requests(1)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&Key::from("b"), requests(1)), Decision::Admit);
}

#[tokio::test]
async fn more_than_the_burst_is_too_large_at_once_and_charges_nothing() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = one_per_second(3, &timer);
    let error = limiter.acquire(key(), requests(4), Duration::MAX).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { dimension: Dimension::Requests, asked: 4, capacity: 3 }));
    assert_eq!((error.is_retryable(), error.retry_after()), (false, None));
    assert_eq!(
        error.to_string(),
        "4 requests at once is more than the limit of 3 can ever admit: ask for less or raise it"
    );
    assert_eq!(limiter.try_acquire(&key(), requests(3)), Decision::Admit);
    assert!(timer.sleeps().is_empty());
}

#[test]
fn a_cost_of_no_requests_is_free_however_many_tokens_it_has() {
    let limiter = one_per_second(1, &Arc::new(ManualTimer::new()));
    let tokens = Cost::default().with_input_tokens(u64::MAX).with_output_tokens(u64::MAX);
    for cost in [requests(1), tokens, tokens] {
        assert_eq!(limiter.try_acquire(&key(), cost), Decision::Admit);
    }
}

#[tokio::test]
async fn acquire_waits_by_the_timer() {
    let timer = Arc::new(ManualTimer::auto());
    let limiter = one_per_second(1, &timer);
    for _ in 0..3 {
        drop(limiter.acquire(key(), requests(1), SECOND).await.unwrap());
    }
    assert_eq!(timer.sleeps(), [SECOND, SECOND]);
}

#[tokio::test]
async fn a_wait_that_is_a_nanosecond_too_long_is_refused_before_it_begins_and_charges_nothing() {
    let timer = Arc::new(ManualTimer::auto());
    let limiter = one_per_second(1, &timer);
    drop(limiter.acquire(key(), requests(1), Duration::ZERO).await.unwrap());

    let max_wait = SECOND - NANO;
    let error = limiter.acquire(key(), requests(1), max_wait).await.unwrap_err();
    assert!(matches!(error, Error::WouldWait { wait: SECOND, max_wait: told } if told == max_wait));
    assert_eq!((error.is_retryable(), error.retry_after()), (true, Some(SECOND)));
    assert!(timer.sleeps().is_empty());

    drop(limiter.acquire(key(), requests(1), SECOND).await.unwrap());
    assert_eq!(timer.sleeps(), [SECOND]);
}

#[test]
fn retry_after_closes_its_key_and_no_other() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = one_per_second(5, &timer);
    limiter.observe(&key(), &Observation::default().with_retry_after(30 * SECOND));
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(30 * SECOND));
    assert_eq!(limiter.try_acquire(&key(), requests(0)), Decision::Wait(30 * SECOND));
    assert_eq!(limiter.try_acquire(&Key::from("other"), requests(5)), Decision::Admit);
    timer.advance(30 * SECOND);
    assert_eq!(limiter.try_acquire(&key(), requests(5)), Decision::Admit);
}

#[test]
fn a_later_and_shorter_retry_after_does_not_open_the_key_earlier() {
    let limiter = one_per_second(5, &Arc::new(ManualTimer::new()));
    limiter.observe(&key(), &Observation::default().with_retry_after(30 * SECOND));
    limiter.observe(&key(), &Observation::default().with_retry_after(SECOND));
    limiter.observe(&key(), &Observation::default());
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(30 * SECOND));
}

#[test]
fn what_a_server_says_about_its_windows_never_raises_the_limit() {
    let limiter = one_per_second(1, &Arc::new(ManualTimer::new()));
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Admit);
    let generous = Window::default().with_limit(1_000).with_remaining(1_000);
    limiter.observe(&key(), &Observation::default().with_requests(generous).with_retry_after(Duration::ZERO));
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(SECOND));
}

#[tokio::test]
async fn a_retry_after_without_end_is_a_refusal_and_no_panic() {
    let timer = Arc::new(ManualTimer::auto());
    let limiter = one_per_second(1, &timer);
    limiter.observe(&key(), &Observation::default().with_retry_after(Duration::MAX));
    timer.advance(SECOND);
    let error = limiter.acquire(key(), requests(1), Duration::from_secs(86_400)).await.unwrap_err();
    assert!(matches!(error, Error::WouldWait { .. }));
    assert!(timer.sleeps().is_empty());
}

#[test]
fn the_fastest_and_the_slowest_limits_that_can_be_asked_for_do_not_overflow() {
    let fastest = Governor::per_minute(non_zero(u32::MAX)).build(ManualTimer::new()).unwrap();
    assert_eq!(fastest.try_acquire(&key(), requests(u32::MAX)), Decision::Admit);
    assert!(matches!(fastest.try_acquire(&key(), requests(u32::MAX)), Decision::Wait(_)));

    let slowest = Governor::per_minute(non_zero(1)).burst(non_zero(u32::MAX));
    let Err(Error::TooLarge { asked, capacity, .. }) = slowest.build(ManualTimer::new()) else {
        panic!("a burst that takes eight thousand years to come back was accepted");
    };
    assert_eq!(asked, u64::from(u32::MAX));
    let most = non_zero(u32::try_from(capacity).unwrap());
    let timer = Arc::new(ManualTimer::new());
    let limiter = slowest.burst(most).build(Arc::clone(&timer)).unwrap();
    for _ in 0..2 {
        assert_eq!(limiter.try_acquire(&key(), requests(most.get())), Decision::Admit);
        timer.advance(Duration::from_mins(1) * most.get());
    }
}

#[derive(Debug)]
struct EndOfTime(Duration);

#[async_trait::async_trait]
impl Timer for EndOfTime {
    fn now(&self) -> Duration {
        self.0
    }

    async fn sleep(&self, _: Duration) {}
}

#[tokio::test]
async fn a_timer_at_the_end_of_time_does_not_panic() {
    for end in [Duration::MAX, Duration::from_nanos(u64::MAX)] {
        let limiter = Governor::per_minute(non_zero(60)).build(EndOfTime(end)).unwrap();
        assert_eq!(limiter.try_acquire(&key(), requests(60)), Decision::Admit);
        limiter.observe(&key(), &Observation::default().with_retry_after(Duration::MAX));
        drop(limiter.acquire(key(), requests(60), Duration::ZERO).await.unwrap_err());
    }
}
