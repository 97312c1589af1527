//! What becomes of a permit: settled, dropped, kept too long.

use std::{sync::Arc, time::Duration};

use ratelimit::{
    Cost, Decision, Error, Limits, Permit, Rate, RateLimiter, limiters::Local, test_util::ManualTimer,
};
use tokio::task::yield_now;

use super::{cost, three};
use crate::{SECOND, key, requests};

async fn take(limiter: &Local, cost: Cost) -> Permit {
    limiter.acquire(key(), cost, Duration::ZERO).await.unwrap()
}

/// How much is left of each dimension: as much as is admitted, and not one more.
fn is_left(limiter: &Local, left: Cost) {
    let more = [
        cost(left.requests + 1, 0, 0),
        cost(0, left.input_tokens + 1, 0),
        cost(0, 0, left.output_tokens + 1),
    ];
    for more in more {
        assert!(matches!(limiter.try_acquire(&key(), more), Decision::Wait(_)), "more than {left:?} is left");
    }
    assert_eq!(limiter.try_acquire(&key(), left), Decision::Admit, "less than {left:?} is left");
}

#[tokio::test]
async fn what_was_not_used_comes_back() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    take(&limiter, cost(1, 600, 6_000)).await.settle(cost(1, 100, 50));
    is_left(&limiter, cost(59, 500, 5_950));
}

#[tokio::test]
async fn what_was_used_beyond_the_estimate_is_a_debt_that_is_paid_back_by_waiting() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = three(&timer);
    take(&limiter, cost(1, 10, 10)).await.settle(cost(1, 10, 7_000));
    assert_eq!(
        limiter.try_acquire(&key(), requests(1)),
        Decision::Wait(10 * SECOND),
        "a debt stops everything"
    );
    assert_eq!(limiter.try_acquire(&key(), cost(1, 0, 100)), Decision::Wait(11 * SECOND));
    timer.advance(11 * SECOND);
    assert_eq!(limiter.try_acquire(&key(), cost(1, 0, 100)), Decision::Admit);
    assert_eq!(limiter.try_acquire(&key(), cost(1, 0, 100)), Decision::Wait(SECOND));
}

#[tokio::test]
async fn a_permit_that_is_dropped_has_cost_its_requests_or_what_was_assumed() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    drop(take(&limiter, cost(2, 300, 3_000)).await);
    let mut sent = take(&limiter, cost(2, 300, 3_000)).await;
    sent.assume(cost(1, 200, 1_000));
    sent.assume(cost(1, 250, 1_000));
    drop(sent);
    is_left(&limiter, cost(57, 350, 5_000));
}

#[tokio::test]
async fn what_is_settled_counts_and_not_what_was_assumed() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    let mut sent = take(&limiter, cost(1, 300, 3_000)).await;
    sent.assume(cost(1, 300, 3_000));
    sent.settle(cost(1, 10, 20));
    is_left(&limiter, cost(59, 590, 5_980));
}

#[tokio::test]
async fn a_permit_that_is_out_too_long_gives_back_what_was_not_used() {
    let timer = Arc::new(ManualTimer::new());
    let limits = Limits::default().with_input_tokens(600).with_concurrency(1);
    let limiter = Local::limited_to(limits).lease(20 * SECOND).build(Arc::clone(&timer));
    let mut lost = take(&limiter, cost(1, 500, 0)).await;
    lost.assume(cost(1, 400, 0));
    timer.advance(20 * SECOND - crate::NANO);
    assert!(limiter.acquire(key(), cost(1, 1, 0), Duration::ZERO).await.is_err(), "it is still out");
    timer.advance(crate::NANO);
    // 600 less 400 is 200, and 20 s have brought 200 more before the rest came back.
    drop(take(&limiter, cost(1, 400, 0)).await);
    assert!(limiter.acquire(key(), cost(1, 401, 0), Duration::ZERO).await.is_err());
    // It was alive after all: what it cost beyond what was assumed is charged, once.
    lost.settle(cost(1, 450, 0));
    drop(take(&limiter, cost(1, 350, 0)).await);
    assert!(limiter.acquire(key(), cost(1, 351, 0), Duration::ZERO).await.is_err());
}

#[tokio::test]
async fn what_is_assumed_after_a_permit_was_given_up_counts_too() {
    for ends in [Some(cost(1, 450, 0)), None] {
        let timer = Arc::new(ManualTimer::new());
        let limits = Limits::default().with_input_tokens(Rate::per_minute(0).with_burst(600));
        let limiter = Local::limited_to(limits).lease(SECOND).build(Arc::clone(&timer));
        let mut late = take(&limiter, cost(1, 500, 0)).await;
        timer.advance(SECOND);
        drop(take(&limiter, cost(1, 600, 0)).await); // all of it has come back
        late.assume(cost(1, 400, 0));
        let left = ends.map_or(200, |actual| {
            late.settle(actual);
            150
        });
        assert!(limiter.acquire(key(), cost(1, left + 1, 0), Duration::ZERO).await.is_err());
        drop(take(&limiter, cost(1, left, 0)).await);
    }
}

#[tokio::test]
async fn a_settlement_without_sense_is_a_debt_of_an_hour_and_no_more() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    take(&limiter, cost(1, 1, 1)).await.settle(cost(u32::MAX, u64::MAX, u64::MAX));
    let Decision::Wait(wait) = limiter.try_acquire(&key(), requests(1)) else { panic!("admitted") };
    assert!(wait <= Duration::from_secs(3_601), "{wait:?}");
}

#[tokio::test]
async fn as_many_permits_are_out_as_may_be_and_the_next_waits_for_one() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Local::limited_to(Limits::default().with_concurrency(2)).build(timer);
    let (first, second) = (take(&limiter, requests(1)).await, take(&limiter, requests(1)).await);
    let error = limiter.acquire(key(), requests(1), Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, Error::WouldWait { wait, .. } if wait > Duration::ZERO), "{error:?}");
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(key(), requests(1), SECOND).await }
    });
    for _ in 0..16 {
        yield_now().await;
    }
    assert!(!waiting.is_finished());
    first.settle(requests(1));
    let third = waiting.await.unwrap().unwrap();
    assert!(limiter.acquire(key(), requests(1), Duration::ZERO).await.is_err());
    drop((second, third));
    drop(take(&limiter, requests(1)).await);
}

#[tokio::test]
async fn permits_are_numbered_in_the_order_they_are_given() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    let (first, second) = (take(&limiter, requests(1)).await, take(&limiter, requests(1)).await);
    assert!(second.number() > first.number());
    assert_eq!((Permit::free().number(), Permit::new(|_| {}).number()), (None, None));
}

/// Whatever becomes of permits, in the end there is what there was, less what they did cost.
#[tokio::test]
async fn after_everything_is_settled_no_token_is_lost_and_none_is_made() {
    let mut random = fastrand::Rng::with_seed(31);
    for _ in 0..200 {
        let timer = Arc::new(ManualTimer::new());
        let rate = Rate::per_minute(0).with_burst(1_000_000);
        let limits = Limits::default().with_requests(rate).with_input_tokens(rate).with_output_tokens(rate);
        let limiter = Local::limited_to(limits).lease(SECOND).build(Arc::clone(&timer));
        let (mut spent, mut late) = ([0_u64; 3], Vec::new());
        let mut any = || random.u64(0..1_000);
        for _ in 0..50 {
            let estimate = cost(u32::try_from(any()).unwrap(), any(), any());
            let actual = cost(u32::try_from(any()).unwrap(), any(), any());
            let mut permit = take(&limiter, estimate).await;
            let known = match any() % 5 {
                0 => {
                    permit.settle(actual);
                    actual
                }
                1 => {
                    drop(permit);
                    requests(estimate.requests)
                }
                2 => {
                    permit.assume(actual);
                    drop(permit);
                    actual
                }
                3 => {
                    late.push((permit, actual));
                    actual
                }
                _ => {
                    permit.assume(estimate);
                    late.push((permit, actual));
                    actual
                }
            };
            for (spent, amount) in
                spent.iter_mut().zip([known.requests.into(), known.input_tokens, known.output_tokens])
            {
                *spent += amount;
            }
        }
        // Half of the late ones outlive their lease.
        let rest = late.split_off(late.len() / 2);
        late.into_iter().for_each(|(permit, actual)| permit.settle(actual));
        timer.advance(SECOND);
        rest.into_iter().for_each(|(permit, actual)| permit.settle(actual));
        let [requests, input, output] = spent.map(|spent| 1_000_000 - spent);
        is_left(&limiter, cost(u32::try_from(requests).unwrap(), input, output));
    }
}
