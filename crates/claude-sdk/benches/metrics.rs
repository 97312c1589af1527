//! What metrics cost: `cargo bench -p claude-sdk --all-features --bench metrics`.
//!
//! Calls over TCP to a server in a process of its own, as servers are; what is counted is the processor time of the thread
//! that calls. The contenders take turns, and each turn is compared with the one of the client without metrics beside it.
//! Goal: at most 2 % more.
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
        io::{BufRead as _, BufReader},
        process::{Child, Command, Stdio},
        time::Duration,
    };

    use claude_sdk::{
        Client, ClientBuilder,
        metrics::{INSTRUMENTS, Measurement, Metrics, sinks},
        transport::{Clock as _, SystemClock, backends::Reqwest},
        types::{MessageRequest, Model},
    };
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
    use mock_server::MockServer;
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
    use rustix::time::{ClockId, clock_gettime};

    const ROUNDS: usize = 1200;
    const WARM: u32 = 10;
    const CALLS: u32 = 100;
    const GOAL: f64 = 2.0;
    const SERVE: &str = "serve";
    const CLEAR: &str = "in the clear";
    const TLS: &str = "over TLS";
    /// Nothing is exported while it is measured.
    const HOUR: Duration = Duration::from_secs(3600);

    pub(super) fn main() {
        let arguments: Vec<_> = std::env::args().collect();
        if let [_, serve, way] = &*arguments
            && serve == SERVE
        {
            return self::serve(way);
        }
        let prometheus = prometheus();
        let exporter = PeriodicReader::builder(InMemoryMetricExporter::default()).with_interval(HOUR).build();
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        opentelemetry::global::set_meter_provider(provider);
        for way in [CLEAR, TLS] {
            compare(way, &prometheus);
        }
    }

    fn compare(way: &str, prometheus: &PrometheusHandle) {
        let server = Server::start(way);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = |with: &dyn Fn(ClientBuilder) -> ClientBuilder| {
            let backend = Reqwest::builder().no_proxy();
            let backend = match way {
                TLS => backend.root_certificates(server.certificate.clone()),
                _ => backend,
            };
            let backend = backend.build().unwrap();
            let builder =
                Client::builder().base_url(&server.base_url).api_key(&*server.api_key).backend(backend);
            with(builder).build().unwrap()
        };
        let build: [(&str, &dyn Fn() -> Client); 5] = [
            ("off", &|| client(&|builder| builder)),
            // What it differs by from itself is what the others' figures may be off by.
            ("off again", &|| client(&|builder| builder)),
            ("the seam alone", &|| client(&|builder| builder.metrics(Nothing))),
            ("Recorder", &|| client(&|builder| builder.metrics(sinks::Recorder::new()))),
            ("OpenTelemetry", &|| client(&|builder| builder.metrics(sinks::OpenTelemetry::new()))),
        ];
        // The first round warms up.
        let mut more = [const { Vec::new() }; 5];
        let mut off = Vec::new();
        let mut order = fastrand::Rng::with_seed(1);
        for round in 0..=ROUNDS {
            let mut took = [0.0; 5];
            let mut turns = [0, 1, 2, 3, 4];
            order.shuffle(&mut turns);
            // New clients each time, in another order: where their parts lie in memory makes more of a difference than what is
            // measured.
            let mut clients = turns.map(|turn| (turn, build[turn].1()));
            order.shuffle(&mut clients);
            for (turn, client) in &clients {
                runtime.block_on(calls(client, WARM));
                took[*turn] = runtime.block_on(calls(client, CALLS));
            }
            prometheus.run_upkeep();
            if round > 0 {
                off.push(took[0]);
                for (more, took_with) in more.iter_mut().zip(took) {
                    more.push((took_with / took[0] - 1.0) * 100.0);
                }
            }
        }
        println!(
            "a call without metrics, {way}: {:.1} µs of processor time (median of {ROUNDS} x {CALLS})",
            median(off)
        );
        for ((name, _), more) in build.iter().zip(more).skip(1) {
            println!("{name:>15}: {:+.2} % (goal: at most {GOAL} %)", median(more));
        }
    }

    /// The exporter that most programs have, without its port.
    fn prometheus() -> PrometheusHandle {
        let mut builder = PrometheusBuilder::new();
        for instrument in INSTRUMENTS.iter().filter(|instrument| !instrument.buckets.is_empty()) {
            let name = Matcher::Full(instrument.name.to_owned());
            builder = builder.set_buckets_for_metric(name, instrument.buckets).unwrap();
        }
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).unwrap();
        handle
    }

    /// This program again, as a server.
    struct Server {
        process: Child,
        base_url: String,
        api_key: String,
        /// Of the authority that vouches for it; empty in the clear.
        certificate: String,
    }

    impl Server {
        fn start(way: &str) -> Self {
            let program = std::env::current_exe().unwrap();
            let mut process =
                Command::new(program).args([SERVE, way]).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
            let (base_url, api_key) = (lines.next().unwrap(), lines.next().unwrap());
            let certificate = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
            Self { process, base_url, api_key, certificate }
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        }
    }

    fn serve(way: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server =
                MockServer::builder().requests_per_minute(u32::MAX).input_tokens_per_minute(u32::MAX);
            let server = server.output_tokens_per_minute(u32::MAX);
            let server = if way == TLS { server.tls() } else { server }.start().await.unwrap();
            println!("{}\n{}", server.base_url(), server.api_key());
            println!("{}\n", server.authority().unwrap_or_default());
            loop {
                SystemClock.sleep(Duration::from_secs(1)).await;
                server.clear_journal();
            }
        });
    }

    /// The processor time of one call of many, in microseconds.
    async fn calls(client: &Client, count: u32) -> f64 {
        let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!");
        let before = thread_time();
        for _ in 0..count {
            client.messages().create(&request).await.unwrap();
        }
        (thread_time() - before) / f64::from(count)
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
}
