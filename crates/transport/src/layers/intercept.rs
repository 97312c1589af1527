//! Functions of the user around each request.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{Error, HttpBackend, Request, Response};

/// Something that stands between a request and its sending: it sees and changes the request, hands it on with
/// [`Next::run`], and sees and changes the response.
///
/// It may answer by itself, hand on more than once, or refuse with [`Error::refused`]. A closure is one too:
///
/// ```
/// use transport::{Request, layers::{Intercept, Next}, test_util::ScriptedBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), transport::Error> {
/// # use {bytes::Bytes, http::Response, transport::{Body, HttpBackend}};
/// # let backend = ScriptedBackend::new([Ok(Response::new(Body::empty()))]);
/// let backend = Intercept::new(backend).with(|mut request: Request, next: Next| async move {
///     request.headers_mut().insert("x-team", http::HeaderValue::from_static("blue"));
///     let response = next.run(request).await?;
///     println!("{}", response.status());
///     Ok(response)
/// });
/// # backend.send(http::Request::new(Bytes::new())).await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Middleware: Send + Sync + 'static {
    /// Handles one attempt.
    ///
    /// # Errors
    ///
    /// Whatever `next` returned, or an error of its own.
    async fn handle(&self, request: Request, next: Next) -> Result<Response, Error>;
}

#[async_trait]
impl Middleware for Arc<dyn Middleware> {
    async fn handle(&self, request: Request, next: Next) -> Result<Response, Error> {
        (**self).handle(request, next).await
    }
}

#[async_trait]
impl<F, Answer> Middleware for F
where
    F: Fn(Request, Next) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Response, Error>> + Send + 'static,
{
    async fn handle(&self, request: Request, next: Next) -> Result<Response, Error> {
        self(request, next).await
    }
}

/// The rest of the way: further middleware, then the backend.
#[derive(Clone)]
pub struct Next {
    chain: Arc<Chain>,
    at: usize,
}

impl Next {
    /// Hands the request on and returns when the head of the response is here.
    ///
    /// # Errors
    ///
    /// As [`HttpBackend::send`].
    pub async fn run(mut self, request: Request) -> Result<Response, Error> {
        let chain = Arc::clone(&self.chain);
        let Some(middleware) = chain.middleware.get(self.at) else {
            return chain.backend.send(request).await;
        };
        self.at += 1;
        middleware.handle(request, self).await
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Sends each request through [`Middleware`], the first added being the outermost.
pub struct Intercept {
    chain: Arc<Chain>,
}

struct Chain {
    middleware: Vec<Arc<dyn Middleware>>,
    backend: Arc<dyn HttpBackend>,
}

impl Intercept {
    /// Wraps `backend`, with no middleware so far.
    #[must_use]
    pub fn new(backend: impl HttpBackend) -> Self {
        Self { chain: Arc::new(Chain { middleware: Vec::new(), backend: Arc::new(backend) }) }
    }

    /// Adds a middleware inside of those added before.
    #[must_use]
    pub fn with(self, middleware: impl Middleware) -> Self {
        let mut added = self.chain.middleware.clone();
        added.push(Arc::new(middleware));
        Self { chain: Arc::new(Chain { middleware: added, backend: Arc::clone(&self.chain.backend) }) }
    }
}

impl fmt::Debug for Intercept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intercept")
            .field("middleware", &self.chain.middleware.len())
            .field("backend", &self.chain.backend)
            .finish()
    }
}

#[async_trait]
impl HttpBackend for Intercept {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        Next { chain: Arc::clone(&self.chain), at: 0 }.run(request).await
    }
}
