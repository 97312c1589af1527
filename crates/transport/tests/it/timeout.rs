use std::{future::pending, sync::Arc, time::Duration};

use async_trait::async_trait;
use transport::{
    Body, Deadline, Error, ErrorKind, HttpBackend, Reach, Request, Response, SimClock, TimeoutKind,
    layers::Timeout, test_util::ScriptedBackend,
};

use crate::{clock, get, pieces, pieces_then_silence, settle, start};

/// Takes requests and never answers.
#[derive(Debug)]
struct Stuck;

#[async_trait]
impl HttpBackend for Stuck {
    async fn send(&self, _request: Request) -> Result<Response, Error> {
        pending().await
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn answering(body: Body, clock: &SimClock) -> Timeout<ScriptedBackend> {
    Timeout::new(ScriptedBackend::new([Ok(Response::new(body))]), Arc::new(clock.clone()))
}

/// Sends a request nobody answers and says after how long it failed, and how.
async fn fate(layer: Timeout<Stuck>, clock: &SimClock, request: Request) -> (u64, Error) {
    let caller = tokio::spawn(async move { layer.send(request).await });
    for second in 0..1_000 {
        settle().await;
        if caller.is_finished() {
            return (second, caller.await.unwrap().unwrap_err());
        }
        clock.advance(seconds(1));
    }
    panic!("no limit held");
}

#[tokio::test]
async fn the_head_has_to_come_in_time() {
    let clock = clock();
    let layer = Timeout::new(Stuck, Arc::new(clock.clone())).headers(seconds(30)).total(seconds(600));
    let (after, error) = fate(layer, &clock, get()).await;
    assert_eq!(after, 30);
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Headers));
    assert_eq!(error.reach(), Reach::MaybeSent);
    assert!(error.to_string().contains("api.example") && !error.to_string().contains("CANARY"), "{error}");
    assert_eq!(clock.sleepers(), 0);
}

#[tokio::test]
async fn the_callers_deadline_holds_even_if_no_limit_is_set() {
    let clock = clock();
    let layer = Timeout::new(Stuck, Arc::new(clock.clone()));
    let mut request = get();
    request.extensions_mut().insert(Deadline(start() + seconds(7)));
    let (after, error) = fate(layer, &clock, request.clone()).await;
    assert_eq!((after, error.kind()), (7, ErrorKind::Timeout(TimeoutKind::Total)));

    let layer = Timeout::new(Stuck, Arc::new(clock.clone()));
    let error = layer.send(request).await.unwrap_err();
    assert_eq!(error.reach(), Reach::NotSent, "past the deadline nothing is sent");
}

#[tokio::test]
async fn silence_in_the_body_ends_it() {
    let clock = clock();
    let layer = answering(pieces_then_silence(["first"]), &clock).idle(seconds(60));
    let mut body = layer.send(get()).await.unwrap().into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "first");

    clock.advance(seconds(3_600)); // a slow reader is not a slow sender
    let reader = tokio::spawn(async move { (body.chunk().await, body.chunk().await) });
    settle().await;
    clock.advance(seconds(59));
    settle().await;
    assert!(!reader.is_finished());
    clock.advance(seconds(1));
    let (piece, end) = reader.await.unwrap();
    let error = piece.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.reach()), (ErrorKind::Timeout(TimeoutKind::Idle), Reach::Answered));
    assert!(end.is_none());
}

#[tokio::test]
async fn the_total_counts_from_the_start_and_through_the_body() {
    let clock = clock();
    let layer = answering(pieces_then_silence(["first"]), &clock).total(seconds(10)).idle(seconds(60));
    let mut body = layer.send(get()).await.unwrap().into_body();
    clock.advance(seconds(4));
    let reader = tokio::spawn(async move { (body.chunk().await, body.chunk().await) });
    settle().await;
    clock.advance(seconds(5));
    settle().await;
    assert!(!reader.is_finished());
    clock.advance(seconds(1));
    let (first, second) = reader.await.unwrap();
    assert_eq!(first.unwrap().unwrap(), "first");
    assert_eq!(second.unwrap().unwrap_err().kind(), ErrorKind::Timeout(TimeoutKind::Total));
}

#[tokio::test]
async fn a_sender_that_never_pauses_still_has_to_end_in_time() {
    let clock = clock();
    let layer = answering(pieces([Ok("a"), Ok("b"), Ok("c")]), &clock).total(seconds(10));
    let mut body = layer.send(get()).await.unwrap().into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "a");
    clock.advance(seconds(10));
    assert_eq!(body.chunk().await.unwrap().unwrap_err().kind(), ErrorKind::Timeout(TimeoutKind::Total));
    assert!(body.chunk().await.is_none());
}

#[tokio::test]
async fn what_is_in_time_passes_unchanged() {
    let clock = clock();
    let layer =
        answering(pieces([Ok("a"), Ok("b")]), &clock).headers(seconds(1)).idle(seconds(1)).total(seconds(1));
    let response = layer.send(get()).await.unwrap();
    assert_eq!(response.into_body().collect(2).await.unwrap(), "ab");
    assert_eq!(clock.sleepers(), 0);
}
