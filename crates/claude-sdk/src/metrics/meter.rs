use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use http::StatusCode;
use tokio::task_local;
use transport::Clock;

use super::{Labels, Measurement, Metrics, Tokens, labels::Known, tell};
use crate::{config::BaseUrl, error::Error, types::Usage};

/// What a client measures with; a client without has none.
#[derive(Debug, Clone)]
pub(crate) struct Meters(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    to: Destination,
    known: Known<Kind>,
}

/// What all calls with the same labels have in common.
#[derive(Debug)]
struct Kind {
    labels: Labels,
    to: Destination,
}

#[derive(Debug, Clone)]
struct Destination {
    metrics: Arc<dyn Metrics>,
    clock: Arc<dyn Clock>,
}

impl Meters {
    pub(crate) fn new(metrics: Arc<dyn Metrics>, clock: Arc<dyn Clock>, base: &BaseUrl) -> Self {
        let (to, known) = (Destination { metrics, clock }, Known::new(base.as_url()));
        Self(Arc::new(Shared { to, known }))
    }

    /// A call begins.
    pub(crate) fn begin(&self, operation: &'static str, model: Option<&str>) -> Meter {
        let Shared { to, known } = &*self.0;
        let kind = known.kind(operation, model, |labels| Kind { labels, to: to.clone() });
        let began = to.clock.now();
        #[cfg(feature = "metrics")]
        kind.labels.prepared.used_at(began);
        let call = Metered(Arc::new(Call { kind, state: State::default() }));
        Meter { call, began, first: None, used: None, end: Err("cancelled") }
    }
}

impl AsRef<Labels> for Kind {
    fn as_ref(&self) -> &Labels {
        &self.labels
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
    /// Has the layers measure what `sending` does as a part of the call.
    pub(crate) async fn covers<F: Future>(&self, sending: F) -> F::Output {
        CURRENT.scope(self.call.clone(), sending).await
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
        let status = call.0.state.status();
        call.record(&Measurement::Call { labels, took, error: self.end.err(), status });
    }
}

task_local! {
    /// The call that the task is in. In the request's extensions it would cost more allocations than all the rest of it.
    static CURRENT: Metered;
}

/// A call that is being measured, for the layers that see a part of it.
#[derive(Debug, Clone)]
pub(crate) struct Metered(Arc<Call>);

#[derive(Debug)]
struct Call {
    kind: Arc<Kind>,
    state: State,
}

/// What the layers tell of a call, one after the other. Hardly any call is sent again, so that no other takes a lock.
#[derive(Debug, Default)]
struct State {
    is_retried: AtomicBool,
    /// Why it is to be sent again.
    reason: Mutex<Option<&'static str>>,
    /// The status of the last answer; 0 where there is none.
    status: AtomicU16,
}

impl State {
    fn retry(&self, reason: &'static str) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        self.is_retried.store(true, Relaxed);
    }

    fn take_reason(&self) -> Option<&'static str> {
        if !self.is_retried.load(Relaxed) {
            return None;
        }
        self.is_retried.store(false, Relaxed);
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn status(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.status.load(Relaxed)).ok()
    }
}

impl Metered {
    /// The call that the task is in, where it is measured.
    pub(crate) fn current<T>(see: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(see).ok()
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.kind.to.clock.now()
    }

    /// It is going to be sent again, if nothing comes in between.
    pub(crate) fn is_retried_for(&self, reason: &'static str) {
        self.0.state.retry(reason);
    }

    /// It is sent, for the first time or again.
    pub(crate) fn is_sent(&self) {
        if let Some(reason) = self.0.state.take_reason() {
            self.record(&Measurement::Retry { labels: self.labels(), reason });
        }
    }

    pub(crate) fn is_answered(&self, status: StatusCode, took: Duration) {
        self.0.state.status.store(status.as_u16(), Relaxed);
        self.record(&Measurement::Headers { labels: self.labels(), took, status });
    }

    pub(crate) fn is_rate_limited(&self) {
        self.record(&Measurement::RateLimited { labels: self.labels() });
    }

    pub(crate) fn has_waited(&self, took: Duration) {
        self.record(&Measurement::LimiterWait { labels: self.labels(), took });
    }

    fn labels(&self) -> &Labels {
        &self.0.kind.labels
    }

    fn record(&self, measurement: &Measurement<'_>) {
        tell(&*self.0.kind.to.metrics, measurement);
    }
}
