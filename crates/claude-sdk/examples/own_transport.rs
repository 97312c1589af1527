//! A transport of your own: implement `HttpBackend`, hand it to the builder.
//! Here one that counts what it sends; it might as well be another HTTP client.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::atomic::{AtomicUsize, Ordering};

use claude_sdk::{
    Client,
    transport::{Error, HttpBackend, Request, Response, backends::Reqwest},
};
use mock_server::MockServer;

#[derive(Debug)]
struct Counting {
    backend: Reqwest,
    sent: AtomicUsize,
}

#[async_trait::async_trait]
impl HttpBackend for Counting {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        println!("attempt {number}: {} {}", request.method(), request.uri().path());
        self.backend.send(request).await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = MockServer::start().await?;
    let backend = Counting { backend: Reqwest::builder().build()?, sent: AtomicUsize::new(0) };
    let client =
        Client::builder().api_key(server.api_key()).base_url(server.base_url()).backend(backend).build()?;
    println!("{} models", client.models().list().await?.data.len());
    Ok(())
}
