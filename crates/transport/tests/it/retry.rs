use std::{iter, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use transport::{
    Attempt, Attempts, Body, Deadline, Error, ErrorKind, HttpBackend, MaxRetries, Reach, Replayable, Request,
    Response, SimClock, TimeoutKind,
    layers::{Backoff, Breaker, Budget, Judge, Open, Opening, Opinion, Outcome, Retry, RetryPolicy, Verdict},
    test_util::ScriptedBackend,
};

use crate::{clock, get, pieces, pieces_then_silence, post, settle, start, status};

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
    assert_eq!(Attempts::of(&response), 3);
    let sent = backend.requests();
    assert!(sent.iter().all(|request| request.body() == &Bytes::from_static(b"{}")));
    assert_eq!(sent.iter().map(Attempt::of).collect::<Vec<_>>(), [1, 2, 3]);
    let waited = clock.slept();
    assert!(waited >= Duration::from_millis(250 + 500), "{waited:?}");
    assert!(waited <= Duration::from_millis(500 + 1_000), "{waited:?}");
}

#[tokio::test]
async fn after_the_last_retry_the_outcome_is_the_callers() {
    let Setup { retry, .. } = setup([status(500), status(500), status(503), status(200)]);
    let response = retry.send(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(Attempts::of(&response), 3);

    let refused = || fails(ErrorKind::Connect, Reach::NotSent);
    let Setup { retry, .. } = setup([refused(), refused(), refused(), status(200)]);
    let error = retry.send(post()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 3));
}

#[tokio::test]
async fn a_success_is_returned_with_its_body_untouched() {
    let Setup { retry, clock, .. } = setup([Ok(Response::new(Body::from("text")))]);
    let response = retry.send(get()).await.unwrap();
    assert_eq!(Attempts::of(&response), 1);
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
    assert!(waits[99] <= Duration::from_secs(4), "{:?}", waits[99]);
    assert!(waits[75] - waits[25] >= Duration::from_millis(400), "{waits:?}");
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
        assert_eq!(Attempts::of(&response), attempts, "{retry_after}");
        assert!(clock.slept() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_request_can_bring_its_own_number_of_retries() {
    let Setup { retry, .. } = setup([status(500), status(200)]);
    assert_eq!(retry.send(with(get(), MaxRetries(0))).await.unwrap().status(), 500);

    let many = iter::repeat_with(|| status(500)).take(5).chain([status(200)]);
    let Setup { retry, .. } = setup(many);
    let response = retry.send(with(get(), MaxRetries(5))).await.unwrap();
    assert_eq!(Attempts::of(&response), 6);
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
async fn an_error_whose_body_never_ends_is_judged_by_its_head_after_a_while() {
    let stuck = http::Response::builder().status(503).body(pieces_then_silence(["..."])).unwrap();
    let Setup { retry, clock, .. } = setup([Ok(stuck), status(200)]);
    assert_eq!(retry.send(get()).await.unwrap().status(), 200);
    assert!(clock.slept() <= Duration::from_millis(30_500), "{:?}", clock.slept());
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

/// Knows text streams: one that begins with `bad` stands for a 529, and `good` is where the reply proper begins.
#[derive(Debug)]
struct Text;

impl Opening for Text {
    fn judge(&self, reply: &Response) -> Option<Box<dyn Judge>> {
        let is_text = reply.headers().get("content-type").is_some_and(|value| value == "text/event-stream");
        is_text.then(|| Box::new(Word) as Box<dyn Judge>)
    }
}

struct Word;

impl Judge for Word {
    fn push(&mut self, piece: &Bytes) -> Opinion {
        match &piece[..] {
            b"bad" => {
                Opinion::Failed { status: StatusCode::SERVICE_UNAVAILABLE, body: Bytes::from_static(b"why") }
            }
            b"good" => Opinion::Committed,
            _ => Opinion::Undecided,
        }
    }
}

fn stream(body: Body) -> Result<Response, Error> {
    Ok(http::Response::builder().header("content-type", "text/event-stream").body(body).unwrap())
}

fn cut() -> Error {
    Error::bare(ErrorKind::Truncated, Reach::Answered)
}

impl Setup {
    fn opening(self) -> Self {
        let Self { backend, clock, retry } = self;
        Self { backend, clock, retry: retry.opening(Arc::new(Text), Duration::from_secs(120)) }
    }
}

#[tokio::test]
async fn a_stream_that_fails_before_it_has_begun_is_sent_again() {
    for beginning in [
        pieces([Ok("ping"), Ok("bad"), Ok("good")]),
        pieces([Ok("ping"), Err(cut())]),
        pieces([Ok("ping")]),
        pieces([]),
    ] {
        let whole = pieces([Ok("ping"), Ok("good"), Ok("bad"), Ok("end")]);
        let Setup { retry, .. } = setup([stream(beginning), stream(whole)]).opening();
        let response = retry.send(post()).await.unwrap();
        assert_eq!(Attempts::of(&response), 2);
        assert_eq!(response.into_body().collect(100).await.unwrap(), "pinggoodbadend");
    }
}

#[tokio::test]
async fn a_stream_that_fails_after_it_has_begun_is_the_callers() {
    let broken = pieces([Ok("ping"), Ok("good"), Ok("more"), Err(cut())]);
    let Setup { retry, backend, .. } = setup([stream(broken), status(200)]).opening();
    let mut body = retry.send(post()).await.unwrap().into_body();
    for piece in ["ping", "good", "more"] {
        assert_eq!(body.chunk().await.unwrap().unwrap(), piece);
    }
    assert_eq!(body.chunk().await.unwrap().unwrap_err().kind(), ErrorKind::Truncated);
    assert!(body.chunk().await.is_none());
    assert_eq!(backend.requests().len(), 1);
}

#[tokio::test]
async fn a_stream_that_cannot_be_sent_again_is_handed_on_as_it_came() {
    let beginnings =
        || [pieces([Ok("ping"), Ok("bad"), Ok("rest")]), pieces([Ok("ping"), Err(cut())]), pieces([])];
    for (number, arrives) in [(0, "pingbadrest"), (1, "ping"), (2, "")] {
        let beginning = beginnings().into_iter().nth(number).unwrap();
        let Setup { retry, .. } = setup([stream(beginning)]).opening();
        let response = retry.send(with(post(), MaxRetries(0))).await.unwrap();
        assert_eq!((response.status(), Attempts::of(&response)), (StatusCode::OK, 1));
        let (mut body, mut text) = (response.into_body(), Vec::new());
        let end = loop {
            match body.chunk().await {
                Some(Ok(piece)) => text.extend_from_slice(&piece),
                end => break end,
            }
        };
        assert_eq!(text, arrives.as_bytes());
        assert_eq!(end.is_some(), number == 1);
    }
}

#[tokio::test]
async fn signs_of_life_alone_do_not_hold_a_call_for_ever() {
    // There is no second reply: it is not sent again, for the server may be at work on it.
    let Setup { retry, clock, .. } = setup([stream(pieces_then_silence(["ping"]))]).opening();
    let mut body = retry.send(post()).await.unwrap().into_body();
    assert_eq!(clock.slept(), Duration::from_secs(120));
    assert_eq!(body.chunk().await.unwrap().unwrap(), "ping");
    let error = body.chunk().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Progress));

    // Unless whoever asks has said that twice does no harm.
    let lively = [stream(pieces_then_silence(["ping"])), stream(pieces([Ok("good")]))];
    let Setup { retry, .. } = setup(lively).opening();
    let response = retry.send(with(post(), Replayable)).await.unwrap();
    assert_eq!(Attempts::of(&response), 2);
}

#[tokio::test]
async fn other_replies_are_not_looked_into() {
    let Setup { retry, .. } = setup([Ok(Response::new(pieces_then_silence(["bad"])))]).opening();
    let response = retry.send(post()).await.unwrap();
    assert_eq!(response.into_body().chunk().await.unwrap().unwrap(), "bad");
}

/// Sends what failed again unless the body tells otherwise.
#[derive(Debug)]
struct Reader;

impl RetryPolicy for Reader {
    fn verdict(&self, _: u32, _: &Request, outcome: Outcome<'_>) -> Verdict {
        match outcome {
            Outcome::Response { body: b"spent" | b"why", .. } => Verdict::Return,
            _ => Verdict::Retry { at_least: Duration::ZERO, jitter: Duration::ZERO, cost: 1 },
        }
    }
}

#[tokio::test]
async fn a_policy_sees_what_an_error_says() {
    let said = |body: Body| Ok(http::Response::builder().status(429).body(body).unwrap());
    let backend = ScriptedBackend::new([
        said(Body::from("slow down")),
        said(pieces([Ok("sp"), Ok("ent")])),
        stream(pieces([Ok("ping"), Ok("bad")])),
    ]);
    let retry = Retry::new(backend, Arc::new(Reader), Arc::new(clock().auto_advance()), 1)
        .opening(Arc::new(Text), Duration::from_secs(120));
    let response = retry.send(post()).await.unwrap();
    assert_eq!(Attempts::of(&response), 2);
    assert_eq!(response.into_body().collect(100).await.unwrap(), "spent");
    assert_eq!(Attempts::of(&retry.send(post()).await.unwrap()), 1);
}

#[tokio::test]
async fn the_body_of_an_error_is_handed_on_whole_whatever_was_read_of_it() {
    let large = || (0..10).map(|_| Ok(&*"x".repeat(20_000).leak()));
    for (body, length, breaks) in
        [(pieces(large()), 200_000, false), (pieces(large().chain([Err(cut())])), 200_000, true)]
    {
        let error = http::Response::builder().status(400).body(body).unwrap();
        let Setup { retry, .. } = setup([Ok(error)]);
        let mut body = retry.send(get()).await.unwrap().into_body();
        let mut read = 0;
        let end = loop {
            match body.chunk().await {
                Some(Ok(piece)) => read += piece.len(),
                end => break end,
            }
        };
        assert_eq!((read, end.is_some()), (length, breaks));
    }
}

#[tokio::test]
async fn what_was_never_sent_is_sent_again_at_once_and_is_no_attempt() {
    let unsent = |times| iter::repeat_with(|| fails(ErrorKind::Closed, Reach::NotSent)).take(times);
    let Setup { retry, clock, .. } = setup(unsent(10).chain([status(200)]));
    let response = retry.send(with(post(), MaxRetries(0))).await.unwrap();
    assert_eq!(Attempts::of(&response), 1);
    assert_eq!(clock.slept(), Duration::ZERO);

    let Setup { retry, backend, .. } = setup(unsent(11).chain([status(200)]));
    assert_eq!(retry.send(post()).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(backend.requests().len(), 11);
}

#[tokio::test]
async fn a_failure_after_a_reply_still_tells_what_that_was() {
    let Setup { retry, .. } = setup([busy("1"), fails(ErrorKind::Tls, Reach::NotSent)]);
    let error = retry.send(post()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Tls, 2));
    assert_eq!(error.last_reply().unwrap().status, 429);
}

#[tokio::test]
async fn an_empty_budget_ends_the_matter() {
    let budget = Budget::with_tokens(14);
    let Setup { retry, backend, clock } = setup([status(500), status(500), status(200)]);
    let retry = retry.budget(budget.clone());
    assert_eq!(retry.send(get()).await.unwrap().status(), 500);
    assert_eq!((backend.requests().len(), budget.tokens()), (2, 0));
    assert!(clock.slept() <= Duration::from_millis(500));
}

#[tokio::test]
async fn an_open_breaker_says_when_it_tries_again() {
    let refused = || fails(ErrorKind::Connect, Reach::NotSent);
    let Setup { retry, backend, .. } = setup(iter::repeat_with(refused).take(10));
    let breaker = Breaker::new();
    let retry = retry.breaker(breaker.clone());
    for _ in 0..4 {
        assert_eq!(retry.send(post()).await.unwrap_err().kind(), ErrorKind::Connect);
    }
    assert_eq!(backend.answers_left(), 0, "the tenth failure, the first of the fourth call, was its last");

    let until = breaker.open().unwrap().until;
    let error = retry.send(post()).await.unwrap_err();
    assert_eq!((error.kind(), error.reach(), error.attempts()), (ErrorKind::Open, Reach::NotSent, 0));
    assert!(error.is_retryable() && error.retry_after() <= Some(Duration::from_secs(1)));
    let open = std::error::Error::source(&error).unwrap().downcast_ref::<Open>().unwrap();
    assert_eq!(open.until, until);
}

#[tokio::test]
async fn who_has_time_waits_for_an_open_breaker() {
    let refused = || fails(ErrorKind::Connect, Reach::NotSent);
    let answers = iter::repeat_with(refused).take(15).chain([status(200)]);
    let Setup { retry, clock, .. } = setup(answers);
    let retry = retry.breaker(Breaker::new());
    for _ in 0..4 {
        retry.send(post()).await.unwrap_err();
    }
    // Five probes fail, after 1, 3, 7, 11 and 15 s; the sixth is the one that succeeds.
    let deadline = Deadline(start() + clock.slept() + Duration::from_secs(60));
    let response = retry.send(with(post(), deadline)).await.unwrap();
    assert_eq!(Attempts::of(&response), 6);
    assert!(clock.slept() < Duration::from_secs(40), "{:?}", clock.slept());
}

/// Waits for ever, as a limiter may.
#[derive(Debug)]
struct Stuck;

#[async_trait::async_trait]
impl HttpBackend for Stuck {
    async fn send(&self, _: Request) -> Result<Response, Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_deadline_ends_whatever_the_layers_within_wait_for() {
    let clock = clock();
    let retry = Retry::new(Stuck, Arc::new(Backoff::new()), Arc::new(clock.clone()), 1);
    let deadline = Deadline(start() + Duration::from_secs(10));
    let call = tokio::spawn(async move { retry.send(with(post(), deadline)).await });
    settle().await;
    clock.advance(Duration::from_millis(10_100));
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Total));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]

    /// G22: whatever the server says, in whatever form, nobody comes back earlier.
    #[test]
    fn nobody_comes_back_earlier_than_told(seed: u64, milliseconds in 1_u64..60_000, form in 0..3, deadline in 0_u64..90) {
        let told = match form {
            0 => Duration::from_millis(milliseconds),
            _ => Duration::from_secs(milliseconds.div_ceil(1000)),
        };
        let (name, value) = match form {
            0 => ("retry-after-ms", milliseconds.to_string()),
            1 => ("retry-after", told.as_secs().to_string()),
            _ => ("retry-after", httpdate::fmt_http_date(start() + told)),
        };
        let busy = http::Response::builder().status(429).header(name, value).body(Body::empty()).unwrap();
        let Setup { retry, clock, .. } = seeded([Ok(busy), status(200)], seed);
        let limit = Duration::from_secs(deadline);
        let request = if deadline == 0 { post() } else { with(post(), Deadline(start() + limit)) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let response = runtime.block_on(retry.send(request)).unwrap();
        if response.status() == 200 {
            proptest::prop_assert!(clock.slept() >= told);
            proptest::prop_assert!(deadline == 0 || clock.slept() < limit);
        } else {
            proptest::prop_assert!(deadline != 0 && limit <= told);
            proptest::prop_assert_eq!(clock.slept(), Duration::ZERO);
        }
    }
}

/// G22: a thousand clients that were told the same do not come back together.
#[tokio::test]
async fn a_thousand_clients_with_one_delay_come_back_spread_out() {
    for told in ["1", "30", "60"] {
        let mut waits = Vec::new();
        for seed in 0..1_000 {
            let Setup { retry, clock, .. } = seeded([busy(told), status(200)], seed);
            retry.send(post()).await.unwrap();
            waits.push(clock.slept());
        }
        waits.sort_unstable();
        let window = Duration::from_millis(100);
        let busiest =
            (0..waits.len()).map(|from| waits[from..].partition_point(|wait| *wait < waits[from] + window));
        let busiest = busiest.max().unwrap();
        assert!(busiest <= 100, "{told}: {busiest} of 1,000 within 100 ms");
    }
}
