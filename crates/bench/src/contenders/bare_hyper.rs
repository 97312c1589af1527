//! What a call and a stream cost with hyper and its pool of connections.

use std::collections::VecDeque;
use std::pin::Pin;

use anyhow::{Result, ensure};
use bench_probe::KEY;
use bytes::Bytes;
use http::{Method, Response, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

use super::framer::Framer;
use super::wire::{Event, Message, Request};

#[derive(Debug)]
pub(super) struct BareHyper {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

impl BareHyper {
    pub(super) fn new(url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, url: format!("{url}/v1/messages") }
    }

    async fn send(&self, stream: bool) -> Result<Response<Incoming>> {
        let body = serde_json::to_vec(&Request::new(stream))?;
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .header("anthropic-version", "2026-10-21")
            .body(Full::from(body))?;
        let response = self.client.request(request).await?;
        ensure!(response.status().is_success(), "{}", response.status());
        Ok(response)
    }
}

/// A stream whose events have been parsed as far as its pieces have come.
#[derive(Debug)]
pub(super) struct Stream {
    body: Incoming,
    framer: Framer,
    events: VecDeque<Event>,
}

impl bench_probe::Client for BareHyper {
    type Stream = Stream;

    async fn call(&self) -> Result<u64> {
        let body = self.send(false).await?.into_body().collect().await?.to_bytes();
        Ok(Message::parse(&body)?.text())
    }

    async fn open(&self) -> Result<Stream> {
        let body = self.send(true).await?.into_body();
        Ok(Stream { body, framer: Framer::default(), events: VecDeque::new() })
    }

    async fn next(&self, stream: &mut Stream) -> Result<Option<u64>> {
        loop {
            if let Some(event) = stream.events.pop_front() {
                return Ok(Some(event.text()));
            }
            let frame = std::future::poll_fn(|cx| Pin::new(&mut stream.body).poll_frame(cx)).await;
            let Some(frame) = frame.transpose()? else { return Ok(None) };
            let Stream { framer, events, .. } = stream;
            framer.push(frame.data_ref().map_or(&b""[..], |data| data), |name, data| -> Result<()> {
                events.push_back(Event::parse(name, data)?);
                Ok(())
            })?;
        }
    }
}
