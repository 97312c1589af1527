//! The decoder run over a body.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use super::{Decoder, Event};
use crate::{Body, Error, ErrorKind, Reach};

/// The events of a response's body, as they arrive.
///
/// It ends after the first error. A body that ends in the middle of an event ends the stream without one, as the
/// standard demands: whether the last event was to be expected is for the protocol above to say.
#[derive(Debug)]
pub struct Events {
    body: Body,
    decoder: Decoder,
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
        Self { body, decoder, done: false }
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

    /// Returns the decoder, for the last event id and the wait before reconnecting.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        loop {
            let failure = match this.decoder.next_event() {
                Some(Ok(event)) => return Poll::Ready(Some(Ok(event))),
                Some(Err(error)) => Error::new(ErrorKind::Protocol, Reach::Answered, error),
                None => match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                    Some(Ok(piece)) => {
                        this.decoder.push(piece);
                        continue;
                    }
                    Some(Err(error)) => error,
                    None => {
                        this.done = true;
                        return Poll::Ready(None);
                    }
                },
            };
            this.done = true;
            this.body = Body::empty();
            return Poll::Ready(Some(Err(failure)));
        }
    }
}
