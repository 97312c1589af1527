//! Says hello with our client.

use claude_sdk::{
    Client, Error,
    types::{MessageRequest, Model},
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let key = std::env::args().nth(1).unwrap_or_default();
    let client = Client::builder().api_key(key).build()?;
    let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 300).user("Hello!");
    println!("{}", client.messages().create(&request).await?.text());
    Ok(())
}
