use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode, header};
use transport::Body;

use crate::{
    error::{Envelope, Error, UnexpectedAnswer},
    reply::Opened,
};

/// Content that is not JSON, as it arrives: a [`Stream`] of pieces. It ends after the first error.
///
/// Example: [`Files`](crate::Files).
pub struct Download {
    body: Body,
    status: StatusCode,
    headers: HeaderMap,
    envelope: Envelope,
}

impl Download {
    #[inline]
    pub(super) fn new(opened: Opened) -> Self {
        let (status, headers) = (opened.head.status(), opened.head.headers().clone());
        Self { body: opened.body, status, headers, envelope: opened.envelope }
    }

    /// How many bytes there are, where the service says so.
    #[must_use]
    #[inline]
    pub fn size(&self) -> Option<u64> {
        self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The service's name for the call; quote it when asking for help.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.envelope.request_id()
    }

    /// How many times the request was sent again before this answer came.
    #[must_use]
    pub fn retries_taken(&self) -> u32 {
        self.envelope.retries_taken()
    }

    /// Waits for the next piece; `None` is the end of the whole content.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] where the content breaks off.
    ///
    /// # Cancel safety
    ///
    /// No piece is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Reads all of it into memory, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] where the content breaks off, or is larger.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Error> {
        let collected = self.body.collect(limit).await;
        collected.map_err(|error| Box::new(UnexpectedAnswer::body(self.status, error, self.envelope)).into())
    }
}

impl Stream for Download {
    type Item = Result<Bytes, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(Pin::new(&mut self.body).poll_next(cx));
        Poll::Ready(piece.map(|piece| {
            piece.map_err(|error| {
                Box::new(UnexpectedAnswer::body(self.status, error, self.envelope.clone())).into()
            })
        }))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("status", &self.status)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
