//! What every backend over `http-body` does with a request's target and a response's body.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use http::Uri;

use crate::{Body, Error};
#[cfg(any(feature = "hyper", feature = "reqwest"))]
use crate::{ErrorKind, Reach};

/// Refuses a target that names a user: it would have to become a header, and headers are the caller's.
#[cfg(any(feature = "hyper", feature = "reqwest"))]
pub(super) fn check_target(uri: &Uri) -> Result<(), Error> {
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let reason = "user and password in the URL; put them into a header";
        return Err(Error::new(ErrorKind::InvalidRequest, Reach::NotSent, reason).with_target(uri));
    }
    Ok(())
}

/// Makes a [`Body`] of the pieces of `body`, without its trailers.
pub(super) fn body<B>(body: B, uri: Uri, failure: fn(B::Error) -> Error) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    Body::from_stream(Incoming { body, uri, failure })
}

struct Incoming<B: http_body::Body> {
    body: B,
    uri: Uri,
    failure: fn(B::Error) -> Error,
}

impl<B> Stream for Incoming<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => Some(Ok(piece)),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => Some(Err((self.failure)(error).with_target(&self.uri))),
                None => None,
            });
        }
    }
}
