//! Says hello with our client, as whoever the environment says.

use claude_sdk::{
    Client, Error,
    types::{MessageRequest, Model},
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 300).user("Hello!");
    println!("{}", client.messages().create(&request).await?.text());
    Ok(())
}
