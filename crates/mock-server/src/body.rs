//! The body of a reply: whole or in pieces, complete or cut.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// A body on its way out.
///
/// Pieces are sent one by one: after each the body lets the connection flush, so that a client sees the same
/// pieces on the wire that the script names.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pieces: VecDeque<Bytes>,
    /// The length announced beforehand; without one the reply is chunked.
    announced: Option<u64>,
    /// Ends with the connection instead of an orderly end.
    breaks: bool,
    flushing: bool,
}

impl Body {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { announced: Some(count(bytes.len())), pieces: VecDeque::from([bytes]), ..Self::default() }
    }

    pub(crate) fn pieces(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self { pieces: pieces.into_iter().collect(), ..Self::default() }
    }

    /// Ends in order after `bytes`, as if this were all.
    pub(crate) fn truncate(&mut self, bytes: usize) {
        let mut left = bytes;
        for piece in &mut self.pieces {
            piece.truncate(left);
            left -= piece.len();
        }
        self.announced = self.announced.map(|length| length.min(count(bytes)));
    }

    /// Drops the connection after `bytes`; an announced length stays.
    pub(crate) fn break_after(&mut self, bytes: usize) {
        let announced = self.announced;
        self.truncate(bytes);
        self.announced = announced;
        self.breaks = true;
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if std::mem::take(&mut self.flushing) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while let Some(piece) = self.pieces.pop_front() {
            if !piece.is_empty() {
                self.flushing = self.announced.is_none() || self.breaks;
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
        }
        if std::mem::take(&mut self.breaks) {
            let broken =
                io::Error::new(io::ErrorKind::ConnectionAborted, "the script breaks the connection here");
            return Poll::Ready(Some(Err(broken)));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        !self.breaks && self.pieces.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A length as HTTP counts it.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
