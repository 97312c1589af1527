use std::{
    pin::pin,
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
pub(crate) struct Kind {
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
        let state = State::default();
        Meter(Some(Metered { kind, state, began, first: None, used: None, end: Err("cancelled") }))
    }
}

impl Kind {
    pub(crate) fn now(&self) -> SystemTime {
        self.to.clock.now()
    }

    pub(crate) fn has_waited(&self, took: Duration) {
        self.record(&Measurement::LimiterWait { labels: &self.labels, took });
    }

    fn record(&self, measurement: &Measurement<'_>) {
        tell(&*self.to.metrics, measurement);
    }
}

impl AsRef<Labels> for Kind {
    fn as_ref(&self) -> &Labels {
        &self.labels
    }
}

/// A call that is being measured, in the hands of whoever makes it.
#[derive(Debug)]
pub(crate) struct Meter(
    /// Nothing where the call was dropped in the midst of what this [covers](Meter::covers): it has told its end.
    Option<Metered>,
);

impl Meter {
    /// Has the layers measure what `sending` does as a part of the call.
    pub(crate) async fn covers<F: Future>(&mut self, sending: F) -> F::Output {
        let Some(call) = self.0.take() else { return sending.await };
        let mut covered = pin!(CURRENT.scope(call, sending));
        let output = covered.as_mut().await;
        self.0 = covered.take_value();
        output
    }

    /// The first content of a stream is here.
    pub(crate) fn begins(&mut self) {
        let Some(call) = &mut self.0 else { return };
        let now = call.now();
        call.first = Some(now);
        let took = now.duration_since(call.began).unwrap_or_default();
        call.record(&Measurement::FirstToken { labels: call.labels(), took });
    }

    pub(crate) fn uses(&mut self, usage: &Usage) {
        let Some(call) = &mut self.0 else { return };
        call.used = Some(Tokens {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cache_write: usage.cache_creation_input_tokens.unwrap_or_default(),
            cache_read: usage.cache_read_input_tokens.unwrap_or_default(),
        });
    }

    /// The answer is whole.
    pub(crate) fn succeeds(&mut self) {
        self.ends(Ok(()));
    }

    pub(crate) fn fails(&mut self, error: &Error) {
        self.ends(Err(error.class()));
    }

    fn ends(&mut self, end: Result<(), &'static str>) {
        if let Some(call) = &mut self.0 {
            call.end = end;
        }
    }
}

task_local! {
    /// The call that the task is in. In the request's extensions it would cost more allocations than all the rest of it.
    static CURRENT: Metered;
}

/// A call that is being measured, for the layers that see a part of it. Its end is told when this is dropped.
#[derive(Debug)]
pub(crate) struct Metered {
    kind: Arc<Kind>,
    state: State,
    began: SystemTime,
    /// When the first content came.
    first: Option<SystemTime>,
    used: Option<Tokens>,
    end: Result<(), &'static str>,
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
        self.kind.now()
    }

    /// What outlasts a look at it.
    pub(crate) fn kind(&self) -> Arc<Kind> {
        Arc::clone(&self.kind)
    }

    /// It is going to be sent again, if nothing comes in between.
    pub(crate) fn is_retried_for(&self, reason: &'static str) {
        self.state.retry(reason);
    }

    /// It is sent, for the first time or again.
    pub(crate) fn is_sent(&self) {
        if let Some(reason) = self.state.take_reason() {
            self.record(&Measurement::Retry { labels: self.labels(), reason });
        }
    }

    pub(crate) fn is_answered(&self, status: StatusCode, took: Duration) {
        self.state.status.store(status.as_u16(), Relaxed);
        self.record(&Measurement::Headers { labels: self.labels(), took, status });
    }

    pub(crate) fn is_rate_limited(&self) {
        self.record(&Measurement::RateLimited { labels: self.labels() });
    }

    fn labels(&self) -> &Labels {
        &self.kind.labels
    }

    fn record(&self, measurement: &Measurement<'_>) {
        self.kind.record(measurement);
    }

    /// The output tokens over the time that they took.
    #[expect(clippy::cast_precision_loss, reason = "nobody writes 2^52 tokens")]
    fn speed(&self, now: SystemTime) -> Option<f64> {
        let took = now.duration_since(self.first?).ok().filter(|took| !took.is_zero())?;
        let output = self.used.filter(|_| self.end.is_ok())?.output;
        Some(output as f64 / took.as_secs_f64())
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        let (labels, now) = (self.labels(), self.now());
        if let Some(used) = self.used {
            self.record(&Measurement::Tokens { labels, used });
        }
        if let Some(tokens_per_second) = self.speed(now) {
            self.record(&Measurement::Speed { labels, tokens_per_second });
        }
        let took = now.duration_since(self.began).unwrap_or_default();
        let status = self.state.status();
        self.record(&Measurement::Call { labels, took, error: self.end.err(), status });
    }
}
