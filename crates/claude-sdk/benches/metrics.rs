//! What metrics cost: `cargo bench -p claude-sdk --all-features --bench metrics`.
//!
//! Calls over TCP to a server in a thread of its own; what is counted is the processor time of the thread that calls.
//! The contenders take turns, and each turn is compared with the one of the client without metrics beside it. Goal: at
//! most 2 % more.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() {
    unix::main();
}

#[cfg(unix)]
mod unix {
    use std::{
        collections::HashMap,
        sync::{
            Arc, RwLock,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    use ::metrics::{
        Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString,
        Unit,
    };
    use claude_sdk::{
        Client, ClientBuilder,
        metrics::{Measurement, Metrics, sinks},
        transport::backends::Reqwest,
        types::{MessageRequest, Model},
    };
    use mock_server::MockServer;
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
    use rustix::time::{ClockId, clock_gettime};

    const ROUNDS: usize = 60;
    const CALLS: u32 = 100;
    const GOAL: f64 = 2.0;
    /// Nothing is exported while it is measured.
    const HOUR: Duration = Duration::from_secs(3600);

    pub(super) fn main() {
        let server = server();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        ::metrics::set_global_recorder(Registry::default()).unwrap();
        let exporter = PeriodicReader::builder(InMemoryMetricExporter::default()).with_interval(HOUR).build();
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        opentelemetry::global::set_meter_provider(provider);

        let client = |with: &dyn Fn(ClientBuilder) -> ClientBuilder| {
            let backend = Reqwest::builder().no_proxy().build().unwrap();
            let builder =
                Client::builder().base_url(server.base_url()).api_key(server.api_key()).backend(backend);
            with(builder).build().unwrap()
        };
        let contenders = [
            ("off", client(&|builder| builder)),
            ("the seam alone", client(&|builder| builder.metrics(Nothing))),
            ("Recorder", client(&|builder| builder.metrics(sinks::Recorder::new()))),
            ("OpenTelemetry", client(&|builder| builder.metrics(sinks::OpenTelemetry::new()))),
        ];
        // The first round warms up.
        let mut more = [const { Vec::new() }; 4];
        let mut off = Vec::new();
        for round in 0..=ROUNDS {
            let mut took = [0.0; 4];
            for turn in 0..contenders.len() {
                let turn = (turn + round) % contenders.len();
                took[turn] = runtime.block_on(calls(&contenders[turn].1));
            }
            server.clear_journal();
            if round > 0 {
                off.push(took[0]);
                for (more, took_with) in more.iter_mut().zip(took) {
                    more.push((took_with / took[0] - 1.0) * 100.0);
                }
            }
        }
        println!(
            "a call without metrics: {:.1} µs of processor time (median of {ROUNDS} x {CALLS})",
            median(off)
        );
        for ((name, _), more) in contenders.iter().zip(more).skip(1) {
            println!("{name:>15}: {:+.2} % (goal: at most {GOAL} %)", median(more));
        }
    }

    /// A server that another thread serves.
    fn server() -> MockServer {
        let (give, take) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server =
                    MockServer::builder().requests_per_minute(u32::MAX).input_tokens_per_minute(u32::MAX);
                let server = server.output_tokens_per_minute(u32::MAX).start();
                give.send(server.await.unwrap()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        take.recv().unwrap()
    }

    /// The processor time of one call of many, in microseconds.
    async fn calls(client: &Client) -> f64 {
        let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!");
        let before = thread_time();
        for _ in 0..CALLS {
            client.messages().create(&request).await.unwrap();
        }
        (thread_time() - before) / f64::from(CALLS)
    }

    #[expect(clippy::cast_precision_loss, reason = "a time of this process")]
    fn thread_time() -> f64 {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    #[derive(Debug)]
    struct Nothing;

    impl Metrics for Nothing {
        fn record(&self, measurement: &Measurement<'_>) {
            std::hint::black_box(measurement);
        }
    }

    /// Keeps series as exporters do: by key, in atomic numbers.
    #[derive(Default)]
    struct Registry(RwLock<HashMap<Key, Arc<Series>>>);

    #[derive(Default)]
    struct Series {
        count: AtomicU64,
        sum: AtomicU64,
    }

    impl Registry {
        fn series(&self, key: &Key) -> Arc<Series> {
            if let Some(series) = self.0.read().unwrap().get(key) {
                return Arc::clone(series);
            }
            Arc::clone(self.0.write().unwrap().entry(key.clone()).or_default())
        }
    }

    impl CounterFn for Series {
        fn increment(&self, value: u64) {
            self.sum.fetch_add(value, Ordering::Relaxed);
        }
        fn absolute(&self, value: u64) {
            self.sum.store(value, Ordering::Relaxed);
        }
    }

    impl HistogramFn for Series {
        fn record(&self, value: f64) {
            self.count.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(value.to_bits(), Ordering::Relaxed);
        }
    }

    impl Recorder for Registry {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.series(key))
        }
        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }
        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::from_arc(self.series(key))
        }
    }
}
