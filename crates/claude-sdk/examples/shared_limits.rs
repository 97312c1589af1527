//! Limits that eight programs on any number of machines share through a Redis server.
//! Run it with `--features redis-limits`; without a server it goes on with an eighth of the limits.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use claude_sdk::{
    Client,
    ratelimit::{Limits, TokioTimer, limiters::Redis},
    types::{MessageRequest, Model},
};
use mock_server::MockServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = MockServer::start().await?;
    let limits =
        Limits::default().with_requests(4_000).with_input_tokens(2_000_000).with_output_tokens(400_000);
    let limiter = Redis::at("redis://127.0.0.1:6379", limits, 8).build(TokioTimer::new())?;
    let client = Client::builder()
        .api_key(server.api_key())
        .base_url(server.base_url())
        .rate_limiter(limiter.clone())
        .build()?;
    let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("hello");
    println!("{}", client.messages().create(&request).await?.text());
    println!("counted by {}", if limiter.is_shared() { "the server" } else { "each program for itself" });
    // Programs that end soon tell the server what they did not use; the others do so by themselves.
    if limiter.is_shared() {
        limiter.give_back().await?;
    }
    Ok(())
}
