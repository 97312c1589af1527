//! The first part of a reply, which is looked at before anybody sees it.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::StatusCode;

use crate::{Body, Error, Response};

/// Knows replies whose first part tells whether they are a success, such as an event stream that may begin with an error.
///
/// [`Retry`](super::Retry) reads such a reply until its [`Judge`] has decided, and hands it on from its beginning. What
/// fails before that is an outcome like any other and may be sent again, because nobody has seen any of it; what fails
/// later is the caller's.
pub trait Opening: fmt::Debug + Send + Sync + 'static {
    /// Gives a judge for a reply with a status of success; `None` where its head says everything.
    fn judge(&self, reply: &Response) -> Option<Box<dyn Judge>>;
}

/// Judges one reply by its first pieces.
pub trait Judge: Send {
    /// Looks at the next piece of the body.
    fn push(&mut self, piece: &Bytes) -> Opinion;
}

/// What a [`Judge`] thinks so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// It takes more to tell.
    Undecided,
    /// This is the reply that was asked for, or nothing that could be helped by another attempt.
    Committed,
    /// It is a failure, as if the reply had been this one.
    Failed {
        /// The status that says the same.
        status: StatusCode,
        /// The body that would come with it.
        body: Bytes,
    },
}

/// A body whose first pieces have been read and can be handed on.
#[derive(Debug, Default)]
pub(super) struct Start {
    pieces: VecDeque<Bytes>,
    length: usize,
    rest: Body,
    error: Option<Error>,
    /// Whether `rest` has ended.
    is_whole: bool,
}

impl Start {
    pub(super) fn new(body: Body) -> Self {
        Self { rest: body, ..Self::default() }
    }

    /// Reads one more piece; `None` at the end, and where the body broke off.
    pub(super) async fn read(&mut self) -> Option<Bytes> {
        match self.rest.chunk().await {
            Some(Ok(piece)) => {
                self.length += piece.len();
                self.pieces.push_back(piece.clone());
                Some(piece)
            }
            Some(Err(error)) => {
                self.fail(error);
                None
            }
            None => {
                self.is_whole = true;
                None
            }
        }
    }

    /// Ends it with an error, whatever might still come.
    pub(super) fn fail(&mut self, error: Error) {
        self.rest = Body::empty();
        self.error = Some(error);
    }

    /// How many bytes have been read.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// What has been read, in one piece.
    pub(super) fn bytes(&self) -> Bytes {
        match self.pieces.len() {
            0 => Bytes::new(),
            1 => self.pieces.front().cloned().unwrap_or_default(),
            _ => {
                let mut all = BytesMut::with_capacity(self.length);
                self.pieces.iter().for_each(|piece| all.extend_from_slice(piece));
                all.freeze()
            }
        }
    }

    /// Why there is no more, where the body broke off.
    pub(super) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether nothing of it is still to be read.
    pub(super) fn has_ended(&self) -> bool {
        self.is_whole || self.error.is_some()
    }

    /// The whole body from its beginning.
    pub(super) fn into_body(self) -> Body {
        match (self.pieces.len(), &self.error) {
            (0, None) => self.rest,
            (1, None) if self.is_whole => self.bytes().into(),
            _ => Body::from_stream(Rewound { start: self }),
        }
    }
}

/// The pieces that were read ahead, then what comes after them.
struct Rewound {
    start: Start,
}

impl Stream for Rewound {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let start = &mut self.get_mut().start;
        if let Some(piece) = start.pieces.pop_front() {
            return Poll::Ready(Some(Ok(piece)));
        }
        if let Some(error) = start.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        Pin::new(&mut start.rest).poll_next(cx)
    }
}
