//! What a call and a stream cost with reqwest and nothing above it but the least typing.

use std::collections::VecDeque;

use anyhow::{Result, ensure};
use bench_probe::KEY;
use http::header;

use super::framer::Framer;
use super::wire::{Event, Message, Request};

#[derive(Debug)]
pub(super) struct BareReqwest {
    client: reqwest::Client,
    url: String,
}

impl BareReqwest {
    pub(super) fn new(url: &str) -> Result<Self> {
        // Loopback needs no certificates, but reqwest wants to know who would check them.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self { client: reqwest::Client::builder().build()?, url: format!("{url}/v1/messages") })
    }

    async fn send(&self, stream: bool) -> Result<reqwest::Response> {
        let body = serde_json::to_vec(&Request::new(stream))?;
        let request = self.client.post(&self.url).body(body).header(header::CONTENT_TYPE, "application/json");
        let request = request.header("anthropic-version", "2026-10-21").bearer_auth(KEY);
        let response = request.send().await?;
        ensure!(response.status().is_success(), "{}", response.status());
        Ok(response)
    }
}

/// A stream whose events have been parsed as far as its pieces have come.
#[derive(Debug)]
pub(super) struct Stream {
    response: reqwest::Response,
    framer: Framer,
    events: VecDeque<Event>,
}

impl bench_probe::Client for BareReqwest {
    type Stream = Stream;

    async fn call(&self) -> Result<u64> {
        let body = self.send(false).await?.bytes().await?;
        Ok(Message::parse(&body)?.text())
    }

    async fn open(&self) -> Result<Stream> {
        let response = self.send(true).await?;
        Ok(Stream { response, framer: Framer::default(), events: VecDeque::new() })
    }

    async fn next(&self, stream: &mut Stream) -> Result<Option<u64>> {
        loop {
            if let Some(event) = stream.events.pop_front() {
                return Ok(Some(event.text()));
            }
            let Some(piece) = stream.response.chunk().await? else { return Ok(None) };
            let Stream { framer, events, .. } = stream;
            framer.push(&piece, |name, data| -> Result<()> {
                events.push_back(Event::parse(name, data)?);
                Ok(())
            })?;
        }
    }
}
