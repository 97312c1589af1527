//! What is measured of calls: each thing once, on a clock that the test holds.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, Client, ClientBuilder, auth_core,
    credentials::{Cached, Credential, CredentialProvider, Grant, TokenSource},
    estimates::Estimate,
    metrics::{Labels, Measurement, Metrics, Tokens},
    ratelimit::{self, Cost, Key, Observation, Permit, RateLimiter},
    token_store::{MemoryTokenStore, TokenStore},
    transport::{self, Clock, HttpBackend, Request, Response, SimClock, layers::Next},
    types::{MessageRequest, Model},
};
use futures_util::{FutureExt as _, future::join_all};
use http::StatusCode;
use mock_server::{At, Fault, MockServer, Reply};
use secrecy::ExposeSecret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::rig::{HOUR, Place, SCOPES, Waits, backend, client, held, hello, revoke, t0, token, until};

/// Writes down what it hears, a line each.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Metrics for Notes {
    fn record(&self, measurement: &Measurement<'_>) {
        let of = |labels: &Labels| match &labels.model {
            Some(model) => format!("{} of {model}", labels.operation),
            None => labels.operation.to_owned(),
        };
        let line = match *measurement {
            Measurement::Call { labels, took, error, status, used, tokens_per_second, .. } => {
                let used = used.map(|Tokens { input, output, cache_write, cache_read, .. }| {
                    format!("{input}+{cache_write}+{cache_read} in, {output} out")
                });
                let speed = tokens_per_second.map(|speed| format!("{speed} tokens/s"));
                self.0.lock().unwrap().extend(used.into_iter().chain(speed));
                let status = status.map_or("no status".into(), |status| status.as_u16().to_string());
                format!("{}: {} after {took:?}, {status}", of(labels), error.unwrap_or("ok"))
            }
            Measurement::Headers { took, status, .. } => format!("{} after {took:?}", status.as_u16()),
            Measurement::FirstToken { took, .. } => format!("first token after {took:?}"),
            Measurement::Retry { reason, .. } => format!("again: {reason}"),
            Measurement::RateLimited { .. } => "429".to_owned(),
            Measurement::LimiterWait { took, .. } => format!("permit after {took:?}"),
            Measurement::Refresh { error } => format!("refresh: {}", error.unwrap_or("ok")),
            _ => "not known".to_owned(),
        };
        self.0.lock().unwrap().push(line);
    }
}

fn measured(server: &MockServer) -> (ClientBuilder, Notes, Waits) {
    let notes = Notes::default();
    let (builder, waits) = client(server);
    (builder.metrics(notes.clone()), notes, waits)
}

fn overloaded() -> Reply {
    Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "planted")
}

fn too_many() -> Reply {
    Reply::error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "planted")
}

#[tokio::test]
async fn a_call_with_retries_is_one_call_and_each_of_its_attempts_is_counted_once() {
    let server = held().start().await.unwrap();
    let (builder, notes, waits) = measured(&server);
    let client = builder.build().unwrap();
    server.set_script([overloaded(), too_many()]);
    let message = client.messages().create(&hello()).await.unwrap();
    let waited = waits.slept().iter().sum::<Duration>();
    assert!(!waited.is_zero());
    let usage = &message.usage;
    assert_eq!(
        notes.take(),
        [
            "529 after 0ns",
            "again: overloaded_error",
            "429 after 0ns",
            "429",
            "again: rate_limit_error",
            "200 after 0ns",
            &format!("{}+0+0 in, {} out", usage.input_tokens, usage.output_tokens),
            &format!("chat of claude-haiku-4-5: ok after {waited:?}, 200"),
        ]
    );
}

#[tokio::test]
async fn a_call_that_fails_has_the_name_of_its_error_and_a_retry_that_is_not_made_is_not_counted() {
    let server = held().start().await.unwrap();
    let (builder, notes, _) = measured(&server);
    let client = builder.max_retries(0).circuit_breaker(None).build().unwrap();
    server.set_script([too_many()]);
    client.messages().create(&hello()).await.unwrap_err();
    assert_eq!(
        notes.take(),
        ["429 after 0ns", "429", "chat of claude-haiku-4-5: rate_limit_error after 0ns, 429"]
    );
    server.inject(Fault::close(At::Request).always());
    client.messages().count_tokens(&hello()).await.unwrap_err();
    let [end] = &notes.take()[..] else { panic!("more than the end of the call") };
    assert_eq!(end, "count_tokens of claude-haiku-4-5: closed after 0ns, no status");
}

#[tokio::test]
async fn every_route_is_an_operation_and_no_id_is_in_its_name() {
    let server = held().start().await.unwrap();
    let (builder, notes, _) = measured(&server);
    let client = builder.build().unwrap();
    client.models().list().await.unwrap();
    client.models().get(&Model::CLAUDE_HAIKU_4_5).await.unwrap();
    client.messages().count_tokens(&hello()).await.unwrap();
    client.raw().get("/v1/models").send().await.unwrap();
    client.batches().get("msgbatch_not_there").await.unwrap_err();
    client.raw().get("/v1/new/route_1").send().await.unwrap_err();
    let ends: Vec<_> = notes.take().into_iter().filter(|line| line.contains(": ")).collect();
    assert_eq!(
        ends,
        [
            "models: ok after 0ns, 200",
            "models: ok after 0ns, 200",
            "count_tokens of claude-haiku-4-5: ok after 0ns, 200",
            "models: ok after 0ns, 200",
            "batches: not_found_error after 0ns, 404",
            "other: not_found_error after 0ns, 404",
        ]
    );
}

pub const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\n\r\n";
pub const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\
                     \"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5\",\"content\":[],\
                     \"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\
                     \"cache_read_input_tokens\":100,\"output_tokens\":1}}}\n\n";
pub const BLOCK: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\
                     \"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
pub const END: &str = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
                   event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\
                   \"stop_sequence\":null},\"usage\":{\"output_tokens\":30}}\n\n\
                   event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

pub async fn asked(listener: &TcpListener) -> TcpStream {
    let (mut socket, _) = listener.accept().await.unwrap();
    let _ = socket.read(&mut [0; 4096]).await.unwrap();
    socket
}

#[tokio::test]
async fn a_stream_tells_when_it_began_and_how_fast_it_was() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (notes, clock) = (Notes::default(), SimClock::new(t0()));
    let client = Client::builder()
        .base_url(format!("http://{}", listener.local_addr().unwrap()))
        .api_key("sk-ant-key")
        .backend(backend())
        .clock(clock.clone())
        .metrics(notes.clone())
        .build()
        .unwrap();
    let call = tokio::spawn(async move {
        let stream = client.messages().stream(&hello()).await.unwrap();
        stream.final_message().await.unwrap()
    });
    let mut socket = asked(&listener).await;
    clock.advance(Duration::from_secs(1));
    socket.write_all(format!("{HEAD}{START}").as_bytes()).await.unwrap();
    until(|| notes.count() == 1).await;
    clock.advance(Duration::from_millis(500));
    socket.write_all(BLOCK.as_bytes()).await.unwrap();
    until(|| notes.count() == 2).await;
    clock.advance(Duration::from_millis(1500));
    socket.write_all(END.as_bytes()).await.unwrap();
    call.await.unwrap();
    assert_eq!(
        notes.take(),
        [
            "200 after 1s",
            "first token after 1.5s",
            "9+0+100 in, 30 out",
            "20 tokens/s",
            "chat of claude-haiku-4-5: ok after 3s, 200",
        ]
    );
}

#[tokio::test]
async fn a_stream_that_is_dropped_or_cut_is_no_success_and_has_used_what_it_has() {
    let server = held().start().await.unwrap();
    let (builder, notes, _) = measured(&server);
    let client = builder.build().unwrap();
    let mut stream = client.messages().stream(&hello()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    let heard = notes.take();
    assert_eq!(heard.last().unwrap(), "chat of claude-haiku-4-5: cancelled after 0ns, 200");
    assert!(heard[2].ends_with(" out") && heard.len() == 4, "{heard:?}");

    let cut = format!("{START}{BLOCK}");
    server.set_script([Reply::sse([cut])]);
    client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap_err();
    let heard = notes.take();
    assert_eq!(heard[2..], ["9+0+100 in, 1 out", "chat of claude-haiku-4-5: stream after 0ns, 200"]);
}

#[tokio::test]
async fn a_stream_that_begins_with_a_refusal_is_a_429_and_sent_again() {
    let server = held().start().await.unwrap();
    let (builder, notes, waits) = measured(&server);
    let client = builder.build().unwrap();
    let refusal = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"no\"}}\n\n";
    server.set_script([Reply::sse([refusal])]);
    client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    let waited = waits.slept().iter().sum::<Duration>();
    let heard = notes.take();
    assert_eq!(heard[..4], ["200 after 0ns", "429", "again: rate_limit_error", "200 after 0ns"]);
    assert_eq!(heard[4], format!("first token after {waited:?}"));
}

/// Gives a permit at once, and the next ones after two seconds; the number is how many it has given.
#[derive(Debug)]
pub struct Queue(pub SimClock, pub Mutex<u32>);

#[async_trait]
impl RateLimiter for Queue {
    async fn acquire(&self, _: Key, _: Cost, _: Duration) -> Result<Permit, ratelimit::Error> {
        let asked = {
            let mut asked = self.1.lock().unwrap();
            *asked += 1;
            *asked
        };
        if asked > 1 {
            self.0.sleep(Duration::from_secs(2)).await;
        }
        Ok(Permit::new(|_| {}))
    }

    fn observe(&self, _: &Key, _: &Observation) {}
}

#[tokio::test]
async fn a_wait_for_the_limiter_is_counted_where_there_is_one() {
    let server = held().start().await.unwrap();
    let (notes, clock) = (Notes::default(), SimClock::new(t0()));
    let builder = client(&server).0.clock(clock.clone()).metrics(notes.clone());
    let client = builder.rate_limiter(Queue(clock.clone(), Mutex::default())).build().unwrap();
    client.messages().create(&hello()).await.unwrap();
    assert!(notes.take().iter().all(|line| !line.starts_with("permit")));
    let request = hello();
    let (calls, ()) = tokio::join!(join_all((0..3).map(|_| client.messages().create(&request))), async {
        until(|| clock.sleepers() == 3).await;
        clock.advance(Duration::from_secs(2));
    });
    assert!(calls.iter().all(Result::is_ok));
    let heard = notes.take();
    assert_eq!(heard.iter().filter(|line| *line == "permit after 2s").count(), 3, "{heard:?}");
    assert_eq!(heard.iter().filter(|line| *line == "200 after 0ns").count(), 3, "{heard:?}");
}

/// Takes a second to count.
#[derive(Debug)]
struct Slow(SimClock);

#[async_trait]
impl Estimate for Slow {
    fn cost(&self, _: &MessageRequest, _: usize) -> Cost {
        Cost::requests(1)
    }

    async fn count(&self, _: &MessageRequest) -> Option<u64> {
        self.0.sleep(Duration::from_secs(1)).await;
        Some(3)
    }
}

#[tokio::test]
async fn what_a_count_of_tokens_takes_is_no_part_of_the_attempt() {
    let server = held().start().await.unwrap();
    let (notes, clock) = (Notes::default(), SimClock::new(t0()));
    let builder = client(&server).0.clock(clock.clone()).metrics(notes.clone());
    let builder = builder.estimate(Slow(clock.clone())).rate_limiter(ratelimit::limiters::Unlimited);
    let client = builder.build().unwrap();
    let (messages, request) = (client.messages(), hello());
    let (message, ()) = tokio::join!(messages.create(&request), async {
        until(|| clock.sleepers() == 1).await;
        clock.advance(Duration::from_secs(1));
    });
    message.unwrap();
    let heard = notes.take();
    assert_eq!(heard.first().unwrap(), "200 after 0ns");
    assert_eq!(heard.last().unwrap(), "chat of claude-haiku-4-5: ok after 1s, 200");
}

#[tokio::test]
async fn renewals_are_counted_for_every_client_at_once_and_failed_ones_apart() {
    let place = Place::new(held().access_token_ttl(HOUR)).await;
    let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
    let oauth = place.open(Arc::clone(&store)).await;
    let notes = Notes::default();
    for _ in 0..2 {
        let builder = Client::builder().base_url(place.mock.base_url()).backend(backend());
        builder.clock(place.clock.clone()).credentials(oauth.clone()).metrics(notes.clone()).build().unwrap();
    }
    token(&oauth).await;
    assert_eq!(notes.count(), 0, "a token that is good is not renewed");
    place.advance(HOUR);
    token(&oauth).await;
    assert_eq!(notes.take(), ["refresh: ok"]);

    place.advance(HOUR);
    place.mock.inject(Fault::status(StatusCode::TOO_MANY_REQUESTS).on(place.mock.token_url().path()));
    oauth.credential().await.unwrap_err();
    assert_eq!(notes.take(), ["refresh: failed"]);

    place.advance(HOUR);
    let spent = store.load().await.unwrap().unwrap().refresh_token.unwrap();
    revoke(&place, spent.expose_secret()).await;
    place.refused(oauth.credential()).await.unwrap_err();
    assert_eq!(notes.take(), ["refresh: invalid_grant"]);
}

/// Gives one token, and then none.
#[derive(Debug, Default)]
pub struct Once(Mutex<bool>);

#[async_trait]
impl TokenSource for Once {
    async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError> {
        match std::mem::replace(&mut *self.0.lock().unwrap(), true) {
            false => {
                let credential = Credential::token("badge-1".into(), 0)?;
                Ok(Grant { credential, expires_at: Some(clock.now() + HOUR) })
            }
            true => Err(AuthError::Malformed),
        }
    }
}

#[tokio::test]
async fn what_a_source_gives_and_what_it_does_not_is_counted() {
    let (notes, clock) = (Notes::default(), SimClock::new(t0()));
    let cached = Cached::new_with(Once::default(), clock.clone(), auth_core::Policy::default());
    let _client = Client::builder().credentials(cached.clone()).metrics(notes.clone()).build().unwrap();
    cached.credential().await.unwrap();
    clock.advance(HOUR);
    cached.credential().await.unwrap_err();
    assert_eq!(notes.take(), ["refresh: ok", "refresh: failed"]);
}

#[derive(Debug)]
struct Faulty;

impl Metrics for Faulty {
    fn record(&self, _: &Measurement<'_>) {
        panic!("this is a test")
    }
}

#[tokio::test]
async fn metrics_that_panic_cost_neither_a_call_nor_a_session() {
    let place = Place::new(held().access_token_ttl(HOUR)).await;
    let store = MemoryTokenStore::new(place.login(SCOPES).await);
    let oauth = place.open(store).await;
    let builder = Client::builder().base_url(place.mock.base_url()).backend(backend()).metrics(Faulty);
    let client = builder.clock(place.clock.clone()).credentials(oauth.clone()).build().unwrap();
    for _ in 0..2 {
        place.advance(HOUR);
        client.messages().create(&hello()).await.unwrap();
        client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    }
}

/// Makes a call of its own whenever the head of an answer is here.
#[derive(Debug)]
struct Caller(Client, Notes);

impl Metrics for Caller {
    fn record(&self, measurement: &Measurement<'_>) {
        self.1.record(measurement);
        if matches!(measurement, Measurement::Headers { .. }) {
            self.0.messages().create(&hello()).now_or_never().unwrap().unwrap();
        }
    }
}

/// Answers at once.
#[derive(Debug)]
struct AtOnce;

#[async_trait]
impl HttpBackend for AtOnce {
    async fn send(&self, _: Request) -> Result<Response, transport::Error> {
        let message = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[],
            "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}}"#;
        let response = http::Response::builder().header("content-type", "application/json");
        Ok(response.body(transport::Body::from(bytes::Bytes::from_static(message.as_bytes()))).unwrap())
    }
}

#[tokio::test]
async fn a_sink_that_makes_calls_confuses_neither_them_nor_the_call_it_hears_of() {
    let client = |metrics: Arc<dyn Metrics>| {
        let builder = Client::builder().api_key("sk-ant-key").backend(AtOnce);
        builder.clock(SimClock::new(t0())).metrics(metrics).build().unwrap()
    };
    let (inner, outer) = (Notes::default(), Notes::default());
    let caller = Caller(client(Arc::new(inner.clone())), outer.clone());
    client(Arc::new(caller)).messages().create(&hello()).await.unwrap();
    let end = "chat of claude-haiku-4-5: ok after 0ns, 200";
    assert_eq!(outer.take(), ["200 after 0ns", "1+0+0 in, 2 out", end]);
    assert_eq!(inner.take(), ["200 after 0ns", "1+0+0 in, 2 out", end]);
}

#[tokio::test]
async fn a_call_that_a_middleware_makes_with_a_client_that_is_not_measured_is_not_counted() {
    let server = held().start().await.unwrap();
    let plain = client(&server).0.build().unwrap();
    let (builder, notes, _) = measured(&server);
    let asking = builder.middleware(move |request: Request, next: Next| {
        let plain = plain.clone();
        async move {
            plain.messages().create(&hello()).await.unwrap();
            next.run(request).await
        }
    });
    // The first is for the call inside.
    server.set_script([too_many()]);
    asking.build().unwrap().messages().create(&hello()).await.unwrap();
    let heads: Vec<_> = notes.take().into_iter().filter(|note| !note.contains(" in, ")).collect();
    assert_eq!(heads, ["200 after 0ns", "chat of claude-haiku-4-5: ok after 0ns, 200"]);
}

/// Looks at how much a request carries along.
#[derive(Debug, Clone)]
struct Scales(Arc<Mutex<Vec<usize>>>);

#[async_trait]
impl HttpBackend for Scales {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        self.0.lock().unwrap().push(request.extensions().len());
        backend().send(request).await
    }
}

#[tokio::test]
async fn no_request_carries_anything_of_metrics() {
    let server = held().start().await.unwrap();
    let scales = Scales(Arc::default());
    let without = client(&server).0.backend(scales.clone()).build().unwrap();
    without.messages().create(&hello()).await.unwrap();
    without.models().list().await.unwrap();
    let with = client(&server).0.backend(scales.clone()).metrics(Notes::default()).build().unwrap();
    with.messages().create(&hello()).await.unwrap();
    assert_eq!(*scales.0.lock().unwrap(), [0, 0, 0]);
}
