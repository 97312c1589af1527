use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::StatusCode;
use transport::{Clock, Request};

use super::{Labels, Measurement, Metrics, Tokens, models::Models, tell};
use crate::{config::BaseUrl, error::Error, types::Usage};

/// What a client measures with; a client without has none.
#[derive(Debug, Clone)]
pub(crate) struct Meters(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: Arc<dyn Metrics>,
    clock: Arc<dyn Clock>,
    models: Models,
    server_address: Option<Arc<str>>,
    server_port: Option<u16>,
}

impl Meters {
    pub(crate) fn new(metrics: Arc<dyn Metrics>, clock: Arc<dyn Clock>, base: &BaseUrl) -> Self {
        let url = base.as_url();
        let (server_address, server_port) = (url.host_str().map(Arc::from), url.port_or_known_default());
        Self(Arc::new(Shared { metrics, clock, models: Models::default(), server_address, server_port }))
    }

    /// A call begins.
    pub(crate) fn begin(&self, operation: &'static str, model: Option<&str>) -> Meter {
        let shared = &*self.0;
        let labels = Labels {
            operation,
            model: model.map(|model| shared.models.label(model)),
            server_address: shared.server_address.clone(),
            server_port: shared.server_port,
        };
        let call = Call {
            metrics: Arc::clone(&shared.metrics),
            clock: Arc::clone(&shared.clock),
            labels,
            reason: Mutex::new(None),
            status: AtomicU16::new(0),
        };
        let began = shared.clock.now();
        Meter { call: Metered(Arc::new(call)), began, first: None, used: None, end: Err("cancelled") }
    }
}

/// A call that is being measured. Its end is told when this is dropped.
#[derive(Debug)]
pub(crate) struct Meter {
    call: Metered,
    began: SystemTime,
    /// When the first content came.
    first: Option<SystemTime>,
    used: Option<Tokens>,
    end: Result<(), &'static str>,
}

impl Meter {
    /// Has the layers measure what becomes of `request`.
    pub(crate) fn attach(&self, request: &mut Request) {
        request.extensions_mut().insert(self.call.clone());
    }

    /// The first content of a stream is here.
    pub(crate) fn begins(&mut self) {
        let now = self.call.now();
        self.first = Some(now);
        let took = now.duration_since(self.began).unwrap_or_default();
        self.call.record(&Measurement::FirstToken { labels: self.call.labels(), took });
    }

    pub(crate) fn uses(&mut self, usage: &Usage) {
        self.used = Some(Tokens {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cache_write: usage.cache_creation_input_tokens.unwrap_or_default(),
            cache_read: usage.cache_read_input_tokens.unwrap_or_default(),
        });
    }

    /// The answer is whole.
    pub(crate) fn succeeds(&mut self) {
        self.end = Ok(());
    }

    pub(crate) fn fails(&mut self, error: &Error) {
        self.end = Err(error.class());
    }

    /// The output tokens over the time that they took.
    #[expect(clippy::cast_precision_loss, reason = "nobody writes 2^52 tokens")]
    fn speed(&self, now: SystemTime) -> Option<f64> {
        let took = now.duration_since(self.first?).ok().filter(|took| !took.is_zero())?;
        let output = self.used.filter(|_| self.end.is_ok())?.output;
        Some(output as f64 / took.as_secs_f64())
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let (call, now) = (&self.call, self.call.now());
        let labels = call.labels();
        if let Some(used) = self.used {
            call.record(&Measurement::Tokens { labels, used });
        }
        if let Some(tokens_per_second) = self.speed(now) {
            call.record(&Measurement::Speed { labels, tokens_per_second });
        }
        let took = now.duration_since(self.began).unwrap_or_default();
        let status = StatusCode::from_u16(call.0.status.load(Ordering::Relaxed)).ok();
        call.record(&Measurement::Call { labels, took, error: self.end.err(), status });
    }
}

/// In a request: the call that it belongs to, for the layers that see a part of it.
#[derive(Debug, Clone)]
pub(crate) struct Metered(Arc<Call>);

#[derive(Debug)]
struct Call {
    metrics: Arc<dyn Metrics>,
    clock: Arc<dyn Clock>,
    labels: Labels,
    /// Why it is to be sent again.
    reason: Mutex<Option<&'static str>>,
    /// The status of the last answer; 0 where there was none.
    status: AtomicU16,
}

impl Metered {
    /// The call that `request` belongs to, where it is measured.
    pub(crate) fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    /// It is going to be sent again, if nothing comes in between.
    pub(crate) fn is_retried_for(&self, reason: &'static str) {
        *self.0.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// It is sent, for the first time or again.
    pub(crate) fn is_sent(&self) {
        let reason = self.0.reason.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reason) = reason {
            self.record(&Measurement::Retry { labels: self.labels(), reason });
        }
    }

    pub(crate) fn is_answered(&self, status: StatusCode, took: Duration) {
        self.0.status.store(status.as_u16(), Ordering::Relaxed);
        self.record(&Measurement::Headers { labels: self.labels(), took, status });
    }

    pub(crate) fn is_rate_limited(&self) {
        self.record(&Measurement::RateLimited { labels: self.labels() });
    }

    pub(crate) fn has_waited(&self, took: Duration) {
        self.record(&Measurement::LimiterWait { labels: self.labels(), took });
    }

    fn labels(&self) -> &Labels {
        &self.0.labels
    }

    fn record(&self, measurement: &Measurement<'_>) {
        tell(&*self.0.metrics, measurement);
    }
}
