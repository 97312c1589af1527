//! A rate limiter of your own: implement `RateLimiter`, hand it to the builder.
//! Here one that lets two requests run at a time.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::{sync::Arc, time::Duration};

use claude_sdk::{
    Client,
    ratelimit::{Cost, Error, Key, Permit, RateLimiter},
    types::{MessageRequest, Model},
};
use mock_server::MockServer;
use tokio::sync::Semaphore;

#[derive(Debug)]
struct AtOnce(Arc<Semaphore>);

#[async_trait::async_trait]
impl RateLimiter for AtOnce {
    async fn acquire(&self, _key: Key, _cost: Cost, _max_wait: Duration) -> Result<Permit, Error> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(Error::unavailable)?;
        // The place is given back when the permit is settled or dropped.
        Ok(Permit::new(move |actual| {
            println!("done, {} output tokens", actual.map_or(0, |cost| cost.output_tokens));
            drop(place);
        }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = MockServer::start().await?;
    let limiter = AtOnce(Arc::new(Semaphore::new(2)));
    let client = Client::builder()
        .api_key(server.api_key())
        .base_url(server.base_url())
        .rate_limiter(limiter)
        .build()?;
    let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("hello");
    let calls = (0..6).map(|_| client.messages().create(&request));
    for message in futures_util::future::join_all(calls).await {
        println!("{}", message?.text());
    }
    Ok(())
}
