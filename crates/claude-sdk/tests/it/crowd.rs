//! A session with a crowd of callers: however many they are and whatever fails, the token endpoint hears little of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, Error, RequestOptions,
    auth_core::{self, Policy},
    credentials::{CredentialProvider, OAuth},
    token_store::{MemoryTokenStore, TokenStore},
    transport::{
        self, Body, Clock, ErrorKind, HttpBackend, Request, Response, SimClock, TimeoutKind,
        backends::Reqwest,
    },
    types::Model,
};
use futures_util::future::{join_all, poll_fn};
use http::{HeaderValue, StatusCode};
use mock_server::Reply;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use crate::rig::{Gate, HOUR, Place, SCOPES, access, backend, held, until};

const MODEL: Model = Model::CLAUDE_HAIKU_4_5;

async fn place() -> Place {
    Place::new(held().access_token_ttl(HOUR)).await
}

/// G1.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_callers_of_an_expired_token_cause_one_renewal() {
    const CALLERS: u32 = 10_000;
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let gate = Gate::new();
    let oauth = place.open_through(Arc::clone(&store), gate.clone()).await;
    for round in 0..2 {
        place.advance(HOUR);
        let before = place.exchanges(200);
        let asked = Arc::new(Semaphore::new(0));
        let calls: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (oauth, asked) = (oauth.clone(), Arc::clone(&asked));
                tokio::spawn(async move {
                    asked.add_permits(1);
                    oauth.credential().await.map(|credential| credential.expose().to_owned())
                })
            })
            .collect();
        gate.arrived.acquire().await.unwrap().forget();
        asked.acquire_many(CALLERS).await.unwrap().forget();
        gate.open.add_permits(1);

        let calls = join_all(calls).await;
        let stored = store.load().await.unwrap().unwrap();
        assert!(calls.into_iter().all(|call| call.unwrap().unwrap() == access(&stored)), "round {round}");
        assert_eq!((place.exchanges(200) - before, place.exchanges(400)), (1, 0), "round {round}");
        place.client(&oauth).models().get(&MODEL).await.unwrap();
    }
}

/// A service that takes `stale` no more, and says so after one, two, three milliseconds and so on: one to each request.
#[derive(Debug, Clone)]
struct Staggered {
    stale: HeaderValue,
    refusals: Arc<AtomicUsize>,
    sent: Arc<Semaphore>,
    clock: SimClock,
}

#[async_trait]
impl HttpBackend for Staggered {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        let answer = http::Response::builder().header(http::header::CONTENT_TYPE, "application/json");
        if request.headers()[http::header::AUTHORIZATION] != self.stale {
            return Ok(answer.body(Body::from(r#"{"type":"model","id":"m"}"#)).unwrap());
        }
        let number = self.refusals.fetch_add(1, Ordering::SeqCst) + 1;
        self.sent.add_permits(1);
        self.clock.sleep(Duration::from_millis(number as u64)).await;
        Ok(answer.status(StatusCode::UNAUTHORIZED).body(Body::from("{}")).unwrap())
    }
}

/// G2.
#[tokio::test]
async fn ten_thousand_refusals_over_ten_seconds_cause_one_renewal() {
    const CALLERS: usize = 10_000;
    const STEP: usize = 100;
    let place = place().await;
    let oauth = place.open(MemoryTokenStore::new(place.login(SCOPES).await)).await;
    let stale = format!("Bearer {}", oauth.credential().await.unwrap().expose()).parse().unwrap();
    let (sent, done) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (refusals, clock) = (Arc::default(), place.clock.clone());
    let service = Staggered { stale, refusals: Arc::clone(&refusals), sent: Arc::clone(&sent), clock };
    let client = place.client_through(&oauth, service);

    // All of them are under way before the first one is refused.
    let calls: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (client, done) = (client.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let outcome = client.models().get(&MODEL).await.map(drop);
                done.add_permits(1);
                outcome
            })
        })
        .collect();
    let wait_for = async |semaphore: &Semaphore, calls: usize| {
        semaphore.acquire_many(calls.try_into().unwrap()).await.unwrap().forget();
    };
    wait_for(&sent, CALLERS).await;
    for _ in 0..CALLERS / STEP {
        place.clock.advance(Duration::from_millis(STEP as u64));
        wait_for(&done, STEP).await;
    }
    for call in join_all(calls).await {
        call.unwrap().unwrap();
    }
    assert_eq!(refusals.load(Ordering::SeqCst), CALLERS);
    assert_eq!((place.exchanges(200), place.exchanges(400)), (2, 0), "the login's own and one");
    place.client(&oauth).models().get(&MODEL).await.unwrap();
}

/// Counts the exchanges that go through it.
#[derive(Debug, Clone)]
struct Counted {
    began: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    backend: Reqwest,
}

impl Counted {
    fn new() -> Self {
        Self { began: Arc::default(), ended: Arc::default(), backend: backend() }
    }

    fn count(&self) -> usize {
        self.began.load(Ordering::SeqCst)
    }

    /// Waits until whatever was set about in the background is over.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        until(|| self.ended.load(Ordering::SeqCst) == self.count()).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl HttpBackend for Counted {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        self.began.fetch_add(1, Ordering::SeqCst);
        let answer = self.backend.send(request).await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        answer
    }
}

fn down() -> Reply {
    Reply::html("<h1>down</h1>").status(StatusCode::SERVICE_UNAVAILABLE).on("/v1/oauth/token")
}

/// G12: the last hour of a token, with a call in every second.
#[tokio::test]
async fn a_token_endpoint_that_is_down_for_an_hour_is_asked_a_few_times_and_no_call_fails() {
    let place = Place::new(held().access_token_ttl(2 * HOUR)).await;
    let session = place.login(SCOPES).await;
    let exchanges = Counted::new();
    let oauth = place.open_through(MemoryTokenStore::new(session), exchanges.clone()).await;
    let client = place.client(&oauth);
    place.advance(HOUR);
    place.mock.set_script(std::iter::repeat_with(down).take(1000));

    for second in 0..3600 {
        oauth.credential().await.unwrap();
        exchanges.settle().await;
        if second % 60 == 59 {
            client.models().get(&MODEL).await.unwrap();
        }
        place.advance(Duration::from_secs(1));
    }
    assert!((5..=20).contains(&exchanges.count()), "{} attempts", exchanges.count());

    let error = client.models().get(&MODEL).await.unwrap_err();
    place.mock.set_script([]);
    place.advance(error.retry_after().unwrap());
    client.models().get(&MODEL).await.unwrap();
}

/// G13: also where the answer leaves it open whether it was the server that spoke, which is worth one prompt repetition.
#[tokio::test]
async fn a_thousand_callers_without_a_token_endpoint_cost_one_call_in_each_wait() {
    let place = place().await;
    let session = place.login(SCOPES).await;
    place.advance(HOUR);
    place.mock.set_script(std::iter::repeat_with(down).take(1000));
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nowhere = auth_core::Server::new(format!("http://{nobody}/").parse().unwrap()).unwrap();

    for (server, repetitions) in [(place.server(), 1), (nowhere, 0)] {
        let exchanges = Counted::new();
        let store = MemoryTokenStore::new(session.clone());
        let (clock, policy) = (place.clock.clone(), Policy::default());
        let oauth = OAuth::open_with(server, place.app(), store, exchanges.clone(), clock, policy);
        let oauth = oauth.await.unwrap();
        for wait in 0..10 {
            let now = place.clock.now();
            let errors = thousand_fail(&oauth).await;
            assert_eq!(place.clock.now(), now, "nobody waited");
            let allowed = 1 + if wait == 0 { repetitions } else { 0 };
            assert_eq!(exchanges.began.swap(0, Ordering::SeqCst), allowed, "wait {wait}");
            exchanges.ended.store(0, Ordering::SeqCst);
            place.advance(errors.into_iter().filter_map(|error| error.retry_after()).max().unwrap());
        }
    }
}

/// A thousand callers at once, and some more while the first ones are told.
async fn thousand_fail(oauth: &OAuth) -> Vec<Error> {
    let call = || {
        let oauth = oauth.clone();
        tokio::spawn(async move { oauth.credential().await.unwrap_err() })
    };
    let mut errors: Vec<Error> = Vec::new();
    for callers in [900, 100] {
        for error in join_all((0..callers).map(|_| call())).await {
            errors.push(error.unwrap().into());
        }
    }
    let retryable = |error: &Error| {
        matches!(error, Error::Auth(AuthError::Renewal { retryable: true, .. }, ..))
            && error.retry_after().is_some()
    };
    assert!(errors.iter().all(retryable), "{:?}", errors.first());
    errors
}

/// Polls whenever it is woken, and gives up after so many polls.
async fn polled<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// G8: a call is given up at each of its waits, until one gets through.
#[tokio::test]
async fn a_caller_who_goes_away_at_any_point_loses_no_token() {
    let place = place().await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    let client = place.client(&oauth);
    let mut polls = 0;
    loop {
        place.advance(HOUR);
        let before = place.exchanges(200);
        let answer = polled(polls, client.models().get(&MODEL)).await;
        let token = oauth.credential().await.unwrap();
        assert_eq!(place.exchanges(200) - before, 1, "dropped after {polls} polls");
        assert_eq!(place.exchanges(400), 0, "dropped after {polls} polls");
        let stored = store.load().await.unwrap().unwrap();
        assert_eq!(stored.access_token.expose_secret(), token.expose(), "dropped after {polls} polls");
        if let Some(answer) = answer {
            answer.unwrap();
            break;
        }
        polls += 1;
    }
    assert!(polls > 3, "{polls} polls are the whole call");
}

/// F37.
#[tokio::test]
async fn a_caller_out_of_patience_hears_so_in_time_and_the_renewal_goes_on() {
    let place = place().await;
    let oauth = place.open(MemoryTokenStore::new(place.login(SCOPES).await)).await;
    let client = place.client(&oauth);
    let hurried = client.with_options(RequestOptions::new().deadline(Duration::from_secs(1))).unwrap();
    place.advance(HOUR);
    let slow = place.mock.hold_answers("/v1/oauth/token");
    let before = place.exchanges(200);
    let call = tokio::spawn(async move { hurried.models().get(&MODEL).await });
    until(|| place.exchanges(200) > before).await;
    place.clock.advance(Duration::from_millis(999));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!call.is_finished(), "it was given up too early");
    place.clock.advance(Duration::from_millis(1));
    until(|| call.is_finished()).await;
    let error = call.await.unwrap().unwrap_err();
    let Error::Transport(cause) = &error else { panic!("{error:?}") };
    assert_eq!(cause.kind(), ErrorKind::Timeout(TimeoutKind::Total), "{error:?}");

    place.clock.advance(Duration::from_secs(28));
    drop(slow);
    client.models().get(&MODEL).await.unwrap();
    assert_eq!(place.exchanges(200), before + 1, "the renewal that was under way is the one that is used");
}
