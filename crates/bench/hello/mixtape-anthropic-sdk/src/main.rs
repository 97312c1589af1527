//! Says hello with the crate mixtape-anthropic-sdk.

use mixtape_anthropic_sdk::{Anthropic, MessageCreateParams};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let request = MessageCreateParams::builder("claude-sonnet-5-5", 300).user("Hello!").build();
    println!("{:?}", Anthropic::from_env()?.messages().create(request).await?.content);
    Ok(())
}
