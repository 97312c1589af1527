//! One span per attempt.

use tracing::{Instrument, Span, field};

use crate::{Attempt, Error, HttpBackend, Request, Response, Sending};

/// Puts each request into a `tracing` span and says how it ended.
///
/// The span is `http`, at level debug. Its fields are named as OpenTelemetry's conventions for HTTP clients say:
/// `http.request.method`, `server.address`, `server.port`, `url.path`, `http.request.resend_count`,
/// `http.response.status_code` and `error.type`, the status or the kind of failure. Queries, header values and bodies are
/// never recorded. Where nobody listens it costs nothing.
#[derive(Debug)]
pub struct Trace<B> {
    backend: B,
}

impl<B> Trace<B> {
    /// Wraps `backend`.
    #[must_use]
    pub fn new(backend: B) -> Self {
        Self { backend }
    }
}

impl<B: HttpBackend> HttpBackend for Trace<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        let span = span_for(&request);
        if span.is_disabled() {
            return self.backend.send(request);
        }
        Box::pin(async move {
            let answer = self.backend.send(request).instrument(span.clone()).await;
            record(&span, &answer);
            answer
        })
    }
}

#[inline]
fn span_for(request: &Request) -> Span {
    tracing::debug_span!(
        "http",
        otel.name = request.method().as_str(),
        otel.kind = "client",
        http.request.method = request.method().as_str(),
        server.address = request.uri().host(),
        server.port = request.uri().port_u16(),
        url.path = request.uri().path(),
        http.request.resend_count = Attempt::of(request).checked_sub(1).filter(|&count| count > 0),
        http.response.status_code = field::Empty,
        error.type = field::Empty,
    )
}

fn record(span: &Span, answer: &Result<Response, Error>) {
    match answer {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                span.record("error.type", status.as_str());
            }
        }
        Err(error) => {
            span.record("error.type", field::debug(error.kind()));
        }
    }
    span.in_scope(|| match answer {
        Ok(_) => tracing::debug!("answered"),
        Err(_) => tracing::debug!("failed"),
    });
}
