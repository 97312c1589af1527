//! What comes through a rate limit when more is asked than it allows.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bench_probe::{KEY, Limited, Report, Task, Work};
use mock_server::MockServer;
use tokio::runtime::Runtime;

use super::{Benchmark, number};
use crate::figure::Figure;
use crate::stand::{Contender, OURS, PYTHON, Stand, TYPESCRIPT};
use crate::{chart, page};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "goodput",
    about: "What comes through when more is asked than the limits allow: the mock server lets in 600 requests a minute, 20 \
        at once, and tells so as the service does (429, `retry-after`, `anthropic-ratelimit-*`). Calls come evenly for 25 \
        seconds, 1, 2, 5 and 10 times as many as the limit gains; *used* is how many the server \
        answered in that time, as a share of what the limit allows. Then 400 calls by 64 callers. Every client with the retries it makes by itself; ours with \
        a limiter, of which each process is told its share of the limit, no more than 19 at once in all.",
    run,
    only_by_name: false,
    table: page::one_case_a_row,
    chart: Some(chart::goodput),
};

/// The server's limit.
const PER_MINUTE: u32 = 600;
const BURST: u32 = 20;
/// What our processes together take of the burst: the first request takes longest to arrive, and the server's bucket gains
/// nothing until it does.
const OUR_BURST: u64 = 19;

/// So many calls and so many callers, all processes together.
const BATCH: (usize, usize) = (400, 64);
/// How many times what the limit gains is asked for.
const LOADS: [usize; 4] = [1, 2, 5, 10];
const OVER: Duration = Duration::from_secs(25);

fn run(stand: &Stand) -> Result<Vec<Figure>> {
    let over = if stand.is_quick() { OVER / 50 } else { OVER };
    let mut figures = Vec::new();
    for processes in [1, 8] {
        let name = if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") };
        for load in LOADS {
            for contender in stand.present(&[&OURS, &PYTHON, &TYPESCRIPT]) {
                let case = format!("{load}×, {name}");
                figures.extend(offered(stand, contender, &case, processes, load, over)?);
            }
        }
        for contender in stand.present(&[&OURS, &PYTHON, &TYPESCRIPT]) {
            figures.extend(batch(stand, contender, &name, processes)?);
        }
    }
    Ok(figures)
}

/// Calls come evenly, some times as many as the limit gains.
fn offered(
    stand: &Stand,
    contender: &'static Contender,
    case: &str,
    processes: usize,
    load: usize,
    over: Duration,
) -> Result<Vec<Figure>> {
    let gained = f64::from(PER_MINUTE) * over.as_secs_f64() / 60.0;
    let stretches_a_minute = 60_000 / usize::try_from(over.as_millis())?;
    let calls = (PER_MINUTE as usize * load).div_ceil(stretches_a_minute).next_multiple_of(processes);
    let allowed = (gained + f64::from(BURST)).min(number(calls));
    let counted = count(stand, contender, case, processes, (calls, 0), over)?;
    Ok(vec![
        figure(case, "used", contender, "%", counted.in_time / allowed * 100.0),
        figure(case, "429s", contender, "% of requests", counted.refused / counted.requests * 100.0),
    ])
}

/// A fixed number of calls by a fixed number of callers.
fn batch(stand: &Stand, contender: &'static Contender, name: &str, processes: usize) -> Result<Vec<Figure>> {
    let (calls, callers) = BATCH;
    let case = format!("{calls} calls, {name}");
    let calls = if stand.is_quick() { 24 } else { calls };
    let counted = count(stand, contender, &case, processes, (calls, callers), Duration::ZERO)?;
    Ok(vec![
        figure(&case, "answered", contender, "%", counted.done / number(calls) * 100.0),
        figure(&case, "429s", contender, "429s", counted.refused),
        figure(&case, "time", contender, "s", counted.seconds),
    ])
}

/// What the server and the processes counted.
struct Counted {
    /// Calls that came to a good end.
    done: f64,
    /// Of those that the server answered, the ones within the time after the first.
    in_time: f64,
    requests: f64,
    refused: f64,
    seconds: f64,
}

/// Has processes share the calls and the callers, at a server of their own.
fn count(
    stand: &Stand,
    contender: &'static Contender,
    case: &str,
    processes: usize,
    (calls, callers): (usize, usize),
    over: Duration,
) -> Result<Counted> {
    stand.say(&format!("goodput: {case}, {}", contender.name));
    let service = Service::start()?;
    let (divided, among) = (processes as u64, processes);
    let task = Task {
        work: Work::Limited(Limited {
            over_ms: u64::try_from(over.as_millis())?,
            requests_per_minute: u64::from(PER_MINUTE) / divided,
            burst: OUR_BURST / divided,
        }),
        url: service.server.base_url().as_str().trim_end_matches('/').to_owned(),
        count: calls / among,
        warm_up: 0,
        in_flight: callers / among,
        input: String::new(),
        chunk: 0,
    };
    let reports = stand.at_once(contender, &vec![task; processes])?;
    let journal = service.server.journal();
    let end = journal.iter().map(|entry| entry.at).min().unwrap_or_default() + over;
    let all_of = |status: u16| journal.iter().filter(move |entry| entry.status == status);
    let longest = reports.iter().map(|report| report.wall_ns).max().context("no process")?;
    Ok(Counted {
        done: number(reports.iter().map(|Report { done, .. }| done).sum::<u64>()),
        in_time: number(all_of(200).filter(|entry| entry.at <= end).count()),
        requests: number(journal.len()),
        refused: number(all_of(429).count()),
        seconds: number(longest) / 1e9,
    })
}

fn figure(case: &str, what: &str, contender: &Contender, unit: &'static str, value: f64) -> Figure {
    let (case, contender) = (format!("{case}: {what}"), contender.name.to_owned());
    Figure { case, contender, unit, samples: vec![value] }
}

/// A server that enforces the limits, on threads of this process.
struct Service {
    server: MockServer,
    _runtime: Runtime,
}

impl Service {
    fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let server = MockServer::builder().api_key(KEY).requests_per_minute(PER_MINUTE).request_burst(BURST);
        let server = runtime.block_on(server.start())?;
        Ok(Self { server, _runtime: runtime })
    }
}
