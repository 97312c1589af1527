//! What is admitted, what waits and for how long, and what never fits.

use std::{sync::Arc, time::Duration};

use ratelimit::{
    Cost, Decision, Dimension, Error, Key, Limits, Observation, Rate, RateLimiter,
    limiters::{Local, Unlimited},
    test_util::{ManualTimer, Recorder, contract},
};

use super::{cost, one_per_second, three};
use crate::{NANO, SECOND, key, requests};

#[tokio::test]
async fn every_limiter_keeps_the_contract() {
    contract(Unlimited).await;
    contract(Recorder::new()).await;
    let timer = Arc::new(ManualTimer::new());
    contract(Local::limited_to(Limits::default()).build(Arc::clone(&timer))).await;
    contract(Local::limited_to(Limits::default().with_requests(100)).build(Arc::clone(&timer))).await;
    contract(Local::limited_to(Limits::default().with_concurrency(2)).build(Arc::clone(&timer))).await;
    contract(three(&timer)).await;
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
fn a_cost_is_charged_in_every_dimension_or_in_none() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    assert_eq!(limiter.try_acquire(&key(), cost(1, 595, 100)), Decision::Admit);
    // Ten tokens are missing, which takes a second; the other dimensions have plenty and keep it.
    for _ in 0..100 {
        assert_eq!(limiter.try_acquire(&key(), cost(1, 15, 100)), Decision::Wait(SECOND));
    }
    assert_eq!(limiter.try_acquire(&key(), cost(59, 5, 5_900)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&key(), cost(1, 0, 0)), Decision::Wait(SECOND));
}

#[test]
fn the_wait_is_the_longest_of_all_dimensions() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    assert_eq!(limiter.try_acquire(&key(), cost(60, 600, 6_000)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&key(), cost(3, 20, 100)), Decision::Wait(3 * SECOND));
    assert_eq!(limiter.try_acquire(&key(), cost(1, 20, 100)), Decision::Wait(2 * SECOND));
    assert_eq!(limiter.try_acquire(&key(), cost(1, 20, 500)), Decision::Wait(5 * SECOND));
}

#[tokio::test]
async fn what_can_never_fit_is_an_error_at_once_that_names_the_dimension() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = three(&timer);
    for (asked, dimension, amount, most) in [
        (cost(61, 1, 1), Dimension::Requests, 61, 60),
        (cost(1, 601, 1), Dimension::InputTokens, 601, 600),
        (cost(1, 1, u64::MAX), Dimension::OutputTokens, u64::MAX, 6_000),
    ] {
        let error = limiter.acquire(key(), asked, Duration::MAX).await.unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { dimension: named, asked, capacity }
                if named == dimension && asked == amount && capacity == most),
            "{error:?}"
        );
        assert_eq!(limiter.try_acquire(&key(), asked), Decision::TooLarge { dimension, capacity: most });
    }
    assert_eq!(limiter.try_acquire(&key(), cost(60, 600, 6_000)), Decision::Admit, "nothing was charged");
    assert!(timer.sleeps().is_empty());
}

#[test]
fn keys_do_not_share_a_limit_and_tenants_of_one_key_do() {
    let limiter = one_per_second(1, &Arc::new(ManualTimer::new()));
    assert_eq!(limiter.try_acquire(&Key::from("a"), requests(1)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&Key::from("b"), requests(1)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&Key::from("a").with_tenant("t"), requests(1)), Decision::Wait(SECOND));
}

#[test]
fn a_key_may_have_limits_of_its_own() {
    let special = Limits::default().with_requests(Rate::per_minute(60).with_burst(2));
    let limiter = Local::limited_to(Limits::default().with_requests(1))
        .limits_of("special", special)
        .build(ManualTimer::new());
    let special = Key::from("special").with_tenant("t");
    assert_eq!(limiter.try_acquire(&special, requests(2)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&special, requests(1)), Decision::Wait(SECOND));
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(60 * SECOND));
}

#[tokio::test]
async fn a_wait_that_is_a_nanosecond_too_long_is_refused_before_it_begins_and_charges_nothing() {
    let timer = Arc::new(ManualTimer::auto());
    let limiter = one_per_second(1, &timer);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Admit);
    let max_wait = SECOND - NANO;
    let error = limiter.acquire(key(), requests(1), max_wait).await.unwrap_err();
    assert!(matches!(error, Error::WouldWait { wait: SECOND, max_wait: told } if told == max_wait));
    assert!(timer.sleeps().is_empty());
    drop(limiter.acquire(key(), requests(1), SECOND).await.unwrap());
    assert_eq!(timer.sleeps(), [SECOND]);
}

#[test]
fn a_later_and_shorter_retry_after_does_not_open_the_key_earlier() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = one_per_second(5, &timer);
    for seconds in [30, 1] {
        limiter.observe(&key(), &Observation::default().with_retry_after(seconds * SECOND));
        assert_eq!(limiter.try_acquire(&key(), requests(0)), Decision::Wait(30 * SECOND));
    }
    assert_eq!(limiter.try_acquire(&Key::from("other"), requests(5)), Decision::Admit);
    timer.advance(30 * SECOND);
    assert_eq!(limiter.try_acquire(&key(), requests(5)), Decision::Admit);
}

#[tokio::test]
async fn a_limit_of_nothing_lets_nothing_pass() {
    let limiter = Local::limited_to(Limits::default().with_output_tokens(0)).build(ManualTimer::new());
    drop(limiter.acquire(key(), requests(1), Duration::ZERO).await.unwrap());
    assert!(matches!(limiter.try_acquire(&key(), cost(1, 0, 1)), Decision::TooLarge { capacity: 0, .. }));
    let still = Local::limited_to(Limits::default().with_requests(Rate::per_minute(0).with_burst(1)));
    let limiter = still.build(ManualTimer::new());
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Admit);
    let Decision::Wait(wait) = limiter.try_acquire(&key(), requests(1)) else { panic!("admitted") };
    assert!(wait > Duration::from_secs(u64::from(u32::MAX)), "it never comes back: {wait:?}");
    let _: Cost = requests(1);
}
