//! A response's body, as it arrives.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use crate::{Error, ErrorKind, Reach};

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// A body that is read piece by piece; dropping it ends the exchange and drops the connection if need be.
///
/// The pieces come as they were received: their sizes mean nothing. After an error or the end there is no more, however
/// often one asks.
#[derive(Default)]
pub struct Body(Content);

#[derive(Default)]
enum Content {
    #[default]
    Done,
    Full(Bytes),
    Streaming(Chunks),
}

impl Body {
    /// Makes a body without content.
    #[must_use]
    pub fn empty() -> Self {
        Self(Content::Done)
    }

    /// Makes a body from a stream of pieces.
    ///
    /// Nothing is read ahead: the stream is polled only when someone asks for the next piece.
    pub fn from_stream(stream: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self(Content::Streaming(Box::pin(stream)))
    }

    /// Waits for the next piece; `None` is the end.
    ///
    /// # Errors
    ///
    /// When the body breaks off, stalls for too long or cannot be decoded.
    ///
    /// # Cancel safety
    ///
    /// No piece is lost when the future is dropped.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Reads all of it into memory, at most `limit` bytes.
    ///
    /// The limit holds while reading: a larger body is given up at the piece that crosses it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BodyTooLarge`] over the limit, otherwise as [`chunk`](Self::chunk).
    ///
    /// # Cancel safety
    ///
    /// What was read is lost when the future is dropped, and the connection with it.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, Error> {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await {
            let chunk = chunk?;
            let read = first.len().max(all.len());
            if chunk.len() > limit.saturating_sub(read) {
                return Err(Error::bare(ErrorKind::BodyTooLarge { limit }, Reach::Answered));
            }
            if read == 0 {
                first = chunk; // often the only one: no copy
            } else {
                if all.is_empty() {
                    all.extend_from_slice(&first);
                }
                all.extend_from_slice(&chunk);
            }
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }
}

impl Stream for Body {
    type Item = Result<Bytes, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match &mut self.0 {
            Content::Done => return Poll::Ready(None),
            Content::Full(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Content::Streaming(chunks) => {
                let next = std::task::ready!(chunks.as_mut().poll_next(cx));
                if let Some(Ok(chunk)) = next {
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Poll::Ready(next)
            }
        };
        self.0 = Content::Done;
        next
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Content::Done } else { Content::Full(bytes) })
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Content::Done => "Body(done)",
            Content::Full(_) => "Body(full)",
            Content::Streaming(_) => "Body(streaming)",
        })
    }
}
