//! Tools that the model calls: a function, a closure and the memory tool in one run, shown as it is written.
//! It runs against the mock server, which says what a model might.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use claude_sdk::{
    Client,
    memory::{FileMemory, MemoryTool},
    schemars::{self, JsonSchema},
    tools::{RunEvent, ToolError, function, tool},
    types::{MessageRequest, Model},
};
use mock_server::{MockServer, Reply};
use serde::Deserialize;
use serde_json::json;

/// Says how warm it is, in degrees Celsius.
#[tool]
async fn temperature(
    /// The city, in English.
    city: String,
) -> Result<String, ToolError> {
    match city.as_str() {
        "Oslo" => Ok("7".to_owned()),
        _ => Err(ToolError::new(format!("there is no station in {city}"))),
    }
}

#[derive(Deserialize, JsonSchema)]
struct Fahrenheit {
    celsius: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let note = json!({"command": "create", "path": "/memories/cities.md", "file_text": "Asked about Oslo."});
    let replies = [
        Reply::message([
            json!({"type": "text", "text": "I will look."}),
            json!({"type": "tool_use", "name": "temperature", "input": {"city": "Oslo"}}),
            json!({"type": "tool_use", "name": "temperature", "input": {"city": "Atlantis"}}),
        ]),
        Reply::message([
            json!({"type": "tool_use", "name": "fahrenheit", "input": {"celsius": 7}}),
            json!({"type": "tool_use", "name": "memory", "input": note}),
        ]),
        Reply::text("It is 44.6 °F in Oslo; nobody knows about Atlantis."),
    ];
    let server = MockServer::builder().script(replies).start().await?;
    let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    let folder = tempfile::tempdir()?;

    let request =
        MessageRequest::new(Model::CLAUDE_SONNET_5_5, 500).user("How warm is it in Oslo and Atlantis?");
    let degrees = |temperature: Fahrenheit| async move { format!("{:.1}", temperature.celsius * 1.8 + 32.0) };
    let mut runner = client
        .messages()
        .tool_runner(request)
        .tool(Temperature)
        .tool(function("fahrenheit", "Turns degrees Celsius into Fahrenheit.", degrees))
        .tool(MemoryTool::new(FileMemory::open(folder.path().join("memories"))?))
        .max_turns(10);

    while let Some(event) = runner.next_event().await {
        match event? {
            RunEvent::Stream(event) => print!("{}", event.text().unwrap_or_default()),
            RunEvent::Message(message) => println!(" [{:?}]", message.stop_reason),
            RunEvent::Results(answers) => println!("{}", serde_json::to_string(&answers)?),
            _ => {}
        }
    }
    println!("{} messages in {} turns", runner.conversation().len(), runner.turns());
    Ok(())
}
