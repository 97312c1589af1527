//! A request's body that is not in memory.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;

use crate::{Body, Error, ErrorKind, Reach, Request};

/// In a request: a body that comes piece by piece, in place of the request's own, which is left empty.
///
/// Each attempt asks for it anew. One that can be had only [`once`](Self::once) is given to the attempt that first reads
/// of it; a further one fails before anything is sent of it. The backends of this crate that speak HTTP send it; another
/// has to say no to what it cannot send.
///
/// ```
/// use transport::{Body, Request, Upload};
///
/// let mut request = Request::new(bytes::Bytes::new());
/// request.extensions_mut().insert(Upload::new(Some(5), || Body::from("hello")));
/// assert_eq!(Upload::of(&request).and_then(Upload::length), Some(5));
/// ```
#[derive(Clone)]
pub struct Upload {
    length: Option<u64>,
    open: Arc<dyn Fn() -> Body + Send + Sync>,
    is_once: bool,
}

/// A body that was read by an attempt before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was to be sent can be read only once, and has been; give it in a form that can be read again")]
struct Spent;

impl Upload {
    /// A body that `open` can give again and again. Where its length in bytes is known, it has to be that long.
    #[must_use]
    pub fn new(length: Option<u64>, open: impl Fn() -> Body + Send + Sync + 'static) -> Self {
        Self { length, open: Arc::new(open), is_once: false }
    }

    /// Says that it can be read only once, although nothing here knows why.
    #[must_use]
    pub fn only_once(self) -> Self {
        Self { is_once: true, ..self }
    }

    /// A body that can be read once.
    #[must_use]
    pub fn once(length: Option<u64>, body: Body) -> Self {
        let body = Arc::new(Mutex::new(Some(body)));
        Self::new(length, move || Body::from_stream(Once { source: Arc::clone(&body), taken: None }))
            .only_once()
    }

    /// Whether it can be read only once, so that whoever would send the request again had better not.
    #[must_use]
    pub fn is_once(&self) -> bool {
        self.is_once
    }

    /// What `request` is to send, where that is not in its own body.
    #[must_use]
    pub fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// How long it is, in bytes, where that is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The body, from its beginning.
    #[must_use]
    pub fn open(&self) -> Body {
        (self.open)()
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Takes the body when it is read from, not before: an attempt may end without having read.
struct Once {
    source: Arc<Mutex<Option<Body>>>,
    taken: Option<Body>,
}

impl Stream for Once {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.taken.is_none() {
            let taken = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.taken = taken;
        }
        match &mut self.taken {
            Some(body) => Pin::new(body).poll_next(cx),
            None => Poll::Ready(Some(Err(Error::new(ErrorKind::InvalidRequest, Reach::NotSent, Spent)))),
        }
    }
}
