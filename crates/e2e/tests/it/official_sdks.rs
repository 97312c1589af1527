//! The official SDKs as clients of our mock server behind a path prefix: what they understand is what the real service says.

use std::process::Command;

use mock_server::MockServer;
use serde_json::{Value, json};

use crate::{script, tools};

#[tokio::test]
async fn the_python_sdk_is_at_home_behind_a_path_prefix() {
    at_home(tools().python(script("official_sdk.py")).unwrap(), "Anthropic/Python 2.12.0").await;
}

#[tokio::test]
async fn the_typescript_sdk_is_at_home_behind_a_path_prefix() {
    at_home(tools().node(script("official_sdk.mjs")).unwrap(), "Anthropic/JS 1.12.0").await;
}

async fn at_home(command: Command, user_agent: &str) {
    let server = MockServer::builder().path_prefix("/gateway").start().await.unwrap();
    let report = drive(command, &server).await;
    assert_report(&report, &server);
    assert_journal(&server, user_agent);
}

async fn drive(mut command: Command, server: &MockServer) -> Value {
    // The SDKs join their paths to a base URL without a slash at its end.
    command.arg(server.base_url().as_str().trim_end_matches('/')).arg(server.api_key());
    e2e::report(command.into()).await.unwrap()
}

fn assert_report(report: &Value, server: &MockServer) {
    let created = &report["created"];
    assert_eq!(created["type"], "message");
    assert_eq!(created["role"], "assistant");
    assert_eq!(created["model"], "claude-sonnet-5-5");
    assert!(created["text"].as_str().unwrap().contains("good morning"), "{created}");
    assert_eq!(created["stop_reason"], "end_turn");
    assert_eq!(created["input_tokens"], report["input_tokens"]);
    assert!(created["output_tokens"].as_u64().unwrap() > 0);
    assert!(created["request_id"].as_str().unwrap().starts_with("req_"), "{created}");

    let streamed = &report["streamed"];
    assert_eq!(streamed["text"], streamed["final"]);
    assert!(streamed["text"].as_str().unwrap().contains("one two three"), "{streamed}");
    assert!(streamed["pieces"].as_u64().unwrap() > 1, "the stream came in one piece");
    assert_eq!(streamed["stop_reason"], "end_turn");

    // Pages of three, followed to the end without a gap or a repetition.
    let models: Vec<&str> =
        report["models"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(models.len() > 3 && models.contains(&"claude-sonnet-5-5"), "{models:?}");
    assert_eq!(models.len(), models.iter().collect::<std::collections::BTreeSet<_>>().len());
    assert_eq!(report["model"], "claude-sonnet-5-5");
    assert_eq!(report["older"], created["text"]);

    assert_refused(&report["wrong_key"], "AuthenticationError", 401, "authentication_error");
    assert_refused(&report["unknown_model"], "NotFoundError", 404, "not_found_error");
    assert_refused(&report["no_messages"], "BadRequestError", 400, "invalid_request_error");
    assert!(server.journal_len() >= 9 + models.len() / 3);
}

fn assert_refused(error: &Value, class: &str, status: u16, kind: &str) {
    assert!(error["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{error}");
    let mut error = error.clone();
    error.as_object_mut().unwrap().remove("request_id");
    assert_eq!(error, json!({"class": class, "status": status, "type": kind}));
}

fn assert_journal(server: &MockServer, user_agent: &str) {
    let journal = server.journal();
    assert!(journal.iter().all(|entry| entry.header("user-agent") == Some(user_agent)), "{journal:?}");
    assert!(journal.iter().all(|entry| entry.path.starts_with("/gateway/v1/")), "{journal:?}");
    let newest = journal.iter().filter(|entry| entry.header("anthropic-version") == Some("2026-10-21"));
    assert!(newest.count() >= 9, "{journal:?}");
}
