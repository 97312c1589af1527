//! `crowd BACKEND URL KEY WORK COUNT AT_ONCE SPARE`: many calls or streams at once, as a process that a test can starve.
//!
//! At most `AT_ONCE` are let through by a limiter, if it is not 0. The process may use `SPARE` MiB more memory than it has
//! when it begins, if that is not 0. It prints what came of it as JSON.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use claude_sdk::ratelimit::{Limits, TokioTimer, limiters::Local};
use claude_sdk::transport::{
    Clock as _, SystemClock,
    backends::{Hyper, Reqwest},
};
use claude_sdk::types::{MessageRequest, Model};
use claude_sdk::{Client, Error};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [backend, url, key, work, count, at_once, spare] = arguments.as_slice() else {
        bail!("usage: crowd BACKEND URL KEY WORK COUNT AT_ONCE SPARE");
    };
    let before = descriptors()?;
    let builder = Client::builder().base_url(url).api_key(key.as_str());
    let builder = match backend.as_str() {
        "reqwest" => builder.backend(Reqwest::builder().no_proxy().build()?),
        "hyper" => builder.backend(Hyper::builder().no_proxy().build()?),
        _ => bail!("there is no backend {backend}"),
    };
    let builder = match at_once.parse()? {
        0 => builder,
        most => builder
            .rate_limiter(
                Local::limited_to(Limits::default().with_concurrency(most)).build(TokioTimer::new()),
            )
            .rate_limiter_max_wait(Duration::from_secs(600)),
    };
    let builder = if work == "calls made once" { builder.max_retries(0) } else { builder };
    let client = builder.build()?;
    starve(spare.parse()?)?;

    let count: usize = count.parse()?;
    let came = match work.as_str() {
        "calls" | "calls made once" => all(count, || call(client.clone())).await?,
        "streams" => all(count, || stream(client.clone())).await?,
        "hoarded streams" => all(count, || hoard(client.clone())).await?,
        _ => bail!("there is no work {work}"),
    };
    let one_more = client.messages().create(&hello()).await.map_err(|error| error.to_string());
    drop(client);
    // The connections are closed by tasks that have to come to it.
    while descriptors().map_or(true, |now| now > before) {
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
    println!("{}", json!({"came": came, "one_more": one_more.is_ok(), "why_not": one_more.err()}));
    Ok(())
}

/// Does all of it at once, and counts how many ended how: `done`, or with which error.
async fn all<F>(count: usize, work: impl Fn() -> F) -> Result<BTreeMap<String, usize>>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let mut tasks: JoinSet<_> = (0..count).map(|_| work()).collect();
    let mut came = BTreeMap::new();
    while let Some(ended) = tasks.join_next().await {
        let what = ended?.map_or_else(|error| error.to_string(), |()| "done".to_owned());
        *came.entry(what).or_default() += 1;
    }
    Ok(came)
}

async fn call(client: Client) -> Result<(), Error> {
    client.messages().create(&hello()).await.map(|_| ())
}

/// Reads slower than the events come: all other streams have their turn before the next event.
async fn stream(client: Client) -> Result<(), Error> {
    let mut stream = client.messages().stream(&hello()).await?;
    while let Some(event) = stream.next().await {
        event?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Keeps what it reads, and lets nobody have it.
async fn hoard(client: Client) -> Result<(), Error> {
    Box::leak(Box::new(client.messages().stream(&hello()).await?.final_message().await?));
    Ok(())
}

fn hello() -> MessageRequest {
    MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("hello there")
}

fn descriptors() -> Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// Leaves this process `spare` MiB more address space than it has.
fn starve(spare: u64) -> Result<()> {
    if spare == 0 {
        return Ok(());
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()).context("no VmSize")?.parse()?;
    let limit = Rlimit { current: Some((kib + spare * 1024) * 1024), ..getrlimit(Resource::As) };
    setrlimit(Resource::As, limit).context("cannot set the limit of memory")
}
