//! What a call says of itself to whoever listens.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use claude_sdk::{Client, types::MessageRequest};
use http::StatusCode;
use mock_server::{MockServer, Reply};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, set_default},
};

use crate::rig::{client, held, hello};

/// Writes down every field of every span and event of this crate and the transport.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<String>>);

impl Notes {
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn listen(&self) -> DefaultGuard {
        set_default(self.clone())
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("claude_sdk") || metadata.target().starts_with("transport")
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.0.lock().unwrap().push_str(&format!("[{}]\n", attributes.metadata().name()));
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Notes {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?}\n"));
    }
}

fn question() -> MessageRequest {
    hello().user("planted prompt")
}

fn expect(notes: &str, lines: &[&str]) {
    for line in lines {
        assert!(notes.contains(line), "{line} is not in {notes}");
    }
}

async fn started(trace_bodies: bool) -> (MockServer, Client) {
    let server = held().start().await.unwrap();
    let client = client(&server).0.trace_bodies(trace_bodies).build().unwrap();
    (server, client)
}

#[tokio::test]
async fn a_call_is_described_as_the_conventions_say_and_not_what_was_said() {
    let notes = Notes::default();
    let _guard = notes.listen();
    let (server, client) = started(false).await;

    client.messages().create(&question()).await.unwrap();
    let whole = notes.take();
    client.messages().stream(&question()).await.unwrap().final_message().await.unwrap();
    let streamed = notes.take();

    for notes in [&whole, &streamed] {
        expect(
            notes,
            &[
                "[chat]",
                "otel.name=chat claude-haiku-4-5",
                "gen_ai.operation.name=\"chat\"",
                "gen_ai.provider.name=\"anthropic\"",
                "gen_ai.request.model=\"claude-haiku-4-5\"",
                "gen_ai.request.max_tokens=200",
                "gen_ai.response.id=\"msg_",
                "gen_ai.response.model=\"claude-haiku-4-5\"",
                "gen_ai.response.finish_reasons=[\"end_turn\"]",
                "gen_ai.usage.input_tokens=",
                "gen_ai.usage.output_tokens=",
                "server.address=\"127.0.0.1\"",
                "[http]",
                "http.request.method=\"POST\"",
                "url.path=\"/v1/messages\"",
                "http.response.status_code=200",
            ],
        );
        let secret = server.api_key();
        assert!(
            !notes.contains("planted") && !notes.contains(secret) && !notes.contains("error.type"),
            "{notes}"
        );
    }
}

#[tokio::test]
async fn a_failure_and_its_retries_are_in_the_span() {
    let notes = Notes::default();
    let _guard = notes.listen();
    let (server, client) = started(false).await;
    let overloaded = Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "planted reason");
    server.set_script([overloaded.clone(), overloaded.clone(), overloaded]);
    client.messages().create(&question()).await.unwrap_err();
    let seen = notes.take();
    expect(&seen, &["error.type=\"overloaded_error\"", "http.request.resend_count=2", "error.type=\"529\""]);
    assert!(!seen.contains("planted"), "{seen}");
}

#[tokio::test]
async fn what_was_said_is_in_the_span_where_the_client_was_told_so() {
    let notes = Notes::default();
    let _guard = notes.listen();
    let (server, client) = started(true).await;
    client.messages().create(&question()).await.unwrap();
    client.messages().stream(&question()).await.unwrap().final_message().await.unwrap();
    let seen = notes.take();
    assert_eq!(seen.matches("request body").count(), 2, "{seen}");
    assert_eq!(seen.matches("response body").count(), 2, "{seen}");
    assert!(
        seen.contains("planted prompt") && seen.contains("You said") && !seen.contains(server.api_key()),
        "{seen}"
    );
}
