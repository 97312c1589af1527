use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use transport::{ErrorKind, Reach};

use super::worker::Worker;
use crate::{error::Error, reply::Reply, stream::Event, types::Message};

/// A message as it is written: an iterator over [`Event`]s that also adds them up. See [`crate::MessageStream`].
#[derive(Debug)]
pub struct MessageStream {
    /// On its way to the thread and back while an event is waited for; gone where it was lost there.
    stream: Option<crate::MessageStream>,
    worker: Arc<Worker>,
}

impl MessageStream {
    pub(super) fn new(stream: crate::MessageStream, worker: Arc<Worker>) -> Self {
        Self { stream: Some(stream), worker }
    }

    /// The text alone, piece by piece; other events are added up on the way.
    #[must_use]
    pub fn text_stream(&mut self) -> TextStream<'_> {
        TextStream(self)
    }

    /// The message as far as it has arrived.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Message> {
        self.stream.as_ref()?.snapshot()
    }

    /// The service's name for the call, from the `request-id` header.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.stream.as_ref()?.request_id()
    }

    /// The HTTP status, which is a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.stream.as_ref().map_or(StatusCode::OK, crate::MessageStream::status)
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        Some(self.stream.as_ref()?.headers())
    }

    /// Reads to the end and gives the whole message.
    ///
    /// # Errors
    ///
    /// As [`crate::MessageStream::final_message`].
    pub fn final_message(mut self) -> Result<Reply<Message>, Error> {
        match self.stream.take() {
            Some(stream) => self.worker.wait(stream.final_message())?,
            None => Err(transport::Error::bare(ErrorKind::Panicked, Reach::Answered).into()),
        }
    }
}

impl Iterator for MessageStream {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut stream = self.stream.take()?;
        let next = async move {
            let event = stream.next().await;
            (stream, event)
        };
        match self.worker.wait(next) {
            Ok((stream, event)) => {
                self.stream = Some(stream);
                event
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The text of a [`MessageStream`], piece by piece.
#[derive(Debug)]
pub struct TextStream<'a>(&'a mut MessageStream);

impl Iterator for TextStream<'_> {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.by_ref().find_map(|event| match event {
            Ok(event) => event.text().map(|text| Ok(text.to_owned())),
            Err(error) => Some(Err(error)),
        })
    }
}
