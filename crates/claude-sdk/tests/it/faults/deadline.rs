//! G26: whatever goes wrong, a call ends by the deadline of its caller, on a clock that the test moves.

mod rows;
mod wire;

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, Client, Error, RequestOptions,
    credentials::{Credential, CredentialProvider},
    ratelimit::{self, Cost, Key, Permit, RateLimiter},
    token_store::MemoryTokenStore,
    transport::{self, Clock as _, ErrorKind, HttpBackend, Request, Response, SimClock, TimeoutKind},
};
use futures_util::future::poll_immediate;
use mock_server::{At, Fault};
use tokio::net::TcpListener;

use self::{
    rows::{Comes, MESSAGES, MESSAGES_OVER_HTTP2, Row, STREAMS, STREAMS_OVER_HTTP2, TOKENS},
    wire::Wire,
};
use super::{Footprint, Trial, transport_error};
use crate::rig::{HOUR, Place, SCOPES, backend, backend_for, held, hello, t0};

const DEADLINE: Duration = Duration::from_secs(20);
/// How much later a call may end.
const GRACE: Duration = Duration::from_millis(250);
const STEP: Duration = Duration::from_millis(100);
/// Every sleep of a client without a deadline is over by then.
const FOR_EVER: Duration = Duration::from_secs(2_000);
/// How often everybody else goes on before a silent server is taken for one.
const TURNS: usize = 100;
/// And how often before time goes on once more: a call that is over has to be able to say so.
const TURNS_A_STEP: usize = 5;
/// Nobody needs as many: a call that takes them hangs.
const MOST_TURNS: usize = 5_000_000;

/// Sees a call to its end, and tells after how long it came.
///
/// Time only goes by while the call waits for nothing but the clock, or for a server that has been asked for the `silent`th time and
/// says nothing more: how fast this machine is changes nothing.
async fn fate<T>(
    what: &str,
    clock: &SimClock,
    wire: &Wire,
    silent: usize,
    call: impl Future<Output = T>,
) -> (Duration, T) {
    let mut call = pin!(call);
    let begun = clock.now();
    let passed = || clock.now().duration_since(begun).unwrap();
    let mut turns = 0;
    for _ in 0..MOST_TURNS {
        if let Some(outcome) = poll_immediate(&mut call).await {
            return (passed(), outcome);
        }
        assert!(passed() < FOR_EVER, "{what}: it has no end");
        tokio::task::yield_now().await;
        turns = if wire.sent() >= silent { turns + 1 } else { 0 };
        if !wire.is_waited_for() || (turns > TURNS && turns.is_multiple_of(TURNS_A_STEP)) {
            clock.advance(STEP);
        }
    }
    panic!("{what}: it waits for a server that has said all");
}

/// Of a row: it ended in time, and as it does.
fn assert_in_time<T>(what: &str, comes: Comes, after: Duration, outcome: &Result<T, Error>) {
    assert!(after <= DEADLINE + GRACE, "{what}: it ended after {after:?}");
    let is_late = match outcome {
        Ok(_) => false,
        Err(error) => {
            let kind = transport_error(error).map(transport::Error::kind);
            kind == Some(ErrorKind::Timeout(TimeoutKind::Total))
        }
    };
    match comes {
        Comes::Well => assert!(outcome.is_ok(), "{what}: {:?}", outcome.as_ref().err()),
        Comes::Wrong => assert!(outcome.is_err() && !is_late, "{what}: {:?}", outcome.as_ref().err()),
        Comes::Either => assert!(!is_late, "{what}: {:?}", outcome.as_ref().err()),
        Comes::Never => {
            assert!(is_late && after >= DEADLINE, "{what}: after {after:?} {:?}", outcome.as_ref().err());
        }
    }
}

fn fault(text: &str) -> Fault {
    match text.strip_prefix("raw ") {
        Some(answer) => Fault::raw(answer.to_owned()),
        None => text.parse().unwrap_or_else(|_| panic!("{text}")),
    }
}

/// A trial of its own for each row, which looks at what is left of it.
async fn judge_rows(rows: &[Row], server: impl Fn() -> mock_server::Builder, is_stream: bool) {
    for (row, faults, comes) in rows {
        let what = format!("{row}: {faults:?}");
        let (clock, wire) = (SimClock::new(t0()), Wire::default());
        let trial = Trial::of(server(), |builder, server| {
            wire.leads_to(backend_for(server));
            builder.clock(clock.clone()).backend(wire.clone()).deadline(DEADLINE)
        });
        let trial = trial.await;
        let (last, first) = faults.split_last().unwrap();
        for text in first {
            trial.server.inject(fault(text));
            if text.ends_with("next") {
                trial.client.messages().create(&hello()).await.unwrap();
            }
        }
        let last = if *comes == Comes::Well { fault(last) } else { fault(last).always() };
        let asked = wire.sent() + faults.iter().filter(|text| !text.ends_with("next")).count();
        let silent = if *comes == Comes::Never { asked } else { usize::MAX };
        let call: Pin<Box<dyn Future<Output = _>>> =
            if is_stream { Box::pin(trial.stream(&what, last)) } else { Box::pin(trial.create(&what, last)) };
        let (after, outcome) = fate(&what, &clock, &wire, silent, call).await;
        assert_in_time(&what, *comes, after, &outcome);
        drop((outcome, wire));
        trial.end().await;
    }
}

#[tokio::test]
async fn a_message_ends_by_its_deadline_whatever_goes_wrong() {
    judge_rows(MESSAGES, held, false).await;
    judge_rows(MESSAGES_OVER_HTTP2, || held().tls(), false).await;
}

#[tokio::test]
async fn a_stream_ends_by_its_deadline_whatever_goes_wrong() {
    judge_rows(STREAMS, held, true).await;
    judge_rows(STREAMS_OVER_HTTP2, || held().tls(), true).await;
}

/// A call that needs a token first: the renewal has time of its own, and the caller does not wait for it.
#[tokio::test]
async fn a_call_that_waits_for_a_token_ends_by_its_deadline_whatever_goes_wrong() {
    for (row, faults, comes) in TOKENS {
        let what = format!("{row}: {faults:?}");
        let before = Footprint::now();
        let place = Place::new(held().access_token_ttl(HOUR)).await;
        let wire = Wire::default();
        wire.leads_to(backend_for(&place.mock));
        let store = MemoryTokenStore::new(place.login(SCOPES).await);
        let oauth = place.open_through(store, wire.clone()).await;
        let options = RequestOptions::new().deadline(DEADLINE);
        let client = place.client_through(&oauth, wire.clone()).with_options(options).unwrap();
        place.advance(HOUR);
        for text in *faults {
            place.mock.inject(fault(text).on("/v1/oauth/token").always());
        }
        let silent = if *comes == Comes::Never { 1 } else { usize::MAX };
        let (after, outcome) =
            fate(&what, &place.clock, &wire, silent, client.models().list().into_future()).await;
        assert_in_time(&what, *comes, after, &outcome);
        drop((outcome, client, oauth, wire));
        place.mock.shutdown().await;
        // What goes on without its caller ends at a limit of its own.
        let mut turns = 0;
        while Footprint::now().tasks > before.tasks {
            turns += 1;
            assert!(turns < MOST_TURNS, "{what}: something goes on");
            place.clock.advance(STEP);
            tokio::task::yield_now().await;
        }
        before.assert_restored().await;
    }
}

/// A part of the program that never answers, in the place of one that takes too long.
#[derive(Debug)]
struct Stuck;

#[async_trait]
impl CredentialProvider for Stuck {
    async fn credential(&self) -> Result<Credential, AuthError> {
        std::future::pending().await
    }
}

#[async_trait]
impl RateLimiter for Stuck {
    async fn acquire(&self, _: Key, _: Cost, _: Duration) -> Result<Permit, ratelimit::Error> {
        std::future::pending().await
    }
}

#[async_trait]
impl HttpBackend for Stuck {
    async fn send(&self, _: Request) -> Result<Response, transport::Error> {
        std::future::pending().await
    }
}

/// F1 and F3, F41, F69 and F70, F65 and F74 as a caller meets them: nothing is sent before the network, a lock, a vault, a keyring or
/// a limiter has answered. F2: it answers, and refuses.
#[tokio::test]
async fn a_call_that_is_never_sent_ends_by_its_deadline() {
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = || Client::builder().base_url("https://api.example/").deadline(DEADLINE);
    let key = || client().api_key("sk-ant-key").backend(Stuck);
    let stuck = |_: Request, _: transport::layers::Next| std::future::pending();
    for (what, builder, comes) in [
        // First, while nobody else can have got its port.
        ("a refusal", key().base_url(format!("http://{refusing}")), Comes::Wrong),
        ("no connection", key(), Comes::Never),
        ("no credential", client().credentials(Stuck).backend(Stuck), Comes::Never),
        ("no permit", key().rate_limiter(Stuck), Comes::Never),
        ("no middleware", key().middleware(stuck), Comes::Never),
    ] {
        let (clock, wire) = (SimClock::new(t0()), Wire::default());
        wire.leads_to(backend());
        let builder = if comes == Comes::Never { builder } else { builder.backend(wire.clone()) };
        let client = builder.clock(clock.clone()).build().unwrap();
        let (messages, models, request) = (client.messages(), client.models(), hello());
        let (after, outcome) = fate(what, &clock, &wire, usize::MAX, messages.create(&request)).await;
        assert_in_time(what, comes, after, &outcome);
        let (after, outcome) = fate(what, &clock, &wire, usize::MAX, messages.stream(&request)).await;
        assert_in_time(what, comes, after, &outcome);
        let (after, outcome) = fate(what, &clock, &wire, usize::MAX, models.list().into_future()).await;
        assert_in_time(what, comes, after, &outcome);
        assert_eq!(clock.sleepers(), 0, "{what}: somebody still waits");
    }
}

/// F63: a reader that comes back after the deadline is told so.
#[tokio::test]
async fn a_stream_that_nobody_read_until_its_deadline_has_ended() {
    let (clock, wire) = (SimClock::new(t0()), Wire::default());
    let trial = Trial::of(held(), |builder, server| {
        wire.leads_to(backend_for(server));
        builder.clock(clock.clone()).backend(wire.clone()).deadline(DEADLINE)
    });
    let trial = trial.await;
    trial.server.inject(Fault::stall(At::Event(6)));
    let mut stream = trial.client.messages().stream(&hello()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    clock.advance(DEADLINE);
    let rest = async {
        loop {
            stream.next().await.expect("an error and no end")?;
        }
    };
    let (after, outcome): (_, Result<(), Error>) = fate("a slow reader", &clock, &wire, 1, rest).await;
    assert_in_time("a slow reader", Comes::Never, DEADLINE + after, &outcome);
    drop((outcome, stream, wire));
    trial.end().await;
}
