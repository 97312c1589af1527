//! What a call costs beside the exchange itself: `cargo bench -p claude-sdk --bench call`.
//!
//! The backend answers at once, so what is measured is the request's JSON, the layers, and the answer's JSON. The two
//! JSON parts are measured alone too; the rest is the pipeline. Goal: 500 ns for the rest.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use async_trait::async_trait;
use bytes::Bytes;
use claude_sdk::{
    Client,
    transport::{Body, Error, HttpBackend, Request, Response},
    types::{Message, MessageRequest, Model},
};
use divan::{AllocProfiler, Bencher, black_box};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const ANSWER: &str = r#"{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[{"type":"text","text":"Hello! How can I help you today?"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":10,"service_tier":"standard"}}"#;

/// Answers at once.
#[derive(Debug, Default)]
struct AtOnce {
    headers: HeaderMap,
}

impl AtOnce {
    fn with(headers: &'static [(&'static str, &'static str)]) -> Self {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        Self { headers: headers.iter().map(pair).collect() }
    }

    fn answer(&self) -> Response {
        let mut response = Response::new(Body::from(Bytes::from_static(ANSWER.as_bytes())));
        *response.headers_mut() = self.headers.clone();
        response
    }
}

#[async_trait]
impl HttpBackend for AtOnce {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        drop(request);
        Ok(self.answer())
    }
}

const PLAIN: [(&str, &str); 2] =
    [("content-type", "application/json"), ("request-id", "req_011CSHoEeqs5C35K2UUqR7Fy")];

/// What the real service says about limits.
const LIMITS: [(&str, &str); 11] = [
    ("content-type", "application/json"),
    ("request-id", "req_011CSHoEeqs5C35K2UUqR7Fy"),
    ("anthropic-ratelimit-requests-limit", "1000"),
    ("anthropic-ratelimit-requests-remaining", "999"),
    ("anthropic-ratelimit-requests-reset", "2027-01-01T00:00:30Z"),
    ("anthropic-ratelimit-input-tokens-limit", "2000000"),
    ("anthropic-ratelimit-input-tokens-remaining", "1999994"),
    ("anthropic-ratelimit-input-tokens-reset", "2027-01-01T00:00:30Z"),
    ("anthropic-ratelimit-output-tokens-limit", "400000"),
    ("anthropic-ratelimit-output-tokens-remaining", "399990"),
    ("anthropic-ratelimit-output-tokens-reset", "2027-01-01T00:00:30Z"),
];

fn client(backend: AtOnce) -> Client {
    Client::builder().api_key("sk-ant-api03-benchmark").backend(backend).build().unwrap()
}

fn hello() -> MessageRequest {
    MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!")
}

fn create(bencher: Bencher<'_, '_>, headers: &'static [(&'static str, &'static str)]) {
    let (client, request) = (client(AtOnce::with(headers)), hello());
    bencher.bench(|| black_box(&client).messages().create(&request).now_or_never().unwrap().unwrap());
}

/// The whole call.
#[divan::bench(sample_size = 1000)]
fn whole(bencher: Bencher<'_, '_>) {
    create(bencher, &PLAIN);
}

/// The whole call, answered with nine headers about limits.
#[divan::bench(sample_size = 1000)]
fn whole_with_limits(bencher: Bencher<'_, '_>) {
    create(bencher, &LIMITS);
}

/// What of it is no work of ours: both JSON parts, a request of five headers, and the answer.
#[divan::bench(sample_size = 1000)]
fn bare(bencher: Bencher<'_, '_>) {
    let (backend, request) = (AtOnce::with(&PLAIN), hello());
    let runtime: &dyn HttpBackend = &backend;
    bencher.bench(|| {
        let body = serde_json::to_vec(black_box(&request)).unwrap();
        let request = http::Request::post("https://api.anthropic.com/v1/messages")
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("anthropic-version", "2026-10-21")
            .header("authorization", "Bearer sk-ant-api03-benchmark")
            .header("user-agent", "bench")
            .body(Bytes::from(body))
            .unwrap();
        let response = runtime.send(request).now_or_never().unwrap().unwrap();
        let body = response.into_body().collect(1 << 20).now_or_never().unwrap().unwrap();
        serde_json::from_slice::<Message>(&body).unwrap()
    });
}

#[divan::bench(sample_size = 1000)]
fn json_of_the_request(bencher: Bencher<'_, '_>) {
    let request = hello();
    bencher.bench(|| serde_json::to_vec(black_box(&request)).unwrap());
}

#[divan::bench(sample_size = 1000)]
fn json_of_the_answer(bencher: Bencher<'_, '_>) {
    bencher.bench(|| serde_json::from_slice::<Message>(black_box(ANSWER.as_bytes())).unwrap());
}

/// A floor for the answer: the same into a plain derived struct.
#[divan::bench(sample_size = 1000)]
fn json_of_the_answer_flat(bencher: Bencher<'_, '_>) {
    bencher.bench(|| serde_json::from_slice::<flat::Message>(black_box(ANSWER.as_bytes())).unwrap());
}

/// As one would write it by hand.
mod flat {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    pub(crate) struct Message {
        id: String,
        role: String,
        model: String,
        content: Vec<Block>,
        stop_reason: Option<String>,
        stop_sequence: Option<String>,
        usage: Usage,
    }

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    pub(crate) struct Block {
        #[serde(rename = "type")]
        kind: String,
        text: String,
    }

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    pub(crate) struct Usage {
        input_tokens: u64,
        output_tokens: u64,
        cache_creation_input_tokens: Option<u64>,
        cache_read_input_tokens: Option<u64>,
    }
}
