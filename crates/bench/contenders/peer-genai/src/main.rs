//! The crate genai as a contender: `peer-genai TASK`.

use anyhow::{Context as _, Result};
use bench_probe::Task;
use futures_util::StreamExt as _;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStream, ChatStreamEvent};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ServiceTarget};

const MODEL: &str = "claude-sonnet-5-5";
const PROMPT: &str = "Why is the sky blue? Answer in two sentences.";

fn main() -> Result<()> {
    let task = Task::from_arguments()?;
    bench_probe::answer(Genai::new(&task.url).and_then(|client| bench_probe::run(&task, client)))
}

struct Genai {
    client: Client,
    request: ChatRequest,
    options: ChatOptions,
}

impl Genai {
    fn new(url: &str) -> Result<Self> {
        let url = format!("{url}/v1/");
        let resolver = ServiceTargetResolver::from_resolver_fn(
            move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
                let endpoint = Endpoint::from_owned(url.as_str());
                let auth = AuthData::from_single(bench_probe::KEY);
                Ok(ServiceTarget { endpoint, auth, ..target })
            },
        );
        let client = Client::builder().with_service_target_resolver(resolver).build()?;
        let request = ChatRequest::new(vec![ChatMessage::user(PROMPT)]);
        Ok(Self { client, request, options: ChatOptions::default().with_max_tokens(1024) })
    }
}

impl bench_probe::Client for Genai {
    type Stream = ChatStream;

    async fn call(&self) -> Result<u64> {
        let answer = self.client.exec_chat(MODEL, self.request.clone(), Some(&self.options)).await?;
        Ok(answer.first_text().context("no text")?.len() as u64)
    }

    async fn open(&self) -> Result<ChatStream> {
        let opened = self.client.exec_chat_stream(MODEL, self.request.clone(), Some(&self.options)).await?;
        Ok(opened.stream)
    }

    async fn next(&self, stream: &mut ChatStream) -> Result<Option<u64>> {
        loop {
            return Ok(match stream.next().await.transpose()? {
                // It says so before it has sent anything.
                Some(ChatStreamEvent::Start) => continue,
                Some(ChatStreamEvent::Chunk(chunk)) => Some(chunk.content.len() as u64),
                Some(_) => Some(0),
                None => None,
            });
        }
    }
}
