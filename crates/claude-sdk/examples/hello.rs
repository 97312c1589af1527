//! The example of the README: `ANTHROPIC_API_KEY=… cargo run -p claude-sdk --example hello`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use claude_sdk::{
    Client, Error,
    types::{MessageRequest, Model},
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let request =
        MessageRequest::new(Model::CLAUDE_SONNET_5_5, 300).system("Be brief.").user("Why is the sky blue?");

    let message = client.messages().create(&request).await?;
    println!("{} ({} output tokens)", message.text(), message.usage.output_tokens);

    let mut stream = client.messages().stream(&request).await?;
    while let Some(text) = stream.text_stream().next().await {
        print!("{}", text?);
    }
    let message = stream.final_message().await?; // an error if the stream was cut, with what arrived inside
    println!("\nrequest {:?}, limits {:?}", message.request_id(), client.limits().requests);
    Ok(())
}
