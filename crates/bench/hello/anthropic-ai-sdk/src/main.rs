//! Says hello with the crate anthropic-ai-sdk.

use anthropic_ai_sdk::client::AnthropicClient;
use anthropic_ai_sdk::types::message::{
    CreateMessageParams, Message, MessageClient as _, MessageError, RequiredMessageParams, Role,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = std::env::args().nth(1).unwrap_or_default();
    let client = AnthropicClient::new::<MessageError>(key, "2023-06-01")?;
    let request = CreateMessageParams::new(RequiredMessageParams {
        model: "claude-sonnet-5-5".to_owned(),
        messages: vec![Message::new_text(Role::User, "Hello!")],
        max_tokens: 300,
    });
    println!("{:?}", client.create_message(Some(&request)).await?.content);
    Ok(())
}
