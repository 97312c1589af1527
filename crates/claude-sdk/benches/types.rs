//! What the typed conversation costs beside a plain struct: `cargo bench -p claude-sdk --bench types`.
//!
//! Goals: building and writing a conversation of 200 KiB takes at most 1.1 of what `serde_json` takes for a struct that
//! knows nothing else; ten times the deltas take ten times the time; a list of 10,000 models takes the memory of a page,
//! whatever number of pages it has.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{fs, time::Duration};

use async_trait::async_trait;
use claude_sdk::{
    Client,
    ratelimit::{Timer as _, TokioTimer},
    stream::{Accumulator, Event},
    transport::{Body, Error, HttpBackend, Request, Response},
    types::{MessageParam, MessageRequest, Model, ModelInfo},
};
use divan::{Bencher, black_box};
use serde::Serialize;
use serde_json::{Value, json};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(listing());
    conversations();
    accumulating();
    divan::main();
}

/// Models in a page, and pages.
const PAGE: usize = 100;
const PAGES: usize = 100;

/// A service with many models, each page of them made when it is asked for.
#[derive(Debug)]
struct ManyModels;

#[async_trait]
impl HttpBackend for ManyModels {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let after = request.uri().query().and_then(|query| query.split("after_id=model-").nth(1));
        let first = after.map_or(0, |after| after.parse::<usize>().unwrap() + 1);
        let name = |number: usize| format!("model-{number}");
        let data: Vec<Value> = (first..first + PAGE).map(|number| model(&name(number))).collect();
        let (last, has_more) = (name(first + PAGE - 1), first + PAGE < PAGE * PAGES);
        let page = json!({"data": data, "has_more": has_more, "first_id": name(first), "last_id": last});
        let answer = http::Response::builder().header("content-type", "application/json");
        Ok(answer.body(Body::from(page.to_string())).unwrap())
    }
}

fn model(id: &str) -> Value {
    let yes = json!({"supported": true});
    json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-09-01T00:00:00Z", "lifecycle": "active",
        "capabilities": {"batch": yes, "citations": yes, "image_input": yes, "pdf_input": yes}})
}

/// Walks through all models and says how far the memory of the process rose in the second half of them. What it grows to in
/// the first half is the allocator's business.
async fn listing() {
    let client = Client::builder().api_key("sk-ant-api03-benchmark").backend(ManyModels).build().unwrap();
    let mut models = client.models().list().limit(u32::try_from(PAGE).unwrap()).items();
    let (mut count, mut before, mut page) = (0, 0, Vec::new());
    while let Some(model) = models.next().await {
        let model: ModelInfo = model.unwrap();
        count += 1;
        if count <= PAGE {
            page.push(model);
        }
        if count == PAGE * PAGES / 2 {
            before = peak();
        }
    }
    assert_eq!(count, PAGE * PAGES);
    // Some sandboxes tell what there is now in place of the most there was, which may have fallen.
    let (rose, one) = (peak().saturating_sub(before), serde_json::to_vec(&page).unwrap().len() / 1024);
    println!(
        "listing {count} models: {rose} KiB more than for their first half; a page has {one} KiB of JSON"
    );
    assert!(rose < 10 * one, "it keeps some of the {} pages", PAGES / 2);
}

/// The most memory that the process has had so far, in KiB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Turns of 1 KiB.
const TURNS: usize = 200;

fn turn() -> String {
    "The quick brown fox jumps over the lazy dog, again. ".repeat(20)
}

#[derive(Serialize)]
struct PlainRequest {
    model: String,
    max_tokens: u32,
    messages: Vec<PlainMessage>,
}

#[derive(Serialize)]
struct PlainMessage {
    role: &'static str,
    content: String,
}

fn chained(turns: Vec<String>) -> Vec<u8> {
    let mut request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1024);
    for (place, turn) in turns.into_iter().enumerate() {
        request = if place % 2 == 0 { request.user(turn) } else { request.assistant(turn) };
    }
    serde_json::to_vec(black_box(&request)).unwrap()
}

/// As a program adds to a conversation that goes on.
fn pushed(turns: Vec<String>) -> Vec<u8> {
    let mut request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1024);
    for (place, turn) in turns.into_iter().enumerate() {
        request.messages.push(if place % 2 == 0 {
            MessageParam::user(turn)
        } else {
            MessageParam::assistant(turn)
        });
    }
    serde_json::to_vec(black_box(&request)).unwrap()
}

fn plain(turns: Vec<String>) -> Vec<u8> {
    let mut messages = Vec::new();
    for (place, content) in turns.into_iter().enumerate() {
        messages.push(PlainMessage { role: if place % 2 == 0 { "user" } else { "assistant" }, content });
    }
    let model = "claude-opus-5-5".to_owned();
    serde_json::to_vec(black_box(&PlainRequest { model, max_tokens: 1024, messages })).unwrap()
}

/// All in turn, each by its best time, so that whatever else the machine does counts for none.
///
/// The goal is that of both ways to grow a conversation. A chain of `user()` and `assistant()` moves the whole request with each
/// message, which is why a request is small.
fn conversations() {
    let same = plain(vec![turn(); TURNS]);
    assert!(same == chained(vec![turn(); TURNS]) && same == pushed(vec![turn(); TURNS]), "the same JSON");
    let [mut of_pushed, mut of_chained, mut of_plain] = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        of_pushed = of_pushed.min(timed(vec![turn(); TURNS], pushed));
        of_chained = of_chained.min(timed(vec![turn(); TURNS], chained));
        of_plain = of_plain.min(timed(vec![turn(); TURNS], plain));
    }
    let of_it = |time: Duration| time.as_secs_f64() / of_plain.as_secs_f64();
    let (ratio, chain) = (of_it(of_pushed), of_it(of_chained));
    println!("a conversation of 200 KiB: {of_pushed:?}, as a plain struct {of_plain:?}; {ratio:.2} of it");
    println!("the same by a chain: {of_chained:?}; {chain:.2} of it");
    assert!(ratio <= 1.1 && chain <= 1.1, "the goal is 1.1");
}

/// As many turns as it takes for both to have had a quiet moment.
const ROUNDS: usize = 2_000;

fn timed<I, O>(input: I, work: impl FnOnce(I) -> O) -> Duration {
    let timer = TokioTimer::new();
    let output = black_box(work(black_box(input)));
    let took = timer.now();
    drop(output);
    took
}

/// Ten times the deltas take ten times the time.
fn accumulating() {
    let best = |count| (0..50).map(|_| timed(count, accumulated)).min().unwrap_or_default();
    let (few, many) = (best(10_000), best(100_000));
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    println!("10,000 deltas: {few:?}; 100,000: {many:?}, {ratio:.1} times as long");
    assert!(ratio < 15.0, "it is not linear");
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn deltas(bencher: Bencher<'_, '_>, count: usize) {
    bencher.bench(|| accumulated(count));
}

/// A message with a call whose arguments came in so many deltas.
fn accumulated(count: usize) -> Accumulator {
    let event = |name: &str, data: &str| Event::parse(name, data).unwrap();
    let start = event(
        "message_start",
        r#"{"message":{"id":"msg_1","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}"#,
    );
    let block = event(
        "content_block_start",
        r#"{"index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"write","input":{}}}"#,
    );
    let delta = event(
        "content_block_delta",
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"1, "}}"#,
    );
    let mut accumulator = Accumulator::new();
    accumulator.push(&start).unwrap();
    accumulator.push(&block).unwrap();
    for _ in 0..count {
        accumulator.push(black_box(&delta)).unwrap();
    }
    accumulator
}
