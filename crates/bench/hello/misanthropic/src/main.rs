//! Says hello with the crate misanthropic.

use misanthropic::{Client, Prompt, prompt::message::Role};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new(std::env::args().nth(1).unwrap_or_default())?;
    let request = Prompt::default().model("claude-sonnet-5-5").add_message((Role::User, "Hello!"))?;
    println!("{}", client.message(request).await?);
    Ok(())
}
