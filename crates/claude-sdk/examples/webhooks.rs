//! Webhooks: what was signed is believed once and for five minutes.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use claude_sdk::{
    transport::{Clock, SystemClock},
    webhooks::{SigningKey, WebhookEventType},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now = SystemClock.now();
    let key = SigningKey::new("whsec_YWJhYWJhYWJhYWJhYWJhYWJhYWJhYWJh")?; // in a program: from a secret
    let body =
        br#"{"type": "event", "id": "wevt_1", "data": {"type": "session.requires_action", "id": "sess_1"}}"#;
    let headers = key.sign("msg_1", now, body)?; // what the service does

    let event = key.verify(&headers, body, now)?;
    if event.data.kind == WebhookEventType::SessionRequiresAction {
        println!("{} waits for somebody", event.data.id.unwrap_or_default());
    }
    let others = [
        ("five minutes later", &body[..], now + Duration::from_secs(301)),
        ("with another body", b"{}", now),
    ];
    for (what, body, now) in others {
        if let Err(error) = key.verify(&headers, body, now) {
            println!("{what}: {error}");
        }
    }
    Ok(())
}
