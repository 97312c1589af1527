//! A reply as a value of your own type. It runs against the mock server, which says what a model might.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use claude_sdk::{
    Client, Error,
    schemars::{self, JsonSchema},
    types::{MessageRequest, Model},
};
use mock_server::{MockServer, Reply};
use serde::Deserialize;

/// What is read out of a letter.
#[derive(Debug, Deserialize, JsonSchema)]
struct Complaint {
    /// The number of the order, if one is named.
    order: Option<u64>,
    /// In five words at most.
    subject: String,
    mood: Mood,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mood {
    Calm,
    Angry,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let replies = [
        Reply::text(r#"{"order": 4711, "subject": "The kettle leaks", "mood": "calm"}"#),
        Reply::text(r#"{"order": 4711, "subject": "The ket"#).stop_reason("max_tokens"),
    ];
    let server = MockServer::builder().script(replies).start().await?;
    let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;

    let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 500)
        .user("Dear all, the kettle of order 4711 leaks. Please advise. Yours, Ada");
    let reply = client.messages().create_as::<Complaint>(&request).await?;
    let Complaint { order, subject, mood } = &reply.output;
    println!("{subject} (order {order:?}, {mood:?}), {} output tokens", reply.message.usage.output_tokens);

    // A message that is no value of the type is an error, with the message inside.
    match client.messages().create_as::<Complaint>(&request).await {
        Err(Error::Output(error)) => println!("{error}: {:?}", error.message().text()),
        other => println!("{other:?}"),
    }
    Ok(())
}
