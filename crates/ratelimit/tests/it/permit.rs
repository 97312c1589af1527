use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ratelimit::{
    Cost, Error, Observation, Permit, RateLimiter,
    test_util::{MockRateLimiter, Recorder},
};

use crate::{SECOND, key, requests};

type Settled = Arc<Mutex<Vec<Option<Cost>>>>;

fn permit() -> (Permit, Settled) {
    let settled = Settled::default();
    let seen = Arc::clone(&settled);
    (Permit::new(move |actual| seen.lock().unwrap().push(actual)), settled)
}

#[test]
fn a_permit_settles_once_with_the_actual_cost() {
    let (permit, settled) = permit();
    let actual = requests(1).with_input_tokens(10).with_output_tokens(20);
    permit.settle(actual);
    assert_eq!(*settled.lock().unwrap(), [Some(actual)]);
}

#[test]
fn a_dropped_permit_settles_once_as_unknown() {
    let (permit, settled) = permit();
    assert_eq!(format!("{permit:?}"), "Permit { .. }");
    drop(permit);
    assert_eq!(*settled.lock().unwrap(), [None]);
}

#[test]
fn a_free_permit_has_nothing_to_settle() {
    Permit::free().settle(requests(1));
    drop(Permit::free());
}

#[tokio::test]
async fn a_recorder_remembers_what_it_was_asked_and_refuses_when_it_was_told_to() {
    let recorder = Recorder::new();
    recorder.refuse(Error::unavailable("the store is down"));
    let refused = recorder.acquire(key(), requests(1), SECOND).await.unwrap_err();
    assert_eq!((refused.is_retryable(), refused.retry_after()), (true, None));
    assert_eq!(std::error::Error::source(&refused).unwrap().to_string(), "the store is down");

    recorder.acquire(key(), requests(2), Duration::ZERO).await.unwrap().settle(requests(3));
    drop(recorder.acquire(key(), requests(4), Duration::ZERO).await.unwrap());
    let seen = Observation::default().with_retry_after(SECOND);
    recorder.observe(&key(), &seen);

    let asked: Vec<_> = recorder.acquired().iter().map(|call| (call.cost.requests, call.max_wait)).collect();
    assert_eq!(asked, [(1, SECOND), (2, Duration::ZERO), (4, Duration::ZERO)]);
    assert_eq!(recorder.settled(), [(key(), Some(requests(3))), (key(), None)]);
    assert_eq!(recorder.observed(), [(key(), seen)]);
}

#[tokio::test]
async fn the_mock_answers_as_scripted() {
    let mut mock = MockRateLimiter::new();
    mock.expect_acquire().once().returning(|_, _, max_wait| Err(Error::WouldWait { wait: SECOND, max_wait }));
    let limiter: Arc<dyn RateLimiter> = Arc::new(mock);
    assert!(limiter.acquire(key(), requests(1), Duration::ZERO).await.is_err());
}
