//! Files by path, and what a server of the Model Context Protocol gave, in one message.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use claude_sdk::{
    Client, attachment, mcp,
    types::{Content, MessageRequest, Model},
};
use mock_server::MockServer;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = MockServer::start().await?;
    let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    let folder = tempfile::tempdir()?;
    let (photo, contract) = (folder.path().join("photo.png"), folder.path().join("contract.pdf"));
    std::fs::write(&photo, b"\x89PNG\r\n\x1a\n...")?;
    std::fs::write(&contract, b"%PDF-1.7 ...")?;
    let read =
        json!({"contents": [{"uri": "file:///rules.md", "mimeType": "text/markdown", "text": "# Rules"}]});

    let question = Content::from("Does the contract cover what the photo shows?")
        .and(attachment::read(&photo).await?)
        .and(attachment::read(&contract).await?)
        .and(mcp::resource(&read)?)
        .and("Answer with yes or no.");
    let message =
        client.messages().create(&MessageRequest::new(Model::CLAUDE_SONNET_5_5, 100).user(question)).await?;
    println!("{}", message.text());
    Ok(())
}
