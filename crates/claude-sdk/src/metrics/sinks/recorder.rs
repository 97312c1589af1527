use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use ::metrics::{Counter, Histogram, Key, Label, Level, Metadata, Unit, with_recorder};

use crate::metrics::{
    INSTRUMENTS, Instrument, Labels, Measurement, Metrics,
    points::{Of, PROVIDER, Value, points},
    series::Series,
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
        with_recorder(|recorder| record(recorder, measurement));
    }
}

fn record(recorder: &dyn ::metrics::Recorder, measurement: &Measurement<'_>) {
    let labels = measurement.labels();
    let register = |series: Of, value| registered(recorder, &key(labels, series), value);
    let leads = labels.and_then(|Labels { prepared, .. }| {
        prepared.leads().of(At { second: prepared.second(), recorder: address(recorder) })
    });
    points(measurement, &mut |series, value| match &leads {
        Some(leads) => leads.1.of(series, || register(series, value), |lead| lead.record(value)),
        None => register(series, value).record(value),
    });
}

/// Where the series of some labels lead.
///
/// To find that costs more than to record a value, but it does not stay true: a recorder may come late, and an exporter
/// may forget a series that was idle. So it is asked for once a second.
#[derive(Default)]
pub(in crate::metrics) struct Leads(RwLock<(At, Series<Registered>)>);

type Held<'a> = RwLockReadGuard<'a, (At, Series<Registered>)>;

/// When and from whom something was got.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct At {
    second: u64,
    recorder: usize,
}

enum Registered {
    Histogram(Histogram),
    Counter(Counter),
}

impl Leads {
    /// What was got then and there; not where somebody else asks at another time.
    fn of(&self, at: At) -> Option<Held<'_>> {
        let leads = self.read();
        if leads.0 == at { Some(leads) } else { self.anew(leads, at) }
    }

    #[cold]
    fn anew<'a>(&'a self, old: Held<'a>, at: At) -> Option<Held<'a>> {
        drop(old);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (at, Series::default());
        Some(self.read()).filter(|leads| leads.0 == at)
    }

    fn read(&self) -> Held<'_> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn registered(recorder: &dyn ::metrics::Recorder, key: &Key, value: Value) -> Registered {
    match value {
        Value::Observed(_) | Value::Counted(_) => {
            Registered::Histogram(recorder.register_histogram(key, &METADATA))
        }
        Value::Added(_) => Registered::Counter(recorder.register_counter(key, &METADATA)),
    }
}

impl Registered {
    fn record(&self, value: Value) {
        match (self, value) {
            (Self::Histogram(histogram), Value::Observed(value)) => histogram.record(value),
            (Self::Histogram(histogram), Value::Counted(count)) => histogram.record(real(count)),
            (Self::Counter(counter), Value::Added(count)) => counter.increment(count),
            _ => debug_assert!(false, "the instrument is of another kind"),
        }
    }
}

fn address(recorder: &dyn ::metrics::Recorder) -> usize {
    std::ptr::from_ref(recorder).cast::<()>().addr()
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

fn key(labels: Option<&Labels>, series: Of) -> Key {
    let (instrument, extra) = series.name();
    let mut all = vec![Label::from_static_parts("gen_ai.provider.name", PROVIDER)];
    if let Some(of) = labels {
        all.push(Label::from_static_parts("gen_ai.operation.name", of.operation));
        let model = of.model.as_ref().map(|model| Label::new("gen_ai.request.model", Arc::clone(model)));
        let address = of.server_address.as_ref().map(|host| Label::new("server.address", Arc::clone(host)));
        let port = of.server_port.map(|port| Label::new("server.port", port.to_string()));
        all.extend(model.into_iter().chain(address).chain(port));
    }
    all.extend(extra.map(|(name, value)| Label::from_static_parts(name, value)));
    Key::from_parts(instrument.name, all)
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
