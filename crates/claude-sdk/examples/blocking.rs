//! The client in a program that is not async: `ANTHROPIC_API_KEY=… cargo run --example blocking`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use claude_sdk::{
    Error, blocking,
    types::{MessageRequest, Model},
};

fn main() -> Result<(), Error> {
    let client = blocking::Client::from_env()?;
    let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 300).user("Why is the sky blue?");

    println!("{}", client.messages().create(&request)?.text());

    let mut stream = client.messages().stream(&request)?;
    for text in stream.text_stream() {
        print!("{}", text?);
    }
    let message = stream.final_message()?;
    println!("\n{} output tokens", message.usage.output_tokens);
    Ok(())
}
