//! Says hello with the crate genai.

use genai::Client;
use genai::chat::{ChatMessage, ChatRequest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let request = ChatRequest::new(vec![ChatMessage::user("Hello!")]);
    let answer = Client::new()?.exec_chat("claude-sonnet-5-5", request, None).await?;
    println!("{}", answer.first_text().unwrap_or_default());
    Ok(())
}
