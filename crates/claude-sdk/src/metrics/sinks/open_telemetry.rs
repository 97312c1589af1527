use std::{fmt, sync::Arc};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, Meter},
};

use crate::metrics::{
    INSTRUMENTS, Instrument, Measurement, Metrics,
    points::{PROVIDER, Point, Value, points},
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
    /// Ten, by name: to compare them in turn is faster than to hash one.
    instruments: Vec<(&'static str, Made)>,
}

enum Made {
    Real(Histogram<f64>),
    Whole(Histogram<u64>),
    Counter(Counter<u64>),
}

impl OpenTelemetry {
    /// Makes the instruments at the meter provider that is set; set it first.
    #[must_use]
    pub fn new() -> Self {
        let meter = global::meter("claude-sdk");
        let made = INSTRUMENTS.iter().map(|instrument| (instrument.name, make(&meter, instrument)));
        Self { instruments: made.collect() }
    }
}

impl Default for OpenTelemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics for OpenTelemetry {
    fn record(&self, measurement: &Measurement<'_>) {
        points(measurement, |point| {
            let attributes = match point.labels {
                Some(labels) => labels.prepared.of(&point, || attributes(&point)),
                None => Arc::new(attributes(&point)),
            };
            let made = self.instruments.iter().find(|(name, _)| *name == point.instrument.name);
            match (made.map(|(_, made)| made), point.value) {
                (Some(Made::Real(histogram)), Value::Observed(value)) => histogram.record(value, &attributes),
                (Some(Made::Whole(histogram)), Value::Counted(count)) => histogram.record(count, &attributes),
                (Some(Made::Counter(counter)), Value::Added(count)) => counter.add(count, &attributes),
                _ => debug_assert!(false, "{} is of another kind", point.instrument.name),
            }
        });
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

fn attributes(point: &Point<'_>) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(6);
    attributes.push(KeyValue::new("gen_ai.provider.name", PROVIDER));
    if let Some(labels) = point.labels {
        attributes.push(KeyValue::new("gen_ai.operation.name", labels.operation));
        let model =
            labels.model.as_ref().map(|model| KeyValue::new("gen_ai.request.model", Arc::clone(model)));
        let address =
            labels.server_address.as_ref().map(|host| KeyValue::new("server.address", Arc::clone(host)));
        let port = labels.server_port.map(|port| KeyValue::new("server.port", i64::from(port)));
        attributes.extend(model.into_iter().chain(address).chain(port));
    }
    attributes.extend(point.extra.map(|(name, value)| KeyValue::new(name, value)));
    attributes
}
