//! What the core costs: `cargo bench -p auth-core`.
//!
//! Goals: `access` on a fresh lease in 20 ns without an allocation; a token answer read in 5 µs. It measures one
//! thread with warm caches, and no driver, lock or network.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]

use std::time::{Duration, SystemTime};

use auth_core::{Access, Asked, Client, Policy, Server, Snapshot, TokenMachine, exchange};
use bytes::Bytes;
use divan::{AllocProfiler, Bencher, black_box};
use http::Response;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn main() {
    divan::main();
}

fn server() -> Server {
    Server::new("https://auth.example/token".parse().unwrap()).unwrap()
}

fn machine() -> TokenMachine {
    let mut machine = TokenMachine::new(server(), Client::public("app"), Policy::default());
    machine.restore(Snapshot {
        access_token: "access".into(),
        refresh_token: Some("refresh".into()),
        expires_at: Some(NOW + Duration::from_secs(28_800)),
        scopes: None,
        generation: 1,
        extra: serde_json::Map::new(),
    });
    machine
}

#[divan::bench(sample_size = 1000)]
fn access_to_a_fresh_lease(bencher: Bencher<'_, '_>) {
    let mut machine = machine();
    bencher.bench_local(|| match machine.access(black_box(NOW)) {
        Access::Ready(lease) => lease,
        other => panic!("{other:?}"),
    });
}

#[divan::bench]
fn settled_lease(bencher: Bencher<'_, '_>) {
    let machine = machine();
    bencher.bench_local(|| machine.settled(black_box(NOW)).unwrap());
}

/// As the Claude API answers a refresh: tokens of about a hundred characters and two members that are kept.
fn answer() -> (Asked, Response<Bytes>) {
    let (_, asked) = exchange::refresh(&server(), &Client::public("app"), &"r".repeat(108).into());
    let body = serde_json::json!({
        "token_type": "Bearer",
        "access_token": "a".repeat(108),
        "expires_in": 28_800,
        "refresh_token": "s".repeat(108),
        "scope": "user:inference user:profile",
        "organization": { "uuid": "0c4f6d0e-0000-4000-8000-000000000000", "name": "Example" },
        "account": { "uuid": "0c4f6d0e-0000-4000-8000-000000000001", "email_address": "dev@example.com" },
    });
    (asked, Response::new(body.to_string().into()))
}

#[divan::bench]
fn token_answer(bencher: Bencher<'_, '_>) {
    let (asked, answer) = answer();
    bencher.bench(|| exchange::response(black_box(&asked), black_box(&answer), NOW).unwrap());
}
