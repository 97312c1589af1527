use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use http::Method;
use ratelimit::Cost;
use tracing::Instrument as _;
use transport::Request;

use crate::{
    client::{Client, MESSAGES},
    error::{ConfigError, Error},
    estimates::Estimate,
    guard,
    layers::{Charge, HeldPermit},
    reply::{self, Opened, Reply},
    spans::CallSpan,
    types::{CountTokensRequest, Message, MessageRequest, TokenCount, Usage},
};

mod stream;
mod tee;

pub use stream::{MessageStream, TextStream};
pub use tee::TeeStream;

/// Messages (`POST /v1/messages`).
///
/// ```
/// use claude_sdk::{Client, types::{MessageRequest, Model}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("Hello!");
/// let tokens = client.messages().count_tokens(&request).await?.input_tokens;
/// let message = client.messages().create(&request).await?;
/// println!("{tokens} tokens gave {:?}", message.text());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a>(pub(crate) &'a Client);

impl<'a> Messages<'a> {
    /// Sends `request` and waits for the whole message.
    ///
    /// For long outputs prefer [`stream`](Self::stream): a connection that is silent for minutes is cut by many
    /// networks. Where the answer may take more than ten minutes, judged by `max_tokens` and the model, this is an error
    /// before anything is sent, unless the client has a timeout or a deadline of your own.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call. A request that may have been processed is not sent again by itself.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the service may have done, and billed, the work.
    pub fn create(
        self,
        request: &'a MessageRequest,
    ) -> impl Future<Output = Result<Reply<Message>, Error>> + Send + 'a {
        built_here(self.created(request))
    }

    async fn created(self, request: &MessageRequest) -> Result<Reply<Message>, Error> {
        if !self.0.has_timeout() {
            guard::check(request, self.0.extra())?;
        }
        let mut call = CallSpan::chat(self.0, request);
        let span = call.span();
        let reply = self.whole(request, &mut call).instrument(span).await;
        match &reply {
            Ok(message) => {
                call.receives(message, message.attempts());
                call.succeeds();
            }
            Err(error) => call.fails(error),
        }
        reply
    }

    /// Sends `request` and gives the message as it is written.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call, where the stream could not be opened. Later failures come out of the stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the stream closes the connection.
    pub async fn stream(self, request: &MessageRequest) -> Result<MessageStream, Error> {
        let mut call = CallSpan::chat(self.0, request);
        let span = call.span();
        match self.begin(request, &mut call).instrument(span).await {
            Ok(opened) => {
                // The retries hold a stream back until its first content is here.
                call.begins();
                Ok(MessageStream::new(opened, call, self.0.patience()))
            }
            Err(error) => {
                call.fails(&error);
                Err(error)
            }
        }
    }

    /// Counts the input tokens `request` would use (`POST /v1/messages/count_tokens`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn count_tokens(self, request: &MessageRequest) -> Result<Reply<TokenCount>, Error> {
        let mut call = CallSpan::count_tokens(self.0, request);
        let span = call.span();
        let reply = self.count(request, &mut call).instrument(span).await;
        match &reply {
            Ok(count) => {
                call.counts(count.input_tokens, count.attempts());
                call.succeeds();
            }
            Err(error) => call.fails(error),
        }
        reply
    }

    async fn whole(self, request: &MessageRequest, call: &mut CallSpan) -> Result<Reply<Message>, Error> {
        let body = self.encoded(request, false, call)?;
        let prepared = match self.0.estimate() {
            None => self.prepared(request, body, None)?,
            Some(estimate) => Box::pin(self.estimated(request, body, estimate, call)).await?,
        };
        let response = self.0.send(prepared, call.meter()).await?;
        let read = reply::read(response, Some(reply::JSON), self.0.clock()).await?;
        let (message, extensions) = read.json_by(Message::from_answer)?;
        if let Some(permit) = extensions.get::<HeldPermit>() {
            permit.settle_whole(cost(&message.usage));
        }
        Ok(message)
    }

    async fn begin(self, request: &MessageRequest, call: &mut CallSpan) -> Result<Opened, Error> {
        let body = self.encoded(request, true, call)?;
        let prepared = match self.0.estimate() {
            None => self.prepared(request, body, None)?,
            Some(estimate) => Box::pin(self.estimated(request, body, estimate, call)).await?,
        };
        let response = self.0.send(prepared, call.meter()).await?;
        reply::open(response, Some("text/event-stream"), self.0.clock()).await
    }

    #[inline(always)]
    fn encoded(self, request: &MessageRequest, stream: bool, call: &CallSpan) -> Result<Bytes, Error> {
        let body = self.0.encode(&request.body(stream)).map_err(ConfigError::Serialize)?;
        call.sends(&body);
        Ok(body)
    }

    /// What is sent, where a limiter wants to know what it is charged.
    async fn estimated(
        self,
        request: &MessageRequest,
        body: Bytes,
        estimate: &Arc<dyn Estimate>,
        call: &mut CallSpan,
    ) -> Result<Request, Error> {
        let counted = (**estimate).count(request).await;
        if let Some(meter) = call.meter() {
            meter.has_waited();
        }
        self.prepared(request, body, counted)
    }

    /// What is sent.
    #[inline(always)]
    fn prepared(self, request: &MessageRequest, body: Bytes, counted: Option<u64>) -> Result<Request, Error> {
        let length = body.len();
        self.0.request(Method::POST, MESSAGES, body, |estimate| {
            let cost = estimate.cost(request, length);
            let cost = counted.map_or(cost, |counted| cost.with_input_tokens(counted));
            let teaches = Some((Arc::clone(estimate), request.model.clone()));
            Charge { key: self.0.classes().key_of(request.model.as_str()), cost, teaches }
        })
    }

    async fn count(self, request: &MessageRequest, call: &mut CallSpan) -> Result<Reply<TokenCount>, Error> {
        let body = CountTokensRequest::body(request, self.0.extra()).map_err(ConfigError::Serialize)?;
        let body = Bytes::from(body);
        call.sends(&body);
        let charge = |_: &_| Charge { key: self.0.classes().key_of_counts(), ..Charge::default() };
        let request = self.0.request(Method::POST, "v1/messages/count_tokens", body, charge)?;
        let response = self.0.send(request, call.meter()).await?;
        Ok(reply::json(response, self.0.clock()).await?.0)
    }
}

/// A future that is built here: one without a box is built by whoever polls it, and all that a call may come to with it.
fn built_here<'a, T>(
    future: impl Future<Output = T> + Send + 'a,
) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(future)
}

/// What a message did cost. Cache reads do not count towards the limits (API documentation: rate limits).
fn cost(usage: &Usage) -> Cost {
    let written = usage.cache_creation_input_tokens.unwrap_or_default();
    let input_tokens = usage.input_tokens.saturating_add(written);
    Cost::requests(1).with_input_tokens(input_tokens).with_output_tokens(usage.output_tokens)
}
