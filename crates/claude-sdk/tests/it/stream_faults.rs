//! One recorded stream, cut, stalled and chopped in every way, with no network in between.

use std::{
    collections::VecDeque,
    error::Error as _,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use claude_sdk::{
    Client, ClientBuilder, Error, StreamError,
    stream::Event,
    transport::{self, Body, Clock, ErrorKind, HttpBackend, Reach, Request, Response, SimClock, TimeoutKind},
    types::Message,
};
use futures_core::Stream;
use serde_json::json;

use crate::rig::{hello, t0};

type Piece = Result<Bytes, transport::Error>;

/// A backend that gives what was put in last.
#[derive(Clone, Debug, Default)]
struct Canned(Arc<Mutex<Option<Response>>>);

impl Canned {
    fn put(&self, body: Body) {
        self.put_typed("text/event-stream; charset=utf-8", body);
    }

    fn put_typed(&self, content_type: &str, body: Body) {
        let head =
            http::Response::builder().header("content-type", content_type).header("request-id", "req_1");
        *self.0.lock().unwrap() = Some(head.body(body).unwrap());
    }
}

#[async_trait]
impl HttpBackend for Canned {
    async fn send(&self, _request: Request) -> Result<Response, transport::Error> {
        Ok(self.0.lock().unwrap().take().expect("one answer for each request"))
    }
}

fn client(canned: &Canned, clock: &SimClock) -> ClientBuilder {
    Client::builder()
        .base_url("https://api.example/")
        .api_key("sk-ant-key")
        .backend(canned.clone())
        .clock(clock.clone())
        .max_retries(0)
        .circuit_breaker(None)
}

/// Pieces that are there at once.
struct Pieces(VecDeque<Piece>);

impl Stream for Pieces {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Piece>> {
        Poll::Ready(self.0.pop_front())
    }
}

fn body(pieces: impl IntoIterator<Item = Piece>) -> Body {
    Body::from_stream(Pieces(pieces.into_iter().collect()))
}

fn event(data: &serde_json::Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

fn grow(index: usize, kind: &str, member: &str, text: &str) -> String {
    // As the service spells it, and as nobody does.
    if text.len().is_multiple_of(2) {
        event(&json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, member: text}}))
    } else {
        let text = json!(text);
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
             \"delta\":{{\"type\":\"{kind}\",\"{member}\":{text}}}}}\n\n"
        )
    }
}

const WORDS: [&str; 3] = [
    "Grüße 🦀 from a stream that thinks and writes and calls, and all of this in one piece of text, so that there are \
     not too many of them to be read over and over again; ",
    "it says \"so\\long\".\n",
    "A stream of which every byte is once the last one has to be short in events and long in bytes, or else the test \
     takes the time that a person has for it. ",
];

/// A stream of some 300 bytes for each delta: thinking, text and a call, pings, comments and unknown things between.
fn recorded(deltas: usize) -> String {
    let usage = json!({"input_tokens": 9, "output_tokens": 1});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage});
    let start =
        |index, block| event(&json!({"type": "content_block_start", "index": index, "content_block": block}));
    let stop = |index| event(&json!({"type": "content_block_stop", "index": index}));
    let mut stream = event(&json!({"type": "message_start", "message": message}));
    stream += ": a comment\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n";
    let blocks = [
        (json!({"type": "thinking", "thinking": "", "signature": ""}), "thinking_delta", "thinking"),
        (json!({"type": "text", "text": ""}), "text_delta", "text"),
        (
            json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}),
            "input_json_delta",
            "partial_json",
        ),
    ];
    for (index, (block, kind, member)) in blocks.into_iter().enumerate() {
        stream += &start(index, block);
        if kind == "input_json_delta" {
            stream += &grow(index, kind, member, "{\"text\": \"");
            (0..deltas).for_each(|number| {
                stream += &grow(index, kind, member, ["a", "bc", &"d e ".repeat(50)][number % 3]);
            });
            stream += &grow(index, kind, member, "\"}");
        } else {
            (0..deltas).for_each(|number| stream += &grow(index, kind, member, WORDS[number % 3]));
        }
        stream += &event(&json!({"type": "interlude", "index": index}));
        stream += &stop(index);
    }
    let change = json!({"stop_reason": "tool_use", "stop_sequence": null});
    stream += &event(&json!({"type": "message_delta", "delta": change, "usage": {"output_tokens": 20}}));
    stream += &event(&json!({"type": "message_stop"}));
    stream + ": the end\n\n"
}

/// Reads all events; an error keeps those that came before it.
async fn read(client: &Client) -> (Vec<Event>, Result<Message, Box<StreamError>>) {
    let mut stream = client.messages().stream(&hello()).await.unwrap();
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => events.push(event),
            Err(Error::Stream(error)) => return (events, Err(error)),
            Err(error) => panic!("{error:?}"),
        }
    }
    (events, Ok(stream.final_message().await.unwrap().into_inner()))
}

/// Cuts the recorded stream after each byte; what is whole is whole, everything else a typed error with what arrived.
async fn cut_after(end: Option<ErrorKind>) {
    let stream = Bytes::from(recorded(12));
    assert!((9_000..13_000).contains(&stream.len()), "{} bytes", stream.len());
    let is_whole_at = stream.len() - ": the end\n\n".len();
    let canned = Canned::default();
    let client = client(&canned, &SimClock::new(t0())).build().unwrap();
    let (mut whole, mut longest) = (0, 0);
    for cut in 0..=stream.len() {
        let end = end.map(|kind| Err(transport::Error::bare(kind, Reach::Answered)));
        canned.put(body([Ok(stream.slice(..cut))].into_iter().chain(end)));
        match read(&client).await.1 {
            Ok(message) => {
                assert!(cut >= is_whole_at, "half a message was taken for a whole one at {cut}");
                assert_eq!(message.usage.output_tokens, 20);
                whole += 1;
            }
            Err(error) => {
                assert!(cut < is_whole_at, "a whole message was lost at {cut}: {error:?}");
                assert!(error.is_truncated(), "at {cut}: {error:?}");
                let length = error.partial().map_or(0, |partial| {
                    assert_eq!(partial.usage.input_tokens, 9);
                    serde_json::to_string(&partial.content).unwrap().len()
                });
                assert!(length >= longest, "a longer stream gave less at {cut}");
                longest = length;
                assert_eq!(Error::from(error).request_id(), Some("req_1"));
            }
        }
    }
    assert_eq!(whole, (is_whole_at..=stream.len()).count());
    assert!(longest > 3_000, "{longest}");
}

#[tokio::test]
async fn a_stream_that_ends_after_any_byte_is_told_from_a_whole_one() {
    cut_after(None).await;
}

#[tokio::test]
async fn a_stream_that_breaks_after_any_byte_is_told_from_a_whole_one() {
    cut_after(Some(ErrorKind::Truncated)).await;
}

#[tokio::test]
async fn however_a_stream_is_chopped_its_events_are_the_same() {
    let stream = Bytes::from(recorded(2));
    let canned = Canned::default();
    let client = client(&canned, &SimClock::new(t0())).build().unwrap();
    canned.put(body([Ok(stream.clone())]));
    let (events, message) = read(&client).await;
    let message = message.unwrap();
    assert_eq!(message.content.len(), 3);
    for cut in 1..stream.len() {
        canned.put(body([Ok(stream.slice(..cut)), Ok(stream.slice(cut..))]));
        let (seen, whole) = read(&client).await;
        assert_eq!(seen, events, "cut at {cut}");
        assert_eq!(whole.unwrap(), message);
    }
    for size in [1, 2, 3, 5, 7, 64] {
        canned.put(body(stream.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece)))));
        let (seen, whole) = read(&client).await;
        assert_eq!(seen, events, "{size} bytes at a time");
        assert_eq!(whole.unwrap(), message);
    }
}

/// A stream that says these things one after the other, each after its pause.
struct Drip {
    clock: SimClock,
    said: VecDeque<(Duration, String)>,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Drip {
    fn new(clock: &SimClock, said: impl IntoIterator<Item = (u64, String)>) -> Self {
        let said = said.into_iter().map(|(seconds, text)| (Duration::from_secs(seconds), text));
        Self { clock: clock.clone(), said: said.collect(), pause: None }
    }
}

impl Stream for Drip {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        let Some(&(pause, _)) = self.said.front() else { return Poll::Ready(None) };
        let clock = self.clock.clone();
        let sleep = self.pause.get_or_insert_with(|| Box::pin(async move { clock.sleep(pause).await }));
        ready!(sleep.as_mut().poll(cx));
        self.pause = None;
        Poll::Ready(self.said.pop_front().map(|(_, text)| Ok(text.into())))
    }
}

/// After how many milliseconds a stream ended, and how.
async fn fate(client: Client, clock: &SimClock) -> (u128, Result<Message, Box<StreamError>>) {
    let began = clock.now();
    let call = tokio::spawn(async move { read(&client).await.1 });
    loop {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let passed = clock.now().duration_since(began).unwrap();
        if call.is_finished() {
            return (passed.as_millis(), call.await.unwrap());
        }
        assert!(passed < Duration::from_secs(1_000), "it did not end");
        clock.advance(Duration::from_millis(250));
    }
}

#[tokio::test]
async fn signs_of_life_alone_do_not_keep_a_stream_open() {
    let stream = recorded(1);
    let first = stream.find("event: content_block_stop").unwrap();
    for sign in [": still here\n\n", "event: ping\ndata: {\"type\": \"ping\"}\n\n", ":\n"] {
        for (limit, expected) in [(None, 120_000), (Some(45), 45_000)] {
            let clock = SimClock::new(t0());
            let canned = Canned::default();
            let begun = [(0, stream[..first].to_owned())];
            let dripped = std::iter::repeat_n((7, sign.to_owned()), 200);
            canned.put(Body::from_stream(Drip::new(&clock, begun.into_iter().chain(dripped))));
            let mut builder = client(&canned, &clock);
            if let Some(seconds) = limit {
                builder = builder.progress_timeout(Duration::from_secs(seconds));
            }
            let (after, result) = fate(builder.build().unwrap(), &clock).await;
            let error = result.unwrap_err();
            assert!((expected..=expected + 250).contains(&after), "{sign:?} ended after {after} ms");
            let cause = error.source().unwrap().downcast_ref::<transport::Error>().unwrap();
            assert_eq!(cause.kind(), ErrorKind::Timeout(TimeoutKind::Progress));
            assert!(error.is_truncated());
            assert_eq!(error.partial().unwrap().content.len(), 1);
            assert!(Error::from(error).is_retryable());
        }
    }
}

#[tokio::test]
async fn silence_ends_a_stream_sooner_than_signs_of_life_do() {
    let stream = recorded(1);
    let mut cases = 0;
    for event in stream.match_indices("\n\n").map(|(at, _)| at + 2).take_while(|at| *at < stream.len() - 50) {
        let clock = SimClock::new(t0());
        let canned = Canned::default();
        canned.put(Body::from_stream(Drip::new(
            &clock,
            [(0, stream[..event].to_owned()), (9_999, String::new())],
        )));
        let (after, result) = fate(client(&canned, &clock).build().unwrap(), &clock).await;
        let error = result.unwrap_err();
        assert!((60_000..=60_250).contains(&after), "{after} ms");
        let cause = error.source().unwrap().downcast_ref::<transport::Error>().unwrap();
        assert_eq!(cause.kind(), ErrorKind::Timeout(TimeoutKind::Idle));
        cases += 1;
    }
    assert!(cases > 3, "{cases}");
}

#[tokio::test]
async fn a_stream_may_take_its_time_as_long_as_it_goes_on() {
    let clock = SimClock::new(t0());
    let canned = Canned::default();
    let stream = recorded(3);
    // Pings in time for the one limit, events in time for the other; content begins before a call would be sent again.
    let said = stream
        .split_inclusive("\n\n")
        .filter(|event| event.starts_with("event: ") && !event.contains("ping"))
        .enumerate()
        .flat_map(|(number, event)| {
            let pause = if number < 2 { 10 } else { 50 };
            [(pause, "event: ping\ndata: {}\n\n".to_owned()), (pause, event.to_owned())]
        });
    canned.put(Body::from_stream(Drip::new(&clock, said.take(19))));
    let (after, result) = fate(client(&canned, &clock).build().unwrap(), &clock).await;
    assert_eq!(after, 4 * 10_000 + 15 * 50_000);
    assert!(result.unwrap_err().source().is_none(), "it ended, and nobody ended it");
}

#[tokio::test]
async fn an_event_stream_is_one_whatever_the_parameters_of_its_type() {
    let canned = Canned::default();
    let client = client(&canned, &SimClock::new(t0())).build().unwrap();
    for kind in ["text/event-stream;", "text/event-stream;x", "Text/Event-Stream ; charset=windows-1252"] {
        canned.put_typed(kind, body([Ok(Bytes::from(recorded(1)))]));
        assert!(read(&client).await.1.is_ok(), "{kind}");
    }
    for kind in ["x bogus", "*/*", "text/event-stream2", ""] {
        canned.put_typed(kind, body([Ok(Bytes::from(recorded(1)))]));
        let error = client.messages().stream(&hello()).await.unwrap_err();
        assert!(matches!(error, Error::Answer(_)), "{kind}: {error:?}");
    }
}
