//! The seam every layer implements: one request in, one response out.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::Uri;

use crate::{Body, Error};

/// A request whose body is in memory, so that every attempt can send it again; or one with an [`Upload`](crate::Upload).
///
/// The URI is absolute: scheme, authority and path.
pub type Request = http::Request<Bytes>;

/// A response whose body is still arriving.
pub type Response = http::Response<Body>;

/// What [`HttpBackend::send`] returns, for a layer that has nothing to do afterwards: it hands on the future of the
/// backend it wraps, where an `async` body would make one of its own.
pub type Sending<'f> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'f>>;

/// Something that sends a request once.
///
/// A response of any status is a response, not an error, and redirects are never followed: what a 429 or a 302
/// means is for the caller to say. A layer is a backend that wraps a backend.
///
/// # Cancel safety
///
/// Dropping the future gives the attempt up. The server may have received and acted on the request by then.
#[async_trait]
pub trait HttpBackend: fmt::Debug + Send + Sync + 'static {
    /// Sends the request and returns when the head of the response is here.
    ///
    /// # Errors
    ///
    /// When no response came. [`Error::kind`] says why, [`Error::reach`] how far the request got.
    async fn send(&self, request: Request) -> Result<Response, Error>;

    /// All of [`send`](Self::send) but its last step, for a layer that waits for the answer in a future of its own and asks
    /// [`finish`](Self::finish) for that. A layer that only looks at answers saves a future for each call by its two halves, which
    /// `send` is then made of; all others leave both as they are.
    fn begin(&self, request: Request) -> Sending<'_> {
        self.send(request)
    }

    /// The last step: what is to be done with a response that is here now, if anything. It is given the target.
    fn finish(&self, response: &Response) -> Option<fn(Response, Uri) -> Response> {
        let _ = response;
        None
    }
}

impl<B: HttpBackend + ?Sized> HttpBackend for Arc<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        (**self).send(request)
    }
}

impl<B: HttpBackend + ?Sized> HttpBackend for Box<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        (**self).send(request)
    }
}
