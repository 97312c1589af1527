//! Says hello with bare reqwest.

use std::error::Error;

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Request {
    model: &'static str,
    max_tokens: u32,
    messages: [Turn; 1],
}

#[derive(Serialize)]
struct Turn {
    role: &'static str,
    content: &'static str,
}

#[derive(Deserialize)]
struct Message {
    content: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let turn = Turn { role: "user", content: "Hello!" };
    let request = Request { model: "claude-sonnet-5-5", max_tokens: 300, messages: [turn] };
    let response = reqwest::Client::new()
        .post("https://api.anthropic.com/v1/messages")
        .header("anthropic-version", "2026-10-21")
        .bearer_auth(std::env::args().nth(1).unwrap_or_default())
        .json(&request)
        .send()
        .await?;
    let message: Message = response.error_for_status()?.json().await?;
    for block in message.content {
        println!("{}", block.text);
    }
    Ok(())
}
