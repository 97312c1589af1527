//! What metrics cost: `cargo bench -p claude-sdk --all-features --bench metrics`.
//!
//! Calls over TCP to a server in a process of its own, as servers are, and on a processor of its own where there are two;
//! what is counted is the processor time of the thread that calls. The contenders take turns, and each turn is compared with
//! the one of the client without metrics beside it. Where things lie in memory differs from process to process, and makes as much of a
//! difference as what is measured: so it is done in several. Goal: at most 2 % more.
//!
//! Where a backend answers at once the same is seen without a network's noise, in nanoseconds.
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
        path::Path,
        process::{Child, Command, Stdio},
        thread::available_parallelism,
        time::Duration,
    };

    use async_trait::async_trait;
    use bytes::Bytes;
    use claude_sdk::{
        Client, ClientBuilder,
        metrics::{INSTRUMENTS, Measurement, Metrics, sinks},
        transport::{
            Body, Clock as _, Error, HttpBackend, Request, Response, SystemClock, backends::Reqwest,
        },
        types::{MessageRequest, Model},
    };
    use http::{HeaderValue, header::CONTENT_TYPE};
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
    use mock_server::MockServer;
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
    use rustix::time::{ClockId, clock_gettime};

    /// How often it is all done anew, in a process of its own: rounds of one process say the same again and again.
    const PROCESSES: usize = 24;
    /// In each of them; by as many as there are contenders, each has had every place in the order.
    const ROUNDS: usize = 10 * NAMES.len();
    const WARM: u32 = 10;
    const CALLS: u32 = 100;
    const GOAL: f64 = 2.0;
    const SERVE: &str = "serve";
    const MEASURE: &str = "measure";
    const APART: &str = "apart";
    const TASKSET: &str = "/usr/bin/taskset";
    const CLEAR: &str = "in the clear";
    const TLS: &str = "over TLS";
    const AT_ONCE: &str = "answered at once";
    const NAMES: [&str; 5] = ["off", "off again", "the seam alone", "Recorder", "OpenTelemetry"];
    /// Nothing is exported while it is measured.
    const HOUR: Duration = Duration::from_secs(3600);

    /// What each call of a round took, in microseconds, in the order of [`NAMES`].
    type Round = [f64; NAMES.len()];

    pub(super) fn main() {
        let arguments: Vec<_> = std::env::args().collect();
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [_, SERVE, way] => serve(way),
            [_, MEASURE, way, apart, seed] => measure(way, apart == APART, seed.parse().unwrap()),
            _ => [CLEAR, TLS, AT_ONCE].into_iter().for_each(compare),
        }
    }

    fn compare(way: &str) {
        let processes: Vec<Vec<Round>> = (0..PROCESSES).map(|seed| measured_apart(way, seed)).collect();
        let all = || processes.iter().flatten();
        let rounds = PROCESSES * ROUNDS;
        let off = median(all().map(|took| took[0]).collect());
        println!(
            "a call without metrics, {way}: {off:.1} µs of processor time (median of {rounds} x {CALLS})"
        );
        for (index, name) in NAMES.iter().enumerate().skip(1) {
            let time = median(all().map(|took| (took[index] - took[0]) * 1000.0).collect());
            let more = |took: &Round| (took[index] / took[0] - 1.0) * 100.0;
            let of_each = processes.iter().map(|rounds| median(rounds.iter().map(more).collect()));
            let (least, most) =
                of_each.fold((f64::MAX, f64::MIN), |(least, most), one| (least.min(one), most.max(one)));
            let more = median(all().map(more).collect());
            println!("{name:>15}: {time:+.0} ns, {more:+.2} % ({least:+.2} to {most:+.2} by process)");
        }
        if way != AT_ONCE {
            println!("goal: at most {GOAL} %");
        }
    }

    /// All rounds of a new process.
    fn measured_apart(way: &str, seed: usize) -> Vec<Round> {
        let is_apart = available_parallelism().unwrap().get() > 1 && Path::new(TASKSET).exists();
        let apart = if is_apart { APART } else { "" };
        let mut command = this_program(is_apart.then_some("0"), &[MEASURE, way, apart, &seed.to_string()]);
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{}", output.status);
        let read = |line: &str| -> Vec<f64> { line.split(' ').map(|took| took.parse().unwrap()).collect() };
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| read(line).try_into().unwrap()).collect()
    }

    fn measure(way: &str, is_apart: bool, seed: u64) {
        let prometheus = prometheus();
        let exporter = PeriodicReader::builder(InMemoryMetricExporter::default()).with_interval(HOUR).build();
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        opentelemetry::global::set_meter_provider(provider);
        let server = (way != AT_ONCE).then(|| Server::start(way, is_apart));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = |with: &dyn Fn(ClientBuilder) -> ClientBuilder| {
            let builder = Client::builder();
            let builder = match &server {
                Some(server) => server.called_by(builder),
                None => builder.api_key("sk-ant-api03-benchmark").backend(AtOnce),
            };
            with(builder).build().unwrap()
        };
        let build: [&dyn Fn() -> Client; NAMES.len()] = [
            &|| client(&|builder| builder),
            // What it differs by from itself is what the others' figures may be off by.
            &|| client(&|builder| builder),
            &|| client(&|builder| builder.metrics(Nothing)),
            &|| client(&|builder| builder.metrics(sinks::Recorder::new())),
            &|| client(&|builder| builder.metrics(sinks::OpenTelemetry::new())),
        ];
        let mut random = fastrand::Rng::with_seed(seed);
        let mut built: [usize; NAMES.len()] = std::array::from_fn(|contender| contender);
        let mut called = built;
        // The first round warms up.
        for round in 0..=ROUNDS {
            // The order moves the figures by more than what is measured, so each comes everywhere as often.
            for order in [&mut built, &mut called] {
                order.rotate_left(1);
                if round % NAMES.len() == 1 {
                    random.shuffle(order);
                }
            }
            // New clients each time.
            let mut clients = built.map(|contender| (contender, build[contender]()));
            clients.sort_by_key(|(contender, _)| *contender);
            let mut took = [0.0; NAMES.len()];
            for contender in called {
                let (_, client) = &clients[contender];
                runtime.block_on(calls(client, WARM));
                took[contender] = runtime.block_on(calls(client, CALLS));
            }
            prometheus.run_upkeep();
            if round > 0 {
                println!("{}", took.map(|took| took.to_string()).join(" "));
            }
        }
    }

    /// This program again, on that processor.
    fn this_program(processor: Option<&str>, arguments: &[&str]) -> Command {
        let program = std::env::current_exe().unwrap();
        let mut command = match processor {
            Some(processor) => {
                let mut command = Command::new(TASKSET);
                command.args(["--cpu-list", processor]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(arguments);
        command
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

    /// [`serve`] in a process of its own.
    struct Server {
        process: Child,
        base_url: String,
        api_key: String,
        /// Of the authority that vouches for it; empty in the clear.
        certificate: String,
    }

    impl Server {
        fn start(way: &str, is_apart: bool) -> Self {
            let mut process =
                this_program(is_apart.then_some("1"), &[SERVE, way]).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
            let (base_url, api_key) = (lines.next().unwrap(), lines.next().unwrap());
            let certificate = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
            Self { process, base_url, api_key, certificate }
        }

        fn called_by(&self, builder: ClientBuilder) -> ClientBuilder {
            let backend = Reqwest::builder().no_proxy();
            let backend = match &*self.certificate {
                "" => backend,
                certificate => backend.root_certificates(certificate.to_owned()),
            };
            builder.base_url(&self.base_url).api_key(&*self.api_key).backend(backend.build().unwrap())
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

    const ANSWER: &str = r#"{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[{"type":"text","text":"Hello! How can I help you today?"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":10}}"#;

    #[derive(Debug)]
    struct AtOnce;

    #[async_trait]
    impl HttpBackend for AtOnce {
        async fn send(&self, request: Request) -> Result<Response, Error> {
            drop(request);
            let mut response = Response::new(Body::from(Bytes::from_static(ANSWER.as_bytes())));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            Ok(response)
        }
    }

    #[derive(Debug)]
    struct Nothing;

    impl Metrics for Nothing {
        fn record(&self, measurement: &Measurement<'_>) {
            std::hint::black_box(measurement);
        }
    }
}
