//! `claudectl limits`: what the service says is left.

use mock_server::{Fault, MockServer, Reply};
use serde_json::Value;

use crate::claudectl::{against, json, only, run};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_told_for_a_message_of_one_token() {
    let server = MockServer::builder().requests_per_minute(50).start().await.unwrap();
    let told = run(&mut against(&server, ["limits", "--model", "claude-haiku-4-5"]));
    let lines: Vec<_> = told.ok().lines().collect();
    assert!(lines[0].starts_with("requests       49 of 50 a minute left, all of it in "), "{told:?}");
    assert!(lines[1].starts_with("input tokens "), "{told:?}");
    assert!(lines[2].starts_with("output tokens "), "{told:?}");
    let asked = json(&only(&server));
    assert_eq!((&asked["model"], &asked["max_tokens"]), (&"claude-haiku-4-5".into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_said_of_limits_there_is_json_all_the_same() {
    let message = serde_json::json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    })
    .to_string();
    let head = format!("content-type: application/json\r\ncontent-length: {}", message.len());
    let fault = Fault::raw(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{message}"));
    let server = MockServer::builder().script([Reply::text("hi").fault(fault)]).start().await.unwrap();
    let told = run(&mut against(&server, ["limits", "--json"]));
    let limits: Value = serde_json::from_str(&told.stdout).unwrap();
    assert!(
        told.status == Some(0) && limits.is_object() && told.stderr.contains("says nothing of rate limits"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_tells_the_limits_too_and_is_not_waited_for() {
    let server = MockServer::builder().requests_per_minute(1).start().await.unwrap();
    run(&mut against(&server, ["limits"])).ok();
    let refused = run(&mut against(&server, ["limits", "--json"]));
    let told: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&told["requests"]["limit"], &told["requests"]["remaining"]), (&1.into(), &0.into()));
    refused.failed(1, "rate");
    assert_eq!(server.journal_len(), 2);
}
