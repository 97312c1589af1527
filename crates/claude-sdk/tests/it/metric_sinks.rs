//! The same calls, as the recorder of the crate `metrics` hears of them and as OpenTelemetry does.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use ::metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use claude_sdk::{
    Client, auth_core,
    credentials::{Cached, CredentialProvider},
    metrics::{INSTRUMENTS, Measurement, Metrics, sinks},
    transport::SimClock,
};
use http::StatusCode;
use mock_server::{MockServer, Reply};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, SdkMeterProvider,
    data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics},
};

use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::{
    metrics::{BLOCK, END, HEAD, Notes, Once, Queue, START, asked},
    rig::{HOUR, Waits, backend, client, held, hello, t0, until},
};

/// How often something came, and what it came to in all; a counter has counted both.
type Heard = BTreeMap<String, (u64, f64)>;

/// A call that is refused with a 429 once, one that is refused for good, and a stream.
async fn calls(metrics: Arc<dyn Metrics>) -> (MockServer, Waits) {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.metrics(metrics).build().unwrap();
    let refusal = |status, kind| Reply::error(StatusCode::from_u16(status).unwrap(), kind, "planted");
    server.set_script([
        refusal(429, "rate_limit_error"),
        Reply::text("one two"),
        refusal(400, "sk-ant-made-up"),
    ]);
    client.messages().create(&hello()).await.unwrap();
    client.messages().create(&hello()).await.unwrap_err();
    client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    (server, waits)
}

/// Passes on to a sink, and to notes that tell how far a call is.
#[derive(Debug)]
struct Both(Arc<dyn Metrics>, Notes);

impl Metrics for Both {
    fn record(&self, measurement: &Measurement<'_>) {
        self.0.record(measurement);
        self.1.record(measurement);
    }
}

/// A stream of 30 tokens in two seconds, which waits two seconds for its permit and has read the cache; it gets a first
/// credential, and afterwards there is none. Tells the port.
async fn slow_stream(metrics: Arc<dyn Metrics>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (notes, clock) = (Notes::default(), SimClock::new(t0()));
    let source = Cached::new_with(Once::default(), clock.clone(), auth_core::Policy::default());
    let client = Client::builder()
        .base_url(format!("http://127.0.0.1:{port}"))
        .credentials(source.clone())
        .backend(backend())
        .clock(clock.clone())
        .rate_limiter(Queue(clock.clone(), Mutex::new(1)))
        .metrics(Both(metrics, notes.clone()))
        .build()
        .unwrap();
    let call = tokio::spawn(async move {
        let stream = client.messages().stream(&hello()).await.unwrap();
        stream.final_message().await.unwrap()
    });
    until(|| clock.sleepers() == 1).await;
    clock.advance(Duration::from_secs(2));
    let mut socket = asked(&listener).await;
    clock.advance(Duration::from_millis(250));
    socket.write_all(format!("{HEAD}{START}{BLOCK}").as_bytes()).await.unwrap();
    // The wait, the credential, the head and the first content.
    until(|| notes.count() == 4).await;
    clock.advance(Duration::from_secs(2));
    socket.write_all(END.as_bytes()).await.unwrap();
    call.await.unwrap();
    clock.advance(HOUR);
    source.credential().await.unwrap_err();
    port
}

fn expected(server: &MockServer, waited: Duration, stream: u16) -> Heard {
    let port = server.base_url().port().unwrap();
    let of = |port: u16, name: &str, extra: &str| {
        let mut labels = vec![
            "gen_ai.operation.name=chat".to_owned(),
            "gen_ai.provider.name=anthropic".to_owned(),
            "gen_ai.request.model=claude-haiku-4-5".to_owned(),
            "server.address=127.0.0.1".to_owned(),
            format!("server.port={port}"),
        ];
        labels.extend((!extra.is_empty()).then(|| extra.to_owned()));
        labels.sort();
        format!("{name} {}", labels.join(" "))
    };
    let named = |name: &str, extra: &str| of(port, name, extra);
    let slow = |name: &str, extra: &str| of(stream, name, extra);
    let refreshes = "claude.client.token.refreshes";
    [
        (named("gen_ai.client.operation.duration", ""), (2, waited.as_secs_f64())),
        (named("gen_ai.client.operation.duration", "error.type=other"), (1, 0.0)),
        (named("gen_ai.client.operation.time_to_first_chunk", ""), (1, 0.0)),
        (named("gen_ai.client.token.usage", "gen_ai.token.type=input"), (2, 12.0)),
        (named("gen_ai.client.token.usage", "gen_ai.token.type=output"), (2, 6.0)),
        (named("claude.client.time_to_headers", ""), (2, 0.0)),
        (named("claude.client.time_to_headers", "error.type=other"), (1, 0.0)),
        (named("claude.client.time_to_headers", "error.type=rate_limit_error"), (1, 0.0)),
        (named("claude.client.rate_limited", ""), (1, 1.0)),
        (named("claude.client.retries", "claude.retry.reason=rate_limit_error"), (1, 1.0)),
        (slow("gen_ai.client.operation.duration", ""), (1, 4.25)),
        (slow("gen_ai.client.operation.time_to_first_chunk", ""), (1, 2.25)),
        (slow("gen_ai.client.token.usage", "gen_ai.token.type=input"), (1, 109.0)),
        (slow("gen_ai.client.token.usage", "gen_ai.token.type=output"), (1, 30.0)),
        (slow("claude.client.time_to_headers", ""), (1, 0.25)),
        (slow("claude.client.output.speed", ""), (1, 15.0)),
        (slow("claude.client.limiter.wait", ""), (1, 2.0)),
        (slow("claude.client.cache.tokens", "claude.cache.access=read"), (100, 100.0)),
        (format!("{refreshes} gen_ai.provider.name=anthropic"), (1, 1.0)),
        (format!("{refreshes} error.type=failed gen_ai.provider.name=anthropic"), (1, 1.0)),
    ]
    .into()
}

/// What was heard, and how often it was asked for a line.
#[derive(Debug, Clone, Default)]
struct Ledger(Arc<Mutex<Heard>>, Arc<AtomicUsize>);

impl Ledger {
    fn handle(&self, key: &Key) -> Arc<Line> {
        self.1.fetch_add(1, Relaxed);
        let mut labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        Arc::new(Line(self.clone(), format!("{} {}", key.name(), labels.join(" "))))
    }
}

struct Line(Ledger, String);

impl Line {
    fn add(&self, count: u64, value: f64) {
        let mut heard = self.0.0.lock().unwrap();
        let line = heard.entry(self.1.clone()).or_default();
        *line = (line.0 + count, line.1 + value);
    }
}

impl CounterFn for Line {
    fn increment(&self, value: u64) {
        self.add(value, value as f64);
    }
    fn absolute(&self, _: u64) {
        panic!("nothing is counted like that")
    }
}

impl HistogramFn for Line {
    fn record(&self, value: f64) {
        self.add(1, value);
    }
}

impl Recorder for Ledger {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().insert(format!("counter {}", key.as_str()), (0, 0.0));
    }
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().insert(format!("histogram {}", key.as_str()), (0, 0.0));
    }
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.handle(key))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("there is none")
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.handle(key))
    }
}

#[tokio::test]
async fn the_recorder_hears_of_each_call_under_the_names_of_the_conventions() {
    let ledger = Ledger::default();
    let _installed = set_default_local_recorder(&ledger);
    let sink: Arc<dyn Metrics> = Arc::new(sinks::Recorder::new());
    let described = std::mem::take(&mut *ledger.0.lock().unwrap());
    assert_eq!(described.len(), INSTRUMENTS.len());
    for instrument in INSTRUMENTS {
        let kind = if instrument.buckets.is_empty() { "counter" } else { "histogram" };
        assert!(described.contains_key(&format!("{kind} {}", instrument.name)), "{described:?}");
    }
    let (server, waits) = calls(Arc::clone(&sink)).await;
    let stream = slow_stream(sink).await;
    assert_eq!(*ledger.0.lock().unwrap(), expected(&server, waits.slept().iter().sum(), stream));
}

#[tokio::test]
async fn a_recorder_that_comes_late_hears_at_once_and_is_asked_once_a_second_where_a_series_leads() {
    let server = held().start().await.unwrap();
    let clock = SimClock::new(t0());
    let client = Client::builder()
        .base_url(server.base_url())
        .api_key(server.api_key())
        .backend(backend())
        .clock(clock.clone())
        .metrics(sinks::Recorder::new())
        .build()
        .unwrap();
    let calls = async |count: usize| {
        for _ in 0..count {
            client.messages().create(&hello()).await.unwrap();
        }
    };
    calls(1).await;
    let ledger = Ledger::default();
    let _installed = set_default_local_recorder(&ledger);
    calls(2).await;
    // The duration, the time to headers, the tokens in and out.
    assert_eq!(ledger.1.load(Relaxed), 4);
    clock.advance(Duration::from_secs(1));
    calls(3).await;
    assert_eq!(ledger.1.load(Relaxed), 8);
    let heard = ledger.0.lock().unwrap();
    assert!(heard.len() == 4 && heard.values().all(|(count, _)| *count == 5), "{heard:?}");
}

fn text<'a>(attributes: impl Iterator<Item = &'a KeyValue> + 'a) -> String {
    let mut attributes: Vec<_> = attributes.map(|of| format!("{}={}", of.key, of.value)).collect();
    attributes.sort();
    attributes.join(" ")
}

/// Reads a metric, and looks whether its buckets are ours.
fn read(metric: &Metric, heard: &mut Heard) {
    let instrument = INSTRUMENTS.iter().find(|instrument| instrument.name == metric.name()).unwrap();
    assert_eq!((metric.unit(), metric.description()), (instrument.unit, instrument.description));
    let mut add =
        |labels: String, count, sum| heard.insert(format!("{} {labels}", metric.name()), (count, sum));
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            assert!(sum.is_monotonic());
            for point in sum.data_points() {
                add(text(point.attributes()), point.value(), point.value() as f64);
            }
        }
        AggregatedMetrics::U64(MetricData::Histogram(histogram)) => {
            for point in histogram.data_points() {
                assert!(point.bounds().eq(instrument.buckets.iter().copied()));
                add(text(point.attributes()), point.count(), point.sum() as f64);
            }
        }
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            for point in histogram.data_points() {
                assert!(point.bounds().eq(instrument.buckets.iter().copied()));
                add(text(point.attributes()), point.count(), point.sum());
            }
        }
        other => panic!("{other:?}"),
    }
}

/// A meter provider, which is the global one until the next is made, and what it is told.
fn provider() -> (SdkMeterProvider, InMemoryMetricExporter) {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    global::set_meter_provider(provider.clone());
    (provider, exporter)
}

/// All that was told in the one look that there was.
fn told((provider, exporter): &(SdkMeterProvider, InMemoryMetricExporter)) -> Heard {
    provider.force_flush().unwrap();
    let mut heard = Heard::new();
    for scope in exporter.get_finished_metrics().unwrap().iter().flat_map(ResourceMetrics::scope_metrics) {
        assert_eq!(scope.scope().name(), "claude-sdk");
        for metric in scope.metrics() {
            read(metric, &mut heard);
        }
    }
    heard
}

#[tokio::test]
async fn opentelemetry_hears_the_same_with_buckets_and_units() {
    let provider = provider();
    let sink: Arc<dyn Metrics> = Arc::new(sinks::OpenTelemetry::new());
    let (server, waits) = calls(Arc::clone(&sink)).await;
    let stream = slow_stream(sink).await;
    assert_eq!(told(&provider), expected(&server, waits.slept().iter().sum(), stream));
}

/// Passes on to two sinks.
#[derive(Debug)]
struct Two([sinks::OpenTelemetry; 2]);

impl Metrics for Two {
    fn record(&self, measurement: &Measurement<'_>) {
        self.0.iter().for_each(|sink| sink.record(measurement));
    }
}

/// What a call's labels keep for one of them is not the other's.
#[tokio::test]
async fn two_sinks_of_different_providers_in_one_client_both_hear_all() {
    let (one, its) = (provider(), sinks::OpenTelemetry::new());
    let (other, others) = (provider(), sinks::OpenTelemetry::new());
    let sink: Arc<dyn Metrics> = Arc::new(Two([its, others]));
    let (server, waits) = calls(Arc::clone(&sink)).await;
    let stream = slow_stream(sink).await;
    let expected = expected(&server, waits.slept().iter().sum(), stream);
    assert_eq!((told(&one), told(&other)), (expected.clone(), expected));
}
