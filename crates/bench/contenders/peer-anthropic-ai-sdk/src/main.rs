//! The crate anthropic-ai-sdk as a contender: `peer-anthropic-ai-sdk TASK`.

use std::pin::Pin;

use anthropic_ai_sdk::client::AnthropicClient;
use anthropic_ai_sdk::types::message::{
    ContentBlock, ContentBlockDelta, CreateMessageParams, Message, MessageClient as _, MessageError,
    RequiredMessageParams, Role, StreamEvent,
};
use anyhow::{Context as _, Result};
use bench_probe::Task;
use futures_util::{Stream, StreamExt as _};

const MODEL: &str = "claude-sonnet-5-5";
const PROMPT: &str = "Why is the sky blue? Answer in two sentences.";

fn main() -> Result<()> {
    let task = Task::from_arguments()?;
    bench_probe::answer(Peer::new(&task.url).and_then(|client| bench_probe::run(&task, client)))
}

/// Its streams borrow the client and the request, so both live as long as the process.
struct Peer {
    client: &'static AnthropicClient,
    request: &'static CreateMessageParams,
    streamed: &'static CreateMessageParams,
}

impl Peer {
    fn new(url: &str) -> Result<Self> {
        let client = AnthropicClient::builder(bench_probe::KEY, "2023-06-01")
            .with_api_base_url(format!("{url}/v1"))
            .build::<MessageError>()?;
        let request = || {
            CreateMessageParams::new(RequiredMessageParams {
                model: MODEL.to_owned(),
                messages: vec![Message::new_text(Role::User, PROMPT)],
                max_tokens: 1024,
            })
        };
        Ok(Self {
            client: Box::leak(Box::new(client)),
            request: Box::leak(Box::new(request())),
            streamed: Box::leak(Box::new(request().with_stream(true))),
        })
    }
}

impl bench_probe::Client for Peer {
    type Stream = Pin<Box<dyn Stream<Item = Result<StreamEvent, MessageError>>>>;

    async fn call(&self) -> Result<u64> {
        let message = self.client.create_message(Some(self.request)).await?;
        match message.content.first().context("no content")? {
            ContentBlock::Text { text } => Ok(text.len() as u64),
            _ => Ok(0),
        }
    }

    async fn open(&self) -> Result<Self::Stream> {
        Ok(Box::pin(self.client.create_message_streaming(self.streamed).await?))
    }

    async fn next(&self, stream: &mut Self::Stream) -> Result<Option<u64>> {
        let event = stream.next().await.transpose()?;
        Ok(event.map(|event| match event {
            StreamEvent::ContentBlockDelta { delta: ContentBlockDelta::TextDelta { text }, .. } => {
                text.len() as u64
            }
            _ => 0,
        }))
    }
}
