//! What the typed conversation costs beside a plain struct: `cargo bench -p claude-sdk --bench types`.
//!
//! Goals: building and writing a conversation of 200 KiB takes at most 1.1 of what `serde_json` takes for a struct that
//! knows nothing else; ten times the deltas take ten times the time.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use claude_sdk::{
    stream::{Accumulator, Event},
    types::{MessageRequest, Model},
};
use divan::{Bencher, black_box};
use serde::Serialize;

fn main() {
    divan::main();
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

#[divan::bench]
fn conversation_ours(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| vec![turn(); TURNS]).bench_values(|turns| {
        let mut request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1024);
        for (place, turn) in turns.into_iter().enumerate() {
            request = if place % 2 == 0 { request.user(turn) } else { request.assistant(turn) };
        }
        serde_json::to_vec(black_box(&request)).unwrap()
    });
}

#[divan::bench]
fn conversation_plain(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| vec![turn(); TURNS]).bench_values(|turns| {
        let mut messages = Vec::new();
        for (place, content) in turns.into_iter().enumerate() {
            messages.push(PlainMessage { role: if place % 2 == 0 { "user" } else { "assistant" }, content });
        }
        let model = "claude-opus-5-5".to_owned();
        serde_json::to_vec(black_box(&PlainRequest { model, max_tokens: 1024, messages })).unwrap()
    });
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn deltas(bencher: Bencher<'_, '_>, count: usize) {
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
    bencher.bench(|| {
        let mut accumulator = Accumulator::new();
        accumulator.push(&start).unwrap();
        accumulator.push(&block).unwrap();
        for _ in 0..count {
            accumulator.push(black_box(&delta)).unwrap();
        }
        accumulator
    });
}
