use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use transport::{ErrorKind, Reach};

use super::{Iter, worker::Worker};
use crate::{
    error::Error,
    reply::Reply,
    stream::{Event, Oddity},
    types::Message,
};

/// A message as it is written: an iterator over [`Event`]s that also adds them up. See [`crate::MessageStream`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug)]
pub struct MessageStream(Iter<crate::MessageStream>);

impl MessageStream {
    pub(super) fn new(stream: crate::MessageStream, worker: Arc<Worker>) -> Self {
        Self(Iter::new(stream, worker))
    }

    /// The text alone, piece by piece; other events are added up on the way.
    #[must_use]
    pub fn text_stream(&mut self) -> TextStream<'_> {
        TextStream(self)
    }

    /// The message as far as it has arrived.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Message> {
        self.0.as_stream()?.snapshot()
    }

    /// What is not as it should be in what has arrived, although the message can do without it; see
    /// [`Accumulator::oddities`](crate::stream::Accumulator::oddities).
    #[must_use]
    pub fn oddities(&self) -> &[Oddity] {
        self.0.as_stream().map_or(&[], crate::MessageStream::oddities)
    }

    /// The service's name for the call, from the `request-id` header.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.as_stream()?.request_id()
    }

    /// How many times the request was sent again before this stream came.
    #[must_use]
    pub fn retries_taken(&self) -> u32 {
        self.0.as_stream().map_or(0, crate::MessageStream::retries_taken)
    }

    /// The HTTP status, which is a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.as_stream().map_or(StatusCode::OK, crate::MessageStream::status)
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        Some(self.0.as_stream()?.headers())
    }

    /// Reads to the end and gives the whole message.
    ///
    /// # Errors
    ///
    /// As [`crate::MessageStream::final_message`].
    pub fn final_message(self) -> Result<Reply<Message>, Error> {
        let (stream, worker) = self.0.into_parts();
        match stream {
            Some(stream) => worker.wait(stream.final_message())?,
            None => Err(transport::Error::bare(ErrorKind::Panicked, Reach::Answered).into()),
        }
    }
}

impl Iterator for MessageStream {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// The text of a [`MessageStream`], piece by piece.
///
/// Example: [`blocking`](crate::blocking).
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
