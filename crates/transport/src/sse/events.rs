//! The decoder run over a body.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::{Decoder, Event, EventRef, decoder::Found};
use crate::{Body, Error, ErrorKind, Reach};

/// The events of a response's body, as they arrive.
///
/// It ends after the first error. A body that ends in the middle of an event ends the stream without one, as the
/// standard demands: whether the last event was to be expected is for the protocol above to say.
#[derive(Debug)]
pub struct Events {
    body: Body,
    decoder: Decoder,
    /// What was received last, read up to `at`.
    piece: Bytes,
    at: usize,
    done: bool,
}

impl Events {
    /// Reads events from `body` with the decoder's usual limits.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self::with_decoder(body, Decoder::new())
    }

    /// Reads events from `body` with a decoder of your own settings.
    #[must_use]
    pub fn with_decoder(body: Body, decoder: Decoder) -> Self {
        Self { body, decoder, piece: Bytes::new(), at: 0, done: false }
    }

    /// Waits for the next event; `None` is the end.
    ///
    /// # Errors
    ///
    /// What the body reports, or [`ErrorKind::Protocol`] with a [`DecodeError`](super::DecodeError) as its source.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Waits for the next event and lends it, which costs less than [`next`](Self::next); `None` is the end.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next_event(&mut self) -> Option<Result<EventRef<'_>, Error>> {
        let found = poll_fn(|cx| self.poll_found(cx)).await?;
        Some(found.map(|found| self.decoder.event(&self.piece, found)))
    }

    /// Looks for the next event and lends it; as [`next_event`](Self::next_event), for those who write a stream.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<EventRef<'_>, Error>>> {
        self.poll_found(cx).map_ok(|found| self.decoder.event(&self.piece, found))
    }

    /// Returns the decoder, for the last event id and the wait before reconnecting.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Found, Error>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let failure = loop {
            match self.decoder.find(&self.piece, &mut self.at) {
                Ok(Some(found)) => return Poll::Ready(Some(Ok(found))),
                Ok(None) => {}
                Err(error) => break Some(Error::new(ErrorKind::Protocol, Reach::Answered, error)),
            }
            (self.piece, self.at) = (Bytes::new(), 0);
            match ready!(Pin::new(&mut self.body).poll_next(cx)) {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        self.done = true;
        self.piece = Bytes::new();
        self.body = Body::empty();
        Poll::Ready(failure.map(Err))
    }
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.poll_found(cx).map_ok(|found| {
            let event = this.decoder.event(&this.piece, found);
            Event::cut(event, &this.piece)
        })
    }
}
