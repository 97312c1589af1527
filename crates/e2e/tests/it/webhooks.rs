//! Webhooks signed by the library that the official TypeScript SDK verifies with, and judged by that SDK.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use claude_sdk::{
    http::{HeaderMap, HeaderName, HeaderValue},
    transport::{Clock as _, SystemClock},
    webhooks::{SigningKey, WebhookError, WebhookEventType},
};
use serde_json::{Map, Value, json};

use crate::{script, tools};

const KEY: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

fn as_json(headers: &HeaderMap) -> Value {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), Value::from(value.to_str().unwrap()))
    };
    headers.iter().map(pair).collect::<Map<_, _>>().into()
}

#[tokio::test]
async fn what_they_sign_we_believe_and_what_we_sign_they_believe() {
    // The library reads the clock itself, so this test cannot hold one.
    let now: SystemTime = SystemClock.now();
    let body = json!({"type": "event", "id": "wevt_1", "created_at": "2026-11-28T12:00:00Z",
        "data": {"type": "session.idled", "id": "sess_1", "note": "Grüße"}})
    .to_string();
    let key = SigningKey::new(KEY).unwrap();
    let other = SigningKey::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    let old = now - Duration::from_secs(3600);
    let signed = json!([
        {"headers": as_json(&key.sign("msg_ours", now, body.as_bytes()).unwrap()), "body": body},
        {"headers": as_json(&key.sign("msg_ours", old, body.as_bytes()).unwrap()), "body": body},
        {"headers": as_json(&other.sign("msg_ours", now, body.as_bytes()).unwrap()), "body": body},
    ]);
    let seconds = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let input = json!({"key": KEY, "body": body, "now": seconds, "signed": signed});
    let mut command = tools().node(script("webhooks.mjs")).unwrap();
    command.arg(input.to_string());
    let report = e2e::report(command.into()).await.unwrap();
    assert_eq!(report["judged"], json!(["session.idled", null, null]));

    let pair = |(name, value): (&String, &Value)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.as_str().unwrap()).unwrap())
    };
    let headers: HeaderMap = report["headers"].as_object().unwrap().iter().map(pair).collect();
    let event = key.verify(&headers, body.as_bytes(), now).unwrap();
    assert_eq!(event.data.kind, WebhookEventType::SessionIdled);
    assert_eq!(other.verify(&headers, body.as_bytes(), now).unwrap_err(), WebhookError::Signature);
}
