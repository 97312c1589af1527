use std::{fmt, future::poll_fn, pin::Pin, sync::Arc};

use futures_core::Stream;

use super::worker::Worker;
use crate::error::Error;

/// A stream of the async client as an iterator: made by [`Client::iter`](super::Client::iter).
///
/// Where the stream panics it gives an error, and ends.
///
/// Example: [`blocking`](crate::blocking).
pub struct Iter<S> {
    /// On its way to the thread and back while an item is waited for; gone where it was lost there.
    stream: Option<S>,
    worker: Arc<Worker>,
}

impl<S> Iter<S> {
    pub(super) fn new(stream: S, worker: Arc<Worker>) -> Self {
        Self { stream: Some(stream), worker }
    }

    pub(super) fn as_stream(&self) -> Option<&S> {
        self.stream.as_ref()
    }

    pub(super) fn into_parts(self) -> (Option<S>, Arc<Worker>) {
        (self.stream, self.worker)
    }
}

impl<S, T, E> Iterator for Iter<S>
where
    S: Stream<Item = Result<T, E>> + Unpin + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut stream = self.stream.take()?;
        let next = async move {
            let item = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await;
            (stream, item)
        };
        match self.worker.wait(next) {
            Ok((stream, item)) => {
                self.stream = Some(stream);
                item
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}

impl<S> fmt::Debug for Iter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
