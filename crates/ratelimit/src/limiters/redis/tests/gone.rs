//! A server that does not answer.

use super::*;
use crate::limiters::redis::WhenGone;

/// Lets time pass until the server is used again.
async fn back(twins: &Twins, limiter: &Redis) {
    let before = twins.timer.now();
    while !limiter.is_shared() {
        twins.pass(SECOND / 20).await;
        assert!(twins.timer.now() - before <= SECOND, "back within a second");
    }
}

#[tokio::test]
async fn while_the_server_is_gone_everything_nothing_or_a_share_is_admitted_as_was_said() {
    for behaviour in [REFUSES, IS_SILENT] {
        for when_gone in [WhenGone::Open, WhenGone::Closed, WhenGone::Share] {
            let twins = Twins::start();
            let limiter = twins.process(sixty().when_gone(when_gone));
            drain(&limiter).await;
            twins.behave(behaviour);
            let before = twins.timer.now();
            let asker = limiter.clone();
            let asked = tokio::spawn(async move { try_one(&asker).await });
            while !asked.is_finished() {
                twins.pass(Duration::from_millis(5)).await;
            }
            assert!(twins.timer.now() - before <= SECOND / 10 && !limiter.is_shared());
            let asked = asked.await.unwrap();
            match when_gone {
                WhenGone::Open => assert!(asked.is_ok()),
                WhenGone::Closed => assert!(matches!(asked, Err(Error::Unavailable(_))), "{asked:?}"),
                WhenGone::Share => assert!(matches!(asked, Err(Error::WouldWait { .. })), "{asked:?}"),
            }
            twins.behave(ANSWERS);
            back(&twins, &limiter).await;
        }
    }
}

#[tokio::test]
async fn shares_begin_with_nothing_and_together_admit_what_the_limit_does() {
    let twins = Twins::start();
    let processes = [twins.process(sixty()), twins.process(sixty())];
    assert_eq!((drain(&processes[0]).await, drain(&processes[1]).await), (60, 0));
    twins.behave(REFUSES);
    let mut taken = 0;
    for _ in 0..20 {
        for process in &processes {
            taken += drain(process).await;
        }
        twins.pass(SECOND).await;
    }
    assert!((18..=20).contains(&taken), "twenty seconds are worth twenty: {taken}");
}

#[tokio::test]
async fn when_the_server_is_back_what_the_shares_have_spent_is_not_spent_again() {
    for loses_data in [false, true] {
        let twins = Twins::start();
        let processes = [twins.process(sixty()), twins.process(sixty())];
        drain(&processes[0]).await;
        drain(&processes[1]).await;
        twins.behave(REFUSES);
        for _ in 0..30 {
            for process in &processes {
                drain(process).await;
            }
            twins.pass(SECOND).await;
        }
        if loses_data {
            twins.keys.lock().unwrap().values_mut().for_each(Twin::empty);
        }
        twins.behave(ANSWERS);
        for process in &processes {
            back(&twins, process).await;
        }
        let taken = drain(&processes[0]).await + drain(&processes[1]).await;
        assert!(taken <= 2, "no burst of {taken} after the outage");
        twins.pass(10 * SECOND).await;
        let taken = drain(&processes[0]).await + drain(&processes[1]).await;
        assert!((10..=11).contains(&taken), "and then the usual rate: {taken} in ten seconds");
    }
}

#[tokio::test]
async fn a_server_that_has_lost_its_data_without_being_gone_gives_no_second_burst() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    assert_eq!(drain(&limiter).await, 60);
    twins.keys.lock().unwrap().values_mut().for_each(Twin::empty);
    assert_eq!(drain(&limiter).await, 0);
    twins.pass(3 * SECOND).await;
    assert_eq!(drain(&limiter).await, 3);
}

#[tokio::test]
async fn whoever_waits_for_a_share_is_served_by_the_server_when_it_is_back() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    drop(try_one(&limiter).await.unwrap());
    twins.behave(REFUSES);
    assert!(try_one(&limiter).await.is_err());
    let waiter = limiter.clone();
    let waiting = tokio::spawn(async move { waiter.acquire(key(), Cost::requests(20), 120 * SECOND).await });
    twins.pass(SECOND / 2).await;
    twins.behave(ANSWERS);
    back(&twins, &limiter).await;
    settle_down().await;
    assert!(waiting.is_finished(), "its share would have taken forty seconds");
    drop(waiting.await.unwrap().unwrap());
}

#[tokio::test]
async fn a_cost_that_is_larger_than_a_share_may_be_asked_again() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    twins.behave(REFUSES);
    let error = limiter.acquire(key(), Cost::requests(31), SECOND).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_question_that_comes_in_late_earns_nothing() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    drain(&limiter).await;
    twins.behave(IS_HELD_UP);
    let asker = limiter.clone();
    let asked = tokio::spawn(async move { try_one(&asker).await.is_ok() });
    twins.pass(SECOND / 10).await;
    assert!(!asked.await.unwrap() && !limiter.is_shared());
    twins.behave(REFUSES);
    twins.pass(20 * SECOND).await;
    // As a server that stood still and goes on: first comes what was sent to it before.
    twins.let_in();
    twins.behave(ANSWERS);
    back(&twins, &limiter).await;
    assert_eq!(drain(&limiter).await, 0);
}
