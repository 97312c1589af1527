//! What a client measures with, and the meter that each of its calls gets.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use transport::Clock;

use super::{Labels, Measurement, Metrics, Tokens, current::Call, labels::Known, tell};
use crate::{config::BaseUrl, error::Error, types::Usage};

/// What a client that is put together is to measure with, and how: a program that measures nothing is built without.
#[derive(Debug)]
pub(crate) struct Measured {
    metrics: Arc<dyn Metrics>,
    meters: MadeOf,
}

type MadeOf = fn(Arc<dyn Metrics>, Arc<dyn Clock>, &BaseUrl) -> Meters;

impl Measured {
    pub(crate) fn by(metrics: Arc<dyn Metrics>) -> Self {
        Self { metrics, meters: Meters::new }
    }

    pub(crate) fn metrics(&self) -> &Arc<dyn Metrics> {
        &self.metrics
    }

    pub(crate) fn meters(self, clock: Arc<dyn Clock>, base: &BaseUrl) -> Meters {
        (self.meters)(self.metrics, clock, base)
    }
}

/// What a client measures with; a client without has none.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    shared: Arc<Shared>,
    begin: fn(&Shared, &'static str, Option<&str>) -> Meter,
}

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
    fn new(metrics: Arc<dyn Metrics>, clock: Arc<dyn Clock>, base: &BaseUrl) -> Self {
        let (to, known) = (Destination { metrics, clock }, Known::new(base.as_url()));
        Self { shared: Arc::new(Shared { to, known }), begin: Shared::begin }
    }

    /// A call begins.
    pub(crate) fn begin(&self, operation: &'static str, model: Option<&str>) -> Meter {
        (self.begin)(&self.shared, operation, model)
    }
}

impl Shared {
    fn begin(&self, operation: &'static str, model: Option<&str>) -> Meter {
        let Self { to, known } = self;
        let kind = known.kind(operation, model, |labels| Kind { labels, to: to.clone() });
        let began = to.clock.now();
        #[cfg(feature = "metrics")]
        kind.labels.prepared.used_at(began);
        Meter(Some(Box::new(Call::new(kind, began))))
    }
}

impl Kind {
    pub(crate) fn now(&self) -> SystemTime {
        self.to.clock.now()
    }

    pub(crate) fn has_waited(&self, took: Duration) {
        self.record(&Measurement::LimiterWait { labels: &self.labels, took });
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(super) fn record(&self, measurement: &Measurement<'_>) {
        tell(&*self.to.metrics, measurement);
    }
}

impl AsRef<Labels> for Kind {
    fn as_ref(&self) -> &Labels {
        &self.labels
    }
}

/// A call that is being measured, in the hands of whoever makes it. Its end is told when this is dropped.
///
/// The call is elsewhere only [while it is sent](Call::within).
#[derive(Debug)]
pub(crate) struct Meter(Option<Box<Call>>);

impl Meter {
    /// The call, to be lent out [while it is sent](Call::within).
    pub(crate) fn call(&mut self) -> &mut Option<Box<Call>> {
        &mut self.0
    }

    /// The call has waited for something that is no part of its sending.
    pub(crate) fn has_waited(&mut self) {
        self.with(Call::has_waited);
    }

    /// The first content of a stream is here.
    pub(crate) fn begins(&mut self) {
        self.with(Call::begins);
    }

    pub(crate) fn uses(&mut self, usage: &Usage) {
        self.with(|call| {
            call.uses(Tokens {
                input: usage.input_tokens,
                output: usage.output_tokens,
                cache_write: usage.cache_creation_input_tokens.unwrap_or_default(),
                cache_read: usage.cache_read_input_tokens.unwrap_or_default(),
            });
        });
    }

    /// The answer is whole.
    pub(crate) fn succeeds(&mut self) {
        self.with(|call| call.ends(Ok(())));
    }

    pub(crate) fn fails(&mut self, error: &Error) {
        self.with(|call| call.ends(Err(error.class())));
    }

    fn with(&mut self, see: impl FnOnce(&mut Call)) {
        if let Some(call) = &mut self.0 {
            see(call);
        }
    }
}
