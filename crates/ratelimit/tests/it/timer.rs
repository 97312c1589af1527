use std::{sync::Arc, time::Duration};

use ratelimit::{
    Limits, Rate, RateLimiter, Timer, TokioTimer,
    limiters::Local,
    test_util::{ManualTimer, MockTimer},
};
use tokio::task::yield_now;

use crate::{NANO, SECOND, key, requests};

#[tokio::test(start_paused = true)]
async fn the_tokio_timer_starts_at_zero_and_sleeps_by_tokio_s_time() {
    let timer = TokioTimer::new();
    assert_eq!(timer.now(), Duration::ZERO);
    timer.sleep(90 * SECOND).await;
    assert_eq!(timer.now(), 90 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_runs_on_the_tokio_timer() {
    let timer = TokioTimer::new();
    let limits = Limits::default().with_requests(Rate::per_minute(60).with_burst(1));
    let limiter = Local::limited_to(limits).build(timer);
    for _ in 0..3 {
        drop(limiter.acquire(key(), requests(1), SECOND).await.unwrap());
    }
    assert_eq!(timer.now(), 2 * SECOND);
}

#[tokio::test]
async fn a_manual_timer_wakes_its_sleepers_when_it_is_moved_far_enough() {
    let timer = Arc::new(ManualTimer::new());
    let sleeper = tokio::spawn({
        let timer = Arc::clone(&timer);
        async move { timer.sleep(SECOND).await }
    });
    yield_now().await;
    assert_eq!((timer.sleepers(), timer.sleeps()), (1, vec![SECOND]));
    timer.advance(SECOND - NANO);
    yield_now().await;
    assert!(!sleeper.is_finished());
    timer.advance(NANO);
    sleeper.await.unwrap();
    assert_eq!((timer.sleepers(), timer.now()), (0, SECOND));
}

#[tokio::test]
async fn an_automatic_timer_jumps_to_the_end_of_a_sleep() {
    let timer = ManualTimer::auto();
    timer.sleep(SECOND).await;
    timer.sleep(Duration::ZERO).await;
    assert_eq!((timer.now(), timer.sleeps()), (SECOND, vec![SECOND, Duration::ZERO]));
}

#[tokio::test]
async fn the_mock_timer_answers_as_scripted() {
    let mut mock = MockTimer::new();
    mock.expect_now().return_const(SECOND);
    let limiter = Local::limited_to(Limits::default().with_requests(1)).build(mock);
    drop(limiter.acquire(key(), requests(1), Duration::ZERO).await.unwrap());
}

#[cfg(feature = "fast-clock")]
#[tokio::test(start_paused = true)]
async fn the_fast_timer_starts_at_zero_only_goes_forward_and_sleeps_by_tokio_s_time() {
    let timer = ratelimit::FastTimer::new();
    let (first, second) = (timer.now(), timer.now());
    assert!(first <= second && second < Duration::from_secs(1), "{first:?}, {second:?}");
    let other = TokioTimer::new();
    timer.sleep(Duration::from_secs(60)).await;
    assert_eq!(other.now(), Duration::from_secs(60));
    assert!(timer.now() < Duration::from_secs(30), "it does not follow a clock that is paused");
}
