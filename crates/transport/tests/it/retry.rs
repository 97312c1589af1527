use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use transport::{
    Attempt, Attempts, Body, Deadline, Error, ErrorKind, HttpBackend, MaxRetries, Reach, Request, Response,
    SimClock, TimeoutKind,
    layers::{Backoff, Retry},
    test_util::ScriptedBackend,
};

use crate::{clock, get, pieces_then_silence, post, settle, start, status};

fn busy(retry_after: &str) -> Result<Response, Error> {
    let busy = http::Response::builder().status(429).header("retry-after", retry_after);
    Ok(busy.body(Body::from("slow down")).unwrap())
}

fn fails(kind: ErrorKind, reach: Reach) -> Result<Response, Error> {
    Err(Error::bare(kind, reach))
}

struct Setup {
    backend: Arc<ScriptedBackend>,
    clock: SimClock,
    retry: Retry<Arc<ScriptedBackend>>,
}

fn setup(answers: impl IntoIterator<Item = Result<Response, Error>>) -> Setup {
    seeded(answers, 1)
}

fn seeded(answers: impl IntoIterator<Item = Result<Response, Error>>, seed: u64) -> Setup {
    let backend = Arc::new(ScriptedBackend::new(answers));
    let clock = clock().auto_advance();
    let retry = Retry::new(Arc::clone(&backend), Arc::new(Backoff::new()), Arc::new(clock.clone()), seed);
    Setup { backend, clock, retry }
}

fn with<T: Clone + Send + Sync + 'static>(mut request: Request, extension: T) -> Request {
    request.extensions_mut().insert(extension);
    request
}

#[tokio::test]
async fn the_same_request_is_sent_again_until_it_succeeds() {
    let Setup { backend, retry, clock } = setup([status(529), status(500), status(200)]);
    let response = retry.send(post()).await.unwrap();

    assert_eq!(response.status(), 200);
    assert_eq!(response.extensions().get(), Some(&Attempts(3)));
    let sent = backend.requests();
    assert!(sent.iter().all(|request| request.body() == &Bytes::from_static(b"{}")));
    let numbers: Vec<_> = sent.iter().map(|request| request.extensions().get().copied()).collect();
    assert_eq!(numbers, [Some(Attempt(1)), Some(Attempt(2)), Some(Attempt(3))]);
    let waited = clock.slept();
    assert!(waited >= Duration::from_millis(250 + 500), "{waited:?}");
    assert!(waited <= Duration::from_millis(500 + 1_000), "{waited:?}");
}

#[tokio::test]
async fn after_the_last_retry_the_outcome_is_the_callers() {
    let Setup { retry, .. } = setup([status(500), status(500), status(503), status(200)]);
    let response = retry.send(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.extensions().get(), Some(&Attempts(3)));

    let refused = || fails(ErrorKind::Connect, Reach::NotSent);
    let Setup { retry, .. } = setup([refused(), refused(), refused(), status(200)]);
    let error = retry.send(post()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 3));
}

#[tokio::test]
async fn a_success_is_returned_with_its_body_untouched() {
    let Setup { retry, clock, .. } = setup([Ok(Response::new(Body::from("text")))]);
    let response = retry.send(get()).await.unwrap();
    assert_eq!(response.extensions().get(), Some(&Attempts(1)));
    assert_eq!(response.into_body().collect(10).await.unwrap(), "text");
    assert_eq!(clock.slept(), Duration::ZERO);
}

#[tokio::test]
async fn no_retry_is_earlier_than_the_server_said_and_not_all_at_once() {
    let mut waits = Vec::new();
    for seed in 0..100 {
        let Setup { retry, clock, .. } = seeded([busy("2"), status(200)], seed);
        retry.send(get()).await.unwrap();
        waits.push(clock.slept());
    }
    waits.sort_unstable();
    assert!(waits[0] >= Duration::from_secs(2), "{:?}", waits[0]);
    assert!(waits[99] <= Duration::from_millis(2_500), "{:?}", waits[99]);
    assert!(waits[75] - waits[25] >= Duration::from_millis(100), "{waits:?}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_waits() {
    let mut waits = Vec::new();
    for seed in [4, 4, 5] {
        let Setup { retry, clock, .. } = seeded([status(500), status(500), status(200)], seed);
        retry.send(get()).await.unwrap();
        waits.push(clock.slept());
    }
    assert_eq!(waits[0], waits[1]);
    assert_ne!(waits[0], waits[2]);
}

#[tokio::test]
async fn a_delay_beyond_all_patience_is_handed_to_the_caller_at_once() {
    let Setup { retry, clock, backend } = setup([busy("999999999"), status(200)]);
    let response = retry.send(get()).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.into_body().collect(100).await.unwrap(), "slow down");
    assert_eq!(clock.slept(), Duration::ZERO);
    assert_eq!(backend.answers_left(), 1);
}

#[tokio::test]
async fn a_wait_that_does_not_fit_the_deadline_is_not_begun() {
    let deadline = Deadline(start() + Duration::from_secs(10));
    for (retry_after, attempts) in [("9", 2), ("10", 1), ("11", 1)] {
        let Setup { retry, clock, .. } = setup([busy(retry_after), status(200)]);
        let response = retry.send(with(get(), deadline)).await.unwrap();
        assert_eq!(response.extensions().get(), Some(&Attempts(attempts)), "{retry_after}");
        assert!(clock.slept() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_request_can_bring_its_own_number_of_retries() {
    let Setup { retry, .. } = setup([status(500), status(200)]);
    assert_eq!(retry.send(with(get(), MaxRetries(0))).await.unwrap().status(), 500);

    let many = std::iter::repeat_with(|| status(500)).take(5).chain([status(200)]);
    let Setup { retry, .. } = setup(many);
    let response = retry.send(with(get(), MaxRetries(5))).await.unwrap();
    assert_eq!(response.extensions().get(), Some(&Attempts(6)));
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_not_sent_twice() {
    let lost = || fails(ErrorKind::Timeout(TimeoutKind::Headers), Reach::MaybeSent);
    let Setup { retry, backend, .. } = setup([lost(), status(200)]);
    let error = retry.send(post()).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_retryable()), (1, true));
    assert_eq!(backend.requests().len(), 1);

    let Setup { retry, .. } = setup([lost(), status(200)]);
    assert_eq!(retry.send(get()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_unread_body_that_never_ends_does_not_lengthen_the_wait() {
    let stuck = http::Response::builder().status(503).body(pieces_then_silence(["..."])).unwrap();
    let Setup { retry, .. } = setup([Ok(stuck), status(200)]);
    assert_eq!(retry.send(get()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_dropped_caller_stops_the_retries() {
    let backend = Arc::new(ScriptedBackend::new([status(500), status(200)]));
    let clock = clock();
    let retry = Retry::new(Arc::clone(&backend), Arc::new(Backoff::new()), Arc::new(clock.clone()), 1);
    let caller = tokio::spawn(async move { retry.send(get()).await });
    settle().await;
    assert_eq!(clock.sleepers(), 1);
    caller.abort();
    clock.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!(backend.requests().len(), 1);
}
