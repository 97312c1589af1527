//! Our client, as a program would use it.

use anyhow::Result;
use bench_probe::{KEY, Limited};
use claude_sdk::{
    Client, ClientBuilder, MessageStream,
    ratelimit::{Limits, Rate, TokioTimer, limiters::Local},
    transport::backends::Hyper,
    types::{ContentBlock, MessageRequest, Model},
};

use crate::script::{MAX_TOKENS, MODEL, PROMPT};

#[derive(Debug)]
pub(super) struct Ours {
    client: Client,
    request: MessageRequest,
}

impl Ours {
    pub(super) fn new(url: &str) -> Result<Self> {
        Self::with(Client::builder(), url)
    }

    pub(super) fn on_hyper(url: &str) -> Result<Self> {
        Self::with(Client::builder().backend(Hyper::builder().build()?), url)
    }

    /// With a limiter of this process's share of the limit.
    pub(super) fn limited(url: &str, share: Limited) -> Result<Self> {
        let requests = Rate::per_minute(share.requests_per_minute).with_burst(share.burst);
        let limiter = Local::limited_to(Limits::default().with_requests(requests)).build(TokioTimer::new());
        Self::with(Client::builder().rate_limiter(limiter), url)
    }

    fn with(builder: ClientBuilder, url: &str) -> Result<Self> {
        let client = builder.api_key(KEY).base_url(url).build()?;
        let request = MessageRequest::new(Model::from(MODEL), MAX_TOKENS).user(PROMPT);
        Ok(Self { client, request })
    }
}

impl bench_probe::Client for Ours {
    type Stream = MessageStream;

    async fn call(&self) -> Result<u64> {
        let message = self.client.messages().create(&self.request).await?;
        // As the others count it: none of them joins what the blocks say.
        Ok(message.content.iter().filter_map(ContentBlock::as_text).map(|text| text.len() as u64).sum())
    }

    async fn open(&self) -> Result<MessageStream> {
        Ok(self.client.messages().stream(&self.request).await?)
    }

    async fn next(&self, stream: &mut MessageStream) -> Result<Option<u64>> {
        let event = stream.next().await.transpose()?;
        Ok(event.map(|event| event.text().map_or(0, str::len) as u64))
    }
}
