//! One span per attempt.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::{Instrument, Span, field};

use crate::{Attempt, Clock, Error, HttpBackend, Request, Response};

/// Puts each request into a `tracing` span and says how it ended.
///
/// The span is `http`, at level debug, with the fields `method`, `host`, `path`, `attempt`, `status`, `error` and
/// `elapsed_ms`, the time to the head of the response. Queries, header values and bodies are never recorded.
#[derive(Debug)]
pub struct Trace<B> {
    backend: B,
    clock: Arc<dyn Clock>,
}

impl<B> Trace<B> {
    /// Wraps `backend`; the clock measures how long it took.
    #[must_use]
    pub fn new(backend: B, clock: Arc<dyn Clock>) -> Self {
        Self { backend, clock }
    }
}

#[async_trait]
impl<B: HttpBackend> HttpBackend for Trace<B> {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let span = span_for(&request);
        let began = self.clock.now();
        let answer = self.backend.send(request).instrument(span.clone()).await;
        let elapsed = self.clock.now().duration_since(began).unwrap_or_default();
        span.record("elapsed_ms", elapsed.as_millis());
        match &answer {
            Ok(response) => span.record("status", response.status().as_u16()),
            Err(error) => span.record("error", field::debug(error.kind())),
        };
        span.in_scope(|| match &answer {
            Ok(_) => tracing::debug!("answered"),
            Err(_) => tracing::debug!("failed"),
        });
        answer
    }
}

fn span_for(request: &Request) -> Span {
    tracing::debug_span!(
        "http",
        method = request.method().as_str(),
        host = request.uri().host(),
        path = request.uri().path(),
        attempt = request.extensions().get().map(|&Attempt(number)| number),
        status = field::Empty,
        error = field::Empty,
        elapsed_ms = field::Empty,
    )
}
