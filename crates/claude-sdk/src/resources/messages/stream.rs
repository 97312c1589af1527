use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use transport::{ErrorKind, Patience, Reach, TimeoutKind, sse};

use super::{TeeStream, cost};
use crate::{
    credentials::Credential,
    error::{ApiError, Envelope, Error, StreamError},
    layers::HeldPermit,
    reply::{Head, Opened, Reply},
    spans::CallSpan,
    stream::{Accumulator, CutString, Event, NotJson, Oddity},
    types::{ErrorBody, Message},
};

/// A message as it is written: a [`Stream`] of [`Event`]s that also adds them up.
///
/// It ends after `message_stop`, or after one error. A stream that ends before `message_stop`, even cleanly, ends
/// with an error: half an answer is never taken for a whole one. Neither is one in which nothing but signs of life comes
/// for longer than [`progress_timeout`](crate::ClientBuilder::progress_timeout) allows.
///
/// ```no_run
/// # use claude_sdk::{Client, types::{MessageRequest, Model}};
/// # async fn run(client: Client, request: MessageRequest) -> Result<(), claude_sdk::Error> {
/// let mut stream = client.messages().stream(&request).await?;
/// while let Some(text) = stream.text_stream().next().await {
///     print!("{}", text?);
/// }
/// let message = stream.final_message().await?;
/// println!("\n{} output tokens", message.usage.output_tokens);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MessageStream {
    events: sse::Events,
    /// What is left for the next event that is more than a sign of life.
    progress: Patience,
    accumulator: Accumulator,
    envelope: Envelope,
    credential: Option<Credential>,
    permit: Option<HeldPermit>,
    head: Box<Head>,
    /// Gone when the end has been noted.
    call: Option<CallSpan>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Events are still to come.
    Open,
    /// `message_stop` has come.
    Complete,
    /// An error has been given out.
    Failed,
}

impl MessageStream {
    pub(super) fn new(opened: Opened, call: CallSpan, progress: Patience) -> Self {
        Self {
            events: sse::Events::new(opened.body),
            progress,
            accumulator: Accumulator::new(),
            envelope: opened.envelope,
            credential: opened.credential,
            permit: opened.extensions.get::<HeldPermit>().cloned(),
            head: opened.head,
            call: Some(call),
            end: End::Open,
        }
    }

    /// Waits for the next event; `None` is the end.
    ///
    /// # Errors
    ///
    /// [`Error::Stream`] where the stream does not end as it should; what had arrived is inside.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The text alone, piece by piece; other events are added up on the way.
    #[must_use]
    pub fn text_stream(&mut self) -> TextStream<'_> {
        TextStream(self)
    }

    /// Splits the stream into two that each give all the events.
    #[must_use]
    #[inline]
    pub fn tee(self) -> (TeeStream, TeeStream) {
        TeeStream::pair(self)
    }

    /// The arguments of the call in block `index` as far as they have arrived; see [`Accumulator::partial_input`].
    ///
    /// # Errors
    ///
    /// What has arrived is not the beginning of JSON.
    #[inline]
    pub fn partial_input(&self, index: usize, cut: CutString) -> Result<Option<Value>, NotJson> {
        self.accumulator.partial_input(index, cut)
    }

    /// The message as far as it has arrived.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Message> {
        self.accumulator.snapshot()
    }

    /// What is not as it should be in what has arrived, although the message can do without it; see [`Accumulator::oddities`].
    #[must_use]
    pub fn oddities(&self) -> &[Oddity] {
        self.accumulator.oddities()
    }

    /// The service's name for the call, from the `request-id` header.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.envelope.request_id.as_deref()
    }

    /// How many times the request was sent again before this stream came.
    #[must_use]
    pub fn retries_taken(&self) -> u32 {
        self.envelope.retries_taken()
    }

    /// The HTTP status, which is a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Reads to the end and gives the whole message.
    ///
    /// # Errors
    ///
    /// [`Error::Stream`] where the stream does not end as it should, or had already failed; what had arrived is
    /// inside.
    pub async fn final_message(mut self) -> Result<Reply<Message>, Error> {
        while let Some(event) = self.next().await {
            event?;
        }
        let envelope = self.envelope.clone();
        match std::mem::take(&mut self.accumulator).finish() {
            Ok(message) => Ok(Reply::new(message, envelope, self.head.clone())),
            Err(truncated) => Err(Box::new(StreamError::truncated(truncated.partial, envelope)).into()),
        }
    }

    /// What one event means: an event to give out, or the end.
    fn take(&mut self, event: Result<Event, serde_json::Error>) -> Result<Event, Error> {
        let event = event.map_err(|error| {
            self.failure(|partial, envelope| StreamError::json(&error, partial, envelope))
        })?;
        if let Event::Error(body) = event {
            return Err(self.refusal(body));
        }
        self.accumulator.push(&event).map_err(|error| {
            self.failure(|partial, envelope| StreamError::protocol(error, partial, envelope))
        })?;
        if matches!(event, Event::MessageStop { .. }) {
            self.end = End::Complete;
            self.settle();
        }
        Ok(event)
    }

    fn refusal(&mut self, body: ErrorBody) -> Error {
        let secret = self.credential.as_ref().map(Credential::expose);
        let error = ApiError::of_event(body, self.envelope.clone(), secret);
        self.failure(|partial, envelope| StreamError::api(error, partial, envelope))
    }

    fn failure(&mut self, error: impl FnOnce(Option<Message>, Envelope) -> StreamError) -> Error {
        self.end = End::Failed;
        let error = Box::new(error(self.accumulator.snapshot().cloned(), self.envelope.clone())).into();
        if let Some(call) = &mut self.call {
            call.fails(&error);
        }
        self.settle();
        error
    }

    /// Tells the limiter and the span what the message has cost, as far as that is known.
    fn settle(&mut self) {
        if let (Some(mut call), Some(message)) = (self.call.take(), self.accumulator.snapshot()) {
            call.receives(message, self.envelope.attempts);
            if self.end == End::Complete {
                call.succeeds();
            }
        }
        if let (Some(permit), Some(message)) = (&self.permit, self.accumulator.snapshot()) {
            let cost = cost(&message.usage);
            match self.end {
                End::Complete => permit.settle_whole(cost),
                End::Open | End::Failed => permit.settle(cost),
            }
        }
    }
}

impl Stream for MessageStream {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.end != End::Open {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let Poll::Ready(event) = this.events.poll_event(cx) else {
            ready!(this.progress.poll_end(cx));
            let error = transport::Error::bare(ErrorKind::Timeout(TimeoutKind::Progress), Reach::Answered);
            return Poll::Ready(Some(Err(
                this.failure(|partial, envelope| StreamError::transport(error, partial, envelope))
            )));
        };
        Poll::Ready(Some(match event {
            Some(Ok(event)) => {
                let event = Event::parse(event.name, event.data);
                if !matches!(event, Ok(Event::Ping { .. })) {
                    this.progress.rest();
                }
                this.take(event)
            }
            Some(Err(error)) => {
                Err(this.failure(|partial, envelope| StreamError::transport(error, partial, envelope)))
            }
            None => Err(this.failure(StreamError::truncated)),
        }))
    }
}

/// A stream that is dropped early has cost what it has written so far.
impl Drop for MessageStream {
    fn drop(&mut self) {
        self.settle();
    }
}

/// The text of a [`MessageStream`], piece by piece.
///
/// Example: [`MessageStream`](crate::MessageStream).
#[derive(Debug)]
pub struct TextStream<'a>(&'a mut MessageStream);

impl TextStream<'_> {
    /// Waits for the next piece of text; `None` is the end.
    ///
    /// # Errors
    ///
    /// As [`MessageStream::next`].
    pub async fn next(&mut self) -> Option<Result<String, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for TextStream<'_> {
    type Item = Result<String, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut *self.0).poll_next(cx)) {
                Some(Ok(event)) => {
                    if let Some(text) = event.text() {
                        return Poll::Ready(Some(Ok(text.to_owned())));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}
