//! The order of the layers, written once. Outermost first:
//!
//! **call span → retry → rate limit → authorize → attempt span → timeout → backend**
//!
//! Each attempt costs a permit and carries a fresh credential, because waiting for a permit can outlast a token.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::ScopeSet;
use ratelimit::RateLimiter;
use transport::{
    Clock, HttpBackend,
    layers::{Retry, RetryPolicy, Timeout, Trace},
};

use crate::{
    config::ApiVersion,
    credentials::CredentialProvider,
    error::ConfigError,
    layers::{Authorize, Throttle},
    limits::RateLimits,
};

/// The parts that differ from client to client.
pub(crate) struct Parts {
    pub(crate) backend: Arc<dyn HttpBackend>,
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) limiter: Arc<dyn RateLimiter>,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) base_url: String,
    pub(crate) needs: ScopeSet,
    pub(crate) version: ApiVersion,
    pub(crate) timeouts: Timeouts,
    pub(crate) limiter_max_wait: Duration,
    pub(crate) seed: u64,
}

/// How long an attempt may take, step by step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// From sending to the answer's head.
    pub(crate) headers: Duration,
    /// Between two chunks of the answer's body.
    pub(crate) idle: Duration,
}

/// The layers, nested.
pub(crate) struct Pipeline {
    pub(crate) backend: Arc<dyn HttpBackend>,
    /// Where the limits of the newest answer are kept.
    pub(crate) reported: Arc<Mutex<RateLimits>>,
}

/// Nests the layers.
pub(crate) fn build(parts: Parts) -> Result<Pipeline, ConfigError> {
    let Parts { backend, credentials, limiter, retry, clock, base_url, needs, version, timeouts, .. } = parts;
    let backend = Timeout::new(backend, Arc::clone(&clock)).headers(timeouts.headers).idle(timeouts.idle);
    let backend = Trace::new(backend, Arc::clone(&clock));
    let backend = Authorize::new(backend, credentials, &base_url, version)?.needs(needs);
    let backend = Throttle::new(backend, limiter, Arc::clone(&clock), parts.limiter_max_wait);
    let reported = backend.reported();
    let backend = Retry::new(backend, retry, Arc::clone(&clock), parts.seed);
    let backend = Trace::new(backend, clock);
    Ok(Pipeline { backend: Arc::new(backend), reported })
}
