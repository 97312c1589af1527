//! A request's body as hyper wants it.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream as _;
use http_body::{Frame, SizeHint};

use crate::{Body, Error, Upload};

/// A body in memory or an [`Upload`], with the length that is announced.
pub(super) struct Outgoing {
    /// Never locked: it makes the body one that threads may share.
    body: Mutex<Body>,
    left: Option<u64>,
}

impl Outgoing {
    #[cfg(feature = "hyper")]
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { left: u64::try_from(bytes.len()).ok(), body: Mutex::new(bytes.into()) }
    }

    pub(super) fn upload(upload: &Upload) -> Self {
        Self { body: Mutex::new(upload.open()), left: upload.length() }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        let piece = ready!(Pin::new(body).poll_next(cx));
        if let (Some(Ok(piece)), Some(left)) = (&piece, &mut self.left) {
            *left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
