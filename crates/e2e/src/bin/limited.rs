//! `limited URLS direct|leased PROCESSES PER_MINUTE BURST SECONDS`: one of many processes that share limits in Redis.
//!
//! It says `ready`, waits for a line, asks for permits for so many seconds, and prints when it got each. With no seconds it
//! takes one of two seats, prints `held`, and keeps it until its input ends.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use std::time::Duration;

use anyhow::{Context as _, Result};
use e2e::limits::{Shared, now};
use ratelimit::{Cost, Key, Limits, RateLimiter as _, TokioTimer, limiters::Redis};

/// How many ask at the same time in a process.
const CALLERS: usize = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [urls, mode, numbers @ ..] = &words[..] else { anyhow::bail!("see the first lines of this file") };
    let numbers: Result<Vec<u64>, _> = numbers.iter().map(|word| word.parse()).collect();
    let [processes, per_minute, burst, seconds] = numbers?[..] else { anyhow::bail!("four numbers") };
    let (processes, seconds) = (processes.try_into()?, seconds.try_into()?);
    let shared = Shared { processes, is_leased: mode == "leased", per_minute, burst, seconds };
    let is_holder = shared.seconds == 0;
    let limits = if is_holder { Limits::default().with_concurrency(2) } else { shared.limits() };
    // The machine may be busy with other tests; what is done without a server is tested elsewhere.
    let builder = Redis::cluster(urls.split(','), limits, shared.processes).patience(Duration::from_secs(2));
    let builder = if shared.is_leased { builder.leased() } else { builder };
    let limiter = builder.build(TokioTimer::new())?;

    println!("ready");
    sign().await?;
    if is_holder {
        let permit = limiter.acquire(Key::from("seats"), Cost::requests(1), Duration::from_secs(5)).await?;
        println!("held");
        sign().await?;
        drop(permit);
        return Ok(());
    }

    let end = now() + i64::from(shared.seconds) * 1_000_000;
    let callers: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(ask_until(limiter.clone(), end))).collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await.context("a caller has failed")??);
    }
    limiter.give_back().await?;
    let words: Vec<String> = times.iter().map(ToString::to_string).collect();
    println!("{}", words.join(" "));
    Ok(())
}

/// Waits for a line, or the end of the input.
async fn sign() -> Result<()> {
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    Ok(())
}

async fn ask_until(limiter: Redis, end: i64) -> Result<Vec<i64>> {
    let mut times = Vec::new();
    loop {
        let left = Duration::from_micros((end - now()).try_into().unwrap_or(0));
        if left.is_zero() {
            return Ok(times);
        }
        let estimate = Cost::requests(1).with_input_tokens(10).with_output_tokens(8);
        match limiter.acquire(Key::from("team/model"), estimate, left).await {
            Ok(permit) => {
                times.push(now());
                permit.settle(estimate.with_output_tokens(5));
            }
            Err(error) if error.retry_after().is_some() => return Ok(times),
            Err(error) => return Err(error.into()),
        }
    }
}
