//! One question to a token endpoint, by a source that can ask it again.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use auth_core::{Asked, ClockSkew, ExchangeError, SendFailure, Server, TokenSet, exchange};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use transport::{Clock, HttpBackend, Reach};

use super::Credential;
use crate::{credentials::Grant, error::AuthError};

/// A token endpoint, the way to it, and what is known of its clock.
pub(super) struct Endpoint {
    pub(super) server: Server,
    backend: Box<dyn HttpBackend>,
    skew: Mutex<ClockSkew>,
}

/// Why there are no tokens.
#[derive(Debug)]
pub(super) enum Failure {
    Send(SendFailure),
    Answer(ExchangeError),
}

impl Endpoint {
    pub(super) fn new(server: Server, backend: impl HttpBackend) -> Self {
        Self { server, backend: Box::new(backend), skew: Mutex::default() }
    }

    /// What the server's clock says, as far as that is known.
    pub(super) fn now(&self, clock: &dyn Clock) -> SystemTime {
        self.skew.lock().unwrap_or_else(PoisonError::into_inner).correct(clock.now())
    }

    /// Sends one exchange and reads its answer; times come out by this machine's clock.
    pub(super) async fn ask(
        &self,
        request: Request<Bytes>,
        asked: &Asked,
        clock: &dyn Clock,
    ) -> Result<TokenSet, Failure> {
        let sent_at = clock.now();
        let response = send(&*self.backend, request).await.map_err(Failure::Send)?;
        let skew = self.learn(&response, sent_at, clock.now());
        let tokens = exchange::response(asked, &response, skew.correct(sent_at)).map_err(Failure::Answer)?;
        let expires_at = tokens.expires_at.map(|expiry| skew.local(expiry));
        Ok(TokenSet { expires_at, ..tokens })
    }

    fn learn(&self, response: &Response<Bytes>, sent_at: SystemTime, now: SystemTime) -> ClockSkew {
        let mut skew = self.skew.lock().unwrap_or_else(PoisonError::into_inner);
        // Without TLS anyone on the way could write the date.
        if self.server.token_endpoint().scheme() == "https"
            && let Some(change) = skew.observe(response.headers(), sent_at, now)
        {
            tracing::warn!(%change, "token endpoint");
        }
        skew.clone()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.server.token_endpoint().as_str())
            .finish_non_exhaustive()
    }
}

impl Failure {
    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Answer(ExchangeError::Refused { status, .. } | ExchangeError::Status { status, .. }) => {
                Some(*status)
            }
            _ => None,
        }
    }
}

impl From<Failure> for AuthError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Send(failure) => {
                Self::Renewal { reason: failure.to_string(), retryable: true, retry_after: None }
            }
            Failure::Answer(error) => Self::Renewal {
                reason: error.to_string(),
                retryable: error.is_retryable(),
                retry_after: error.retry_after(),
            },
        }
    }
}

/// Sends one request of a token endpoint and reads the whole answer, however the caller bounds its time.
pub(super) async fn send(
    backend: &dyn HttpBackend,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, SendFailure> {
    let response = backend.send(request).await.map_err(|error| match error.reach() {
        Reach::NotSent => SendFailure::NotSent,
        _ => SendFailure::MaybeSent,
    })?;
    let (head, body) = response.into_parts();
    let body = body.collect(exchange::MAX_ANSWER).await.map_err(|_| SendFailure::MaybeSent)?;
    Ok(Response::from_parts(head, body))
}

/// What an exchange gave, as a cache wants it.
pub(super) fn grant(tokens: TokenSet) -> Result<Grant, AuthError> {
    let credential = Credential::token(tokens.access_token, 0)?;
    Ok(Grant { credential, expires_at: tokens.expires_at })
}
