//! The seam every layer implements: one request in, one response out.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Body, Error};

/// A request whose body is in memory, so that every attempt can send it again.
///
/// The URI is absolute: scheme, authority and path.
pub type Request = http::Request<Bytes>;

/// A response whose body is still arriving.
pub type Response = http::Response<Body>;

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
}

#[async_trait]
impl<B: HttpBackend + ?Sized> HttpBackend for Arc<B> {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        (**self).send(request).await
    }
}

#[async_trait]
impl<B: HttpBackend + ?Sized> HttpBackend for Box<B> {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        (**self).send(request).await
    }
}
