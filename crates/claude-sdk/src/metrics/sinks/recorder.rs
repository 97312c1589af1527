use std::{fmt, sync::Arc};

use ::metrics::{Key, Label, Level, Metadata, Unit, with_recorder};

use crate::metrics::{
    INSTRUMENTS, Instrument, Measurement, Metrics,
    points::{PROVIDER, Point, Value, points},
};

/// Gives measurements to the recorder of the crate `metrics`, whichever that is at the time.
///
/// An exporter keeps histograms as it likes: give it the buckets of [`INSTRUMENTS`], where it asks for any.
///
/// ```no_run
/// use claude_sdk::{Client, metrics::sinks};
///
/// # fn main() -> Result<(), claude_sdk::Error> {
/// // First the recorder, an exporter for Prometheus for instance; then:
/// let client = Client::builder().api_key("sk-ant-…").metrics(sinks::Recorder::new()).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[non_exhaustive]
pub struct Recorder;

impl Recorder {
    /// Describes the instruments to the recorder that is installed, and makes the sink.
    #[must_use]
    pub fn new() -> Self {
        with_recorder(|recorder| {
            for instrument in INSTRUMENTS {
                let (name, unit) = (instrument.name.into(), unit(instrument));
                let description = instrument.description.into();
                match instrument.buckets {
                    [] => recorder.describe_counter(name, unit, description),
                    _ => recorder.describe_histogram(name, unit, description),
                }
            }
        });
        Self
    }
}

impl Metrics for Recorder {
    fn record(&self, measurement: &Measurement<'_>) {
        points(measurement, |point| {
            // What a key leads to is asked for each time: a recorder may come late, and an exporter may forget a series
            // that was idle.
            let key = match point.labels {
                Some(labels) => labels.prepared.of(&point, || key(&point)),
                None => Arc::new(key(&point)),
            };
            with_recorder(|recorder| match point.value {
                Value::Observed(value) => recorder.register_histogram(&key, &METADATA).record(value),
                Value::Counted(count) => recorder.register_histogram(&key, &METADATA).record(real(count)),
                Value::Added(count) => recorder.register_counter(&key, &METADATA).increment(count),
            });
        });
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

fn key(point: &Point<'_>) -> Key {
    let mut labels = vec![Label::from_static_parts("gen_ai.provider.name", PROVIDER)];
    if let Some(of) = point.labels {
        labels.push(Label::from_static_parts("gen_ai.operation.name", of.operation));
        let model = of.model.as_ref().map(|model| Label::new("gen_ai.request.model", Arc::clone(model)));
        let address = of.server_address.as_ref().map(|host| Label::new("server.address", Arc::clone(host)));
        let port = of.server_port.map(|port| Label::new("server.port", port.to_string()));
        labels.extend(model.into_iter().chain(address).chain(port));
    }
    labels.extend(point.extra.map(|(name, value)| Label::from_static_parts(name, value)));
    Key::from_parts(point.instrument.name, labels)
}

fn unit(instrument: &Instrument) -> Option<Unit> {
    match instrument.unit {
        "s" => Some(Unit::Seconds),
        "{token}/s" => Some(Unit::CountPerSecond),
        _ => Some(Unit::Count),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no message has 2^52 tokens")]
fn real(count: u64) -> f64 {
    count as f64
}

const METADATA: Metadata<'static> = Metadata::new("claude_sdk", Level::INFO, Some(module_path!()));
