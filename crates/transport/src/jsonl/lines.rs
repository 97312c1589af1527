//! The decoder run over a body.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::{Decoder, decoder::Found};
use crate::{Body, Error, ErrorKind, Reach};

/// The lines of a response's body, as they arrive.
///
/// It ends after the first error. What comes after the last line end is a line too: whether a body is complete, HTTP
/// tells.
#[derive(Debug)]
pub struct Lines {
    body: Body,
    decoder: Decoder,
    /// What was received last, read up to `at`.
    piece: Bytes,
    at: usize,
    done: bool,
}

impl Lines {
    /// Reads lines from `body` with the decoder's usual limit.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self::with_decoder(body, Decoder::new())
    }

    /// Reads lines from `body` with a decoder of your own settings.
    #[must_use]
    pub fn with_decoder(body: Body, decoder: Decoder) -> Self {
        Self { body, decoder, piece: Bytes::new(), at: 0, done: false }
    }

    /// Waits for the next line; `None` is the end. A line that came in one piece is a slice of it.
    ///
    /// # Errors
    ///
    /// What the body reports, or [`ErrorKind::Protocol`] with a [`LineTooLong`](super::LineTooLong) as its source.
    ///
    /// # Cancel safety
    ///
    /// No line is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn end(&mut self) {
        self.done = true;
        self.piece = Bytes::new();
        self.body = Body::empty();
    }
}

impl Stream for Lines {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        let failure = loop {
            match this.decoder.find(&this.piece, &mut this.at) {
                Ok(Some(found)) => {
                    let line = this.decoder.line(&this.piece, &found);
                    return Poll::Ready(Some(Ok(match found {
                        Found::Input(_) => this.piece.slice_ref(line),
                        Found::Held => Bytes::copy_from_slice(line),
                    })));
                }
                Ok(None) => {}
                Err(error) => break Error::new(ErrorKind::Protocol, Reach::Answered, error),
            }
            (this.piece, this.at) = (Bytes::new(), 0);
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(piece)) => this.piece = piece,
                Some(Err(error)) => break error,
                None => {
                    this.end();
                    let last = this.decoder.last_line().map(Bytes::copy_from_slice);
                    return Poll::Ready(last.map(Ok));
                }
            }
        };
        this.end();
        Poll::Ready(Some(Err(failure)))
    }
}
