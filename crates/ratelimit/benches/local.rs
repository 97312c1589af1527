//! What a decision costs: `cargo bench -p ratelimit --features fast-clock`.
//!
//! Goals: three dimensions in 60 ns and without an allocation when admitted, on one thread with warm caches; two threads
//! 120 ns each. The clock is part of the price: `FastTimer` for the goals, and tokio's beside it.
#![allow(missing_docs, reason = "a benchmark")]

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use divan::{AllocProfiler, Bencher, black_box};
use ratelimit::{Cost, Decision, FastTimer, Key, Limits, Rate, Timer, TokioTimer, limiters::Local};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A clock that costs nothing, to see what the rest does.
#[derive(Debug)]
struct Stopped;

#[async_trait]
impl Timer for Stopped {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) {}
}

/// Limits that a benchmark does not reach.
fn limiter(timer: impl Timer) -> (Local, Key) {
    let most = Rate::per_minute(u64::MAX >> 8);
    let limits = Limits::default().with_requests(most).with_input_tokens(most).with_output_tokens(most);
    (Local::limited_to(limits).build(timer), Key::from("workspace/claude-sonnet-5"))
}

const COST: Cost = Cost::requests(1).with_input_tokens(1_200).with_output_tokens(4_096);

#[divan::bench(sample_size = 10_000, threads = [1, 2])]
fn three_dimensions(bencher: Bencher<'_, '_>) {
    let (limiter, key) = limiter(FastTimer::new());
    bencher.bench(|| assert_eq!(black_box(&limiter).try_acquire(&key, COST), Decision::Admit));
}

#[divan::bench(sample_size = 10_000, threads = [1, 2])]
fn three_dimensions_by_the_clock_of_tokio(bencher: Bencher<'_, '_>) {
    let (limiter, key) = limiter(TokioTimer::new());
    bencher.bench(|| assert_eq!(black_box(&limiter).try_acquire(&key, COST), Decision::Admit));
}

#[divan::bench(sample_size = 1000)]
fn three_dimensions_without_a_clock(bencher: Bencher<'_, '_>) {
    let (limiter, key) = limiter(Stopped);
    bencher.bench(|| assert_eq!(black_box(&limiter).try_acquire(&key, COST), Decision::Admit));
}

#[divan::bench(sample_size = 1000)]
fn the_clock_alone(bencher: Bencher<'_, '_>) {
    let timer = FastTimer::new();
    bencher.bench(|| black_box(&timer).now());
}

#[divan::bench(sample_size = 1000)]
fn the_clock_of_tokio_alone(bencher: Bencher<'_, '_>) {
    let timer = TokioTimer::new();
    bencher.bench(|| black_box(&timer).now());
}

#[divan::bench(sample_size = 1000)]
fn refused(bencher: Bencher<'_, '_>) {
    let (limiter, key) = limiter(TokioTimer::new());
    let most = COST.with_input_tokens(u64::MAX >> 8);
    assert_eq!(limiter.try_acquire(&key, most), Decision::Admit);
    bencher.bench(|| black_box(&limiter).try_acquire(&key, most));
}
