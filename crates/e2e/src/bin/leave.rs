//! `leave BACKEND URL KEY CYCLES`: calls that are begun and dropped, one after the other, and what is left of them (G44).
//!
//! The first tenth comes before anything is counted: by then everything is there that a client keeps. It prints descriptors and
//! memory before and after the rest as JSON. Nobody hears its logs, which would take longer than the calls.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use claude_sdk::transport::{
    Clock as _, SystemClock,
    backends::{Hyper, Reqwest},
};
use claude_sdk::types::{MessageRequest, Model};
use claude_sdk::{Client, RequestOptions};
use futures_util::future::poll_immediate;
use serde_json::{Value, json};

/// What happens to a call that is dropped before its end.
const FAULTS: [&str; 3] = ["stall request", "stall event 3", "delay 0"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [backend, url, key, cycles] = arguments.as_slice() else {
        bail!("usage: leave BACKEND URL KEY CYCLES");
    };
    let builder = Client::builder().base_url(url).api_key(key.as_str());
    let builder = match backend.as_str() {
        "reqwest" => builder.backend(Reqwest::builder().no_proxy().build()?),
        "hyper" => builder.backend(Hyper::builder().no_proxy().build()?),
        _ => bail!("there is no backend {backend}"),
    };
    let client = builder.build()?;
    let cycles: usize = cycles.parse()?;
    let clients =
        FAULTS.map(|fault| client.with_options(RequestOptions::new().header("x-mock-fault", fault)));
    let [before_head, in_body, whole] = clients;
    let clients = [before_head?, in_body?, whole?];

    leave(&clients, cycles / 10).await?;
    let before = footprint(&client, None).await?;
    leave(&clients, cycles).await?;
    let after = footprint(&client, before.get("files").and_then(Value::as_u64)).await?;
    println!("{}", json!({"cycles": cycles, "before": before, "after": after}));
    Ok(())
}

/// Begins so many calls and drops each: after a few polls, or after a few events.
async fn leave(clients: &[Client; 3], cycles: usize) -> Result<()> {
    for number in 0..cycles {
        let client = clients.get(number % 3).context("three clients")?;
        let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("hello there");
        let reads = number % 6 >= 3 && number % 3 > 0;
        let mut call = Box::pin(async {
            let mut stream = client.messages().stream(&request).await?;
            for _ in 0..number % 4 {
                stream.next().await.transpose()?;
            }
            // Whoever reads has enough here; the others are dropped as they wait.
            if !reads {
                stream.next().await.transpose()?;
                std::future::pending::<()>().await;
            }
            anyhow::Ok(())
        });
        if reads {
            call.await?;
            continue;
        }
        for _ in 0..number % 16 {
            if let Some(outcome) = poll_immediate(&mut call).await {
                outcome?;
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// What this process has, after one whole call, so that there is a connection; waits a while for no more files than `wanted`.
async fn footprint(client: &Client, wanted: Option<u64>) -> Result<Value> {
    let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("hello there");
    client.messages().create(&request).await?;
    let mut files = descriptors()?;
    let mut least = files;
    // Connections are closed by tasks that have to come to it.
    for _ in 0..100 {
        if wanted.is_some_and(|wanted| files <= wanted) {
            break;
        }
        SystemClock.sleep(Duration::from_millis(20)).await;
        files = descriptors()?;
        least = least.min(files);
    }
    Ok(json!({"files": least, "kib": resident()?}))
}

fn descriptors() -> Result<u64> {
    Ok(fs::read_dir("/proc/self/fd")?.count().try_into()?)
}

/// The memory that this process has (proc(5), `VmRSS`).
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?.parse()?)
}
