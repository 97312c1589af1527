//! What reading a kept secret costs; the goal is 50 ns, without a lock.
//! `cargo bench -p secrets --features cached`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use divan::Bencher;
use secrets::{
    Secret, SecretName,
    providers::{Cached, Entry},
};

fn main() {
    divan::main();
}

/// A secret that was asked for a moment ago, timed by the real timer.
fn kept() -> Entry {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cached = Cached::new(Secret::from("canary".to_owned()), 1);
    let entry = cached.entry(SecretName::new("key").unwrap());
    runtime.block_on(entry.get()).unwrap();
    entry
}

#[divan::bench(sample_size = 1000)]
fn ready(bencher: Bencher<'_, '_>) {
    let entry = kept();
    bencher.bench(|| entry.ready().unwrap());
}

#[divan::bench(sample_size = 1000, threads = 2)]
fn ready_on_two_threads(bencher: Bencher<'_, '_>) {
    let entry = kept();
    bencher.bench(|| entry.ready().unwrap());
}
