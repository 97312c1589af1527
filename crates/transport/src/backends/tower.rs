//! Backends from tower services, and services from backends.

use std::{
    error::Error as StdError,
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use tower_service::Service;

use super::incoming;
use crate::{Body, Error, ErrorKind, HttpBackend, Reach, Request, Response, Upload};

type Source = Box<dyn StdError + Send + Sync>;

/// Makes a backend of a tower service: middleware, a router, or another client.
///
/// `In` is the service's own type of request body, anything that can be made of [`Bytes`]. A service's error that is an
/// [`Error`] is handed through; of any other it is only known that the request may have been sent, or that it was not
/// where the service said no before it was called.
///
/// What a [`HttpBackend`] must not do, a service below it must not do either: no redirects, no more than one attempt.
///
/// ```
/// # #[derive(Clone)] struct Echo;
/// # impl tower_service::Service<http::Request<bytes::Bytes>> for Echo {
/// #     type Response = http::Response<transport::Body>;
/// #     type Error = std::convert::Infallible;
/// #     type Future = std::future::Ready<Result<Self::Response, Self::Error>>;
/// #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
/// #         std::task::Poll::Ready(Ok(()))
/// #     }
/// #     fn call(&mut self, request: http::Request<bytes::Bytes>) -> Self::Future {
/// #         std::future::ready(Ok(http::Response::new(request.into_body().into())))
/// #     }
/// # }
/// use bytes::Bytes;
/// use transport::{HttpBackend, Request, backends::Tower};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let backend: Tower<_, Bytes> = Tower::new(Echo); // any Service<http::Request<…>> + Clone
///
/// let answer = backend.send(Request::new(Bytes::from("hello"))).await.unwrap();
///
/// assert_eq!(answer.into_body().collect(100).await.unwrap(), "hello");
/// # });
/// ```
pub struct Tower<S, In = Bytes> {
    service: Mutex<S>,
    body: PhantomData<fn() -> In>,
}

/// Makes a tower service of a backend.
///
/// It is always ready: what a backend can bear is for a layer to say.
#[derive(Clone, Debug)]
pub struct BackendService<B> {
    backend: B,
}

impl<S, In> Tower<S, In> {
    /// Wraps `service`; each request is sent by a clone of it.
    pub fn new(service: S) -> Self {
        Self { service: Mutex::new(service), body: PhantomData }
    }
}

impl<S, In> fmt::Debug for Tower<S, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tower({})", std::any::type_name::<S>())
    }
}

#[async_trait]
impl<S, In, Out> HttpBackend for Tower<S, In>
where
    S: Service<http::Request<In>, Response = http::Response<Out>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Source>,
    In: From<Bytes> + Send + 'static,
    Out: http_body::Body<Data = Bytes> + Send + 'static,
    Out::Error: Into<Source>,
{
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let uri = request.uri().clone();
        if Upload::of(&request).is_some() {
            let reason = "a service takes bodies from memory only; give the content as bytes";
            return Err(failed(reason.into(), ErrorKind::InvalidRequest, Reach::NotSent).with_target(&uri));
        }
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
            return Err(failed(error.into(), ErrorKind::Other, Reach::NotSent).with_target(&uri));
        }
        let answering = service.call(request.map(In::from));
        match answering.await {
            Ok(response) => Ok(response.map(|body| incoming::body(Box::pin(body), uri, of_body))),
            Err(error) => Err(failed(error.into(), ErrorKind::Other, Reach::MaybeSent).with_target(&uri)),
        }
    }
}

impl<B> BackendService<B> {
    /// Wraps `backend`.
    pub fn new(backend: B) -> Self {
        Self { backend }
    }
}

impl<B: HttpBackend + Clone> Service<Request> for BackendService<B> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let backend = self.backend.clone();
        Box::pin(async move { backend.send(request).await })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        let next = futures_core::Stream::poll_next(self, cx);
        next.map(|piece| piece.map(|piece| piece.map(http_body::Frame::data)))
    }
}

/// An error after the head of the response.
fn of_body<E: Into<Source>>(error: E) -> Error {
    failed(error.into(), ErrorKind::Truncated, Reach::Answered)
}

fn failed(error: Source, kind: ErrorKind, reach: Reach) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => *ours,
        Err(error) => Error::new(kind, reach, error),
    }
}
