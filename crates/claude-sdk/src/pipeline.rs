//! The order of the layers, written once. Outermost first:
//!
//! **call span → retry → headers → middleware → rate limit → authorize → attempt span → measure → timeout → decode → backend**
//!
//! The call span is where the call is known ([`crate::resources`]). Middleware sees each attempt without its credential,
//! and answers without a permit. Each attempt costs a permit and carries a fresh credential, because waiting for a permit can outlast a token.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::ScopeSet;
use http::HeaderMap;
use ratelimit::RateLimiter;
use transport::{
    Clock, HttpBackend,
    layers::{Breaker, Budget, Decode, Intercept, Middleware, Retry, RetryPolicy, Timeout, Trace},
};

use crate::{
    config::ApiVersion,
    credentials::CredentialProvider,
    error::ConfigError,
    estimates::Estimate,
    layers::{Authorize, Equip, Overheard, Throttle},
    limits::Reported,
    metrics::Meters,
    stream::FirstContent,
};

/// The parts that differ from client to client.
pub(crate) struct Parts {
    pub(crate) backend: Arc<dyn HttpBackend>,
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) limiter: Option<Limited>,
    pub(crate) estimate: Arc<dyn Estimate>,
    pub(crate) middleware: Vec<Arc<dyn Middleware>>,
    /// What every request carries.
    pub(crate) headers: HeaderMap,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) budget: Option<Budget>,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) meters: Option<Meters>,
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
    /// From one event of a stream to the next that is more than a sign of life.
    pub(crate) progress: Duration,
}

/// A limiter together with how the layer that asks it is put around the others: a program without a limiter is built without
/// that layer.
#[derive(Debug)]
pub(crate) struct Limited {
    limiter: Arc<dyn RateLimiter>,
    throttle: Around,
}

type Around = fn(Authorized, Arc<dyn RateLimiter>, Arc<dyn Clock>, Duration) -> Arc<dyn HttpBackend>;

/// What stands inside of the limiter.
type Authorized = Authorize<Trace<Timeout<Decode<Arc<dyn HttpBackend>>>>>;

impl Limited {
    pub(crate) fn by(limiter: Arc<dyn RateLimiter>) -> Self {
        let throttle = |backend, limiter, clock, max_wait| -> Arc<dyn HttpBackend> {
            Arc::new(Throttle::new(backend, limiter, clock, max_wait))
        };
        Self { limiter, throttle }
    }

    fn over(self, backend: Authorized, clock: Arc<dyn Clock>, max_wait: Duration) -> Arc<dyn HttpBackend> {
        (self.throttle)(backend, self.limiter, clock, max_wait)
    }
}

/// The layers, nested.
#[derive(Clone)]
pub(crate) struct Pipeline {
    pub(crate) backend: Arc<dyn HttpBackend>,
    /// Where the limits of the newest answer are kept.
    pub(crate) reported: Arc<Mutex<Reported>>,
    /// Says what a request is charged, where a limiter wants to know.
    pub(crate) estimate: Option<Arc<dyn Estimate>>,
    /// Where there are metrics.
    pub(crate) meters: Option<Meters>,
}

/// Nests the layers.
pub(crate) fn build(parts: Parts) -> Result<Pipeline, ConfigError> {
    let Parts {
        backend, credentials, limiter, retry, meters, clock, base_url, needs, version, timeouts, ..
    } = parts;
    let backend = Decode::new(backend);
    let backend = Timeout::new(backend, Arc::clone(&clock)).headers(timeouts.headers).idle(timeouts.idle);
    let backend = Trace::new(backend);
    let reported: Arc<Mutex<Reported>> = Arc::default();
    let backend = Authorize::new(backend, credentials, &base_url, version, Arc::clone(&clock))?
        .needs(needs)
        .reporting_to(Arc::clone(&reported));
    let estimate = limiter.is_some().then_some(parts.estimate);
    let backend: Arc<dyn HttpBackend> = match limiter {
        Some(limited) => limited.over(backend, Arc::clone(&clock), parts.limiter_max_wait),
        None => Arc::new(backend),
    };
    let backend = match parts.middleware.is_empty() {
        true => backend,
        false => Arc::new(parts.middleware.into_iter().fold(Intercept::new(backend), Intercept::with)),
    };
    let backend = Equip::new(backend, &parts.headers);
    let retry = match &meters {
        Some(_) => Arc::new(Overheard(retry)),
        None => retry,
    };
    let mut backend =
        Retry::new(backend, retry, clock, parts.seed).opening(Arc::new(FirstContent), timeouts.progress);
    if let Some(budget) = parts.budget {
        backend = backend.budget(budget);
    }
    if let Some(breaker) = parts.breaker {
        backend = backend.breaker(breaker);
    }
    Ok(Pipeline { backend: Arc::new(backend), reported, estimate, meters })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use transport::{Request, SystemClock, layers::Backoff, test_util::ScriptedBackend};

    use super::*;
    use crate::credentials::Credential;

    /// A future of more is allocated the slow way by most allocators, which costs more than the layer does.
    #[test]
    fn what_a_layer_allocates_for_a_call_stays_small() {
        fn size(layer: &impl HttpBackend) -> usize {
            size_of_val(&*layer.send(Request::new(Bytes::new())))
        }

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let layer = Decode::new(ScriptedBackend::new([]));
        assert!(size(&layer) <= 1024);
        let layer = Timeout::new(layer, Arc::clone(&clock)).headers(Duration::from_secs(1));
        assert!(size(&layer) <= 1024);
        let who = Arc::new(Credential::api_key("sk-ant-api03-x".into()).unwrap());
        let base = "https://api.example/";
        let layer = Authorize::new(layer, who, base, ApiVersion::default(), Arc::clone(&clock)).unwrap();
        assert!(size(&layer) <= 1024, "{}", size(&layer));
        let limiter = Arc::new(ratelimit::limiters::Unlimited);
        let layer = Throttle::new(layer, limiter, Arc::clone(&clock), Duration::from_secs(60));
        assert!(size(&layer) <= 1024, "{}", size(&layer));
        let layer = Retry::new(layer, Arc::new(Backoff::new()), clock, 1);
        assert!(size(&layer) <= 1024);
    }
}
