use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use opentelemetry::{
    KeyValue, global,
    metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter},
};

use crate::metrics::{
    INSTRUMENTS, Instrument, Labels, Measurement, Metrics,
    points::{Of, PROVIDER, Value, points},
    series::Series,
};

/// Gives measurements to OpenTelemetry: to its global meter provider, named as its conventions for generative AI say.
///
/// ```no_run
/// use claude_sdk::{Client, metrics::sinks};
///
/// # fn main() -> Result<(), claude_sdk::Error> {
/// // First `opentelemetry::global::set_meter_provider(…)`, then:
/// let client = Client::builder().api_key("sk-ant-…").metrics(sinks::OpenTelemetry::new()).build()?;
/// # Ok(())
/// # }
/// ```
pub struct OpenTelemetry {
    instruments: Arc<Instruments>,
}

/// Ten, by name: to compare them in turn is faster than to hash one.
type Instruments = Vec<(&'static str, Made)>;

enum Made {
    Real(Histogram<f64>),
    Whole(Histogram<u64>),
    Counter(Counter<u64>),
}

/// One series: an instrument that was told its attributes once, which saves finding them for each value.
enum Bound {
    Real(BoundHistogram<f64>),
    Whole(BoundHistogram<u64>),
    Counter(BoundCounter<u64>),
}

/// What a sink has bound for some labels.
#[derive(Default)]
pub(in crate::metrics) struct Bindings {
    of: OnceLock<Arc<Instruments>>,
    series: Series<Option<Bound>>,
}

impl OpenTelemetry {
    /// Makes the instruments at the meter provider that is set; set it first.
    #[must_use]
    pub fn new() -> Self {
        let meter = global::meter("claude-sdk");
        let made = INSTRUMENTS.iter().map(|instrument| (instrument.name, make(&meter, instrument)));
        Self { instruments: Arc::new(made.collect()) }
    }

    /// What was bound for the labels, if by this sink: another of the same client may have been first.
    fn bindings<'a>(&self, labels: &'a Labels) -> Option<&'a Series<Option<Bound>>> {
        let Bindings { of, series } = labels.prepared.bindings();
        let of = of.get_or_init(|| Arc::clone(&self.instruments));
        Arc::ptr_eq(of, &self.instruments).then_some(series)
    }

    fn bind(&self, labels: Option<&Labels>, series: Of) -> Option<Bound> {
        let (instrument, extra) = series.name();
        let (_, made) = self.instruments.iter().find(|(name, _)| *name == instrument.name)?;
        Some(made.bind(&attributes(labels, extra)))
    }
}

impl Default for OpenTelemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics for OpenTelemetry {
    fn record(&self, measurement: &Measurement<'_>) {
        let labels = measurement.labels();
        let bindings = labels.and_then(|labels| self.bindings(labels));
        points(measurement, &mut |series, value| {
            let bind = || self.bind(labels, series);
            let record = |bound: &Option<Bound>| {
                if let Some(bound) = bound {
                    bound.record(value);
                }
            };
            match bindings {
                Some(bindings) => bindings.of(series, bind, record),
                None => record(&bind()),
            }
        });
    }
}

impl Made {
    fn bind(&self, attributes: &[KeyValue]) -> Bound {
        match self {
            Self::Real(histogram) => Bound::Real(histogram.bind(attributes)),
            Self::Whole(histogram) => Bound::Whole(histogram.bind(attributes)),
            Self::Counter(counter) => Bound::Counter(counter.bind(attributes)),
        }
    }
}

impl Bound {
    fn record(&self, value: Value) {
        match (self, value) {
            (Self::Real(histogram), Value::Observed(value)) => histogram.record(value),
            (Self::Whole(histogram), Value::Counted(count)) => histogram.record(count),
            (Self::Counter(counter), Value::Added(count)) => counter.add(count),
            _ => debug_assert!(false, "the instrument is of another kind"),
        }
    }
}

impl fmt::Debug for OpenTelemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTelemetry").finish_non_exhaustive()
    }
}

fn make(meter: &Meter, instrument: &Instrument) -> Made {
    let &Instrument { name, unit, description, buckets } = instrument;
    match (buckets, unit) {
        ([], _) => {
            Made::Counter(meter.u64_counter(name).with_unit(unit).with_description(description).build())
        }
        (_, "{token}") => {
            let histogram = meter.u64_histogram(name).with_unit(unit).with_description(description);
            Made::Whole(histogram.with_boundaries(buckets.to_vec()).build())
        }
        _ => {
            let histogram = meter.f64_histogram(name).with_unit(unit).with_description(description);
            Made::Real(histogram.with_boundaries(buckets.to_vec()).build())
        }
    }
}

fn attributes(labels: Option<&Labels>, extra: Option<(&'static str, &'static str)>) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(6);
    attributes.push(KeyValue::new("gen_ai.provider.name", PROVIDER));
    if let Some(labels) = labels {
        attributes.push(KeyValue::new("gen_ai.operation.name", labels.operation));
        let model =
            labels.model.as_ref().map(|model| KeyValue::new("gen_ai.request.model", Arc::clone(model)));
        let address =
            labels.server_address.as_ref().map(|host| KeyValue::new("server.address", Arc::clone(host)));
        let port = labels.server_port.map(|port| KeyValue::new("server.port", i64::from(port)));
        attributes.extend(model.into_iter().chain(address).chain(port));
    }
    attributes.extend(extra.map(|(name, value)| KeyValue::new(name, value)));
    attributes
}
