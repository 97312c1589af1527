//! Says hello with our client.

use std::env;

use claude_sdk::{
    Client, Error,
    types::{MessageRequest, Model},
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let key = env::var("ANTHROPIC_API_KEY").unwrap_or_default();
    let client = Client::builder().api_key(key).build()?;
    let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 300).user("Hello!");
    println!("{}", client.messages().create(&request).await?.text());
    Ok(())
}
