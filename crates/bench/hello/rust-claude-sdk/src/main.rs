//! Says hello with the crate rust-claude-sdk.

use rust_claude_sdk::{Client, ClientConfig, MessagesRequest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new(ClientConfig::from_env().ok_or("ANTHROPIC_API_KEY is not set")?)?;
    let request = MessagesRequest::new("claude-sonnet-5-5", 300).user("Hello!");
    println!("{}", client.create(&request).await?.text());
    Ok(())
}
