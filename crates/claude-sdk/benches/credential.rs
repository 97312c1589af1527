//! What a call pays for its credential: `cargo bench -p claude-sdk`.
//!
//! Goal: a good token in 60 ns, without a lock or an allocation, on one thread with warm caches.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]

use std::time::Duration;

use async_trait::async_trait;
use claude_sdk::{
    auth_core::{Client, Policy, Server, Snapshot},
    credentials::{CredentialProvider as _, OAuth},
    token_store::MemoryTokenStore,
    transport::{Clock as _, Error, HttpBackend, Request, Response, SystemClock},
};
use divan::{AllocProfiler, Bencher, black_box};
use futures_util::FutureExt as _;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl HttpBackend for Nobody {
    async fn send(&self, _: Request) -> Result<Response, Error> {
        panic!("a good token needs no exchange")
    }
}

/// A session with eight hours left, by the real clock.
fn session() -> OAuth {
    let snapshot = Snapshot {
        access_token: format!("sk-ant-oat01-{}", "x".repeat(95)).into(),
        refresh_token: Some("refresh".into()),
        expires_at: Some(SystemClock.now() + Duration::from_secs(28_800)),
        scopes: None,
        generation: 1,
        extra: serde_json::Map::new(),
    };
    let server = Server::new("https://auth.example/token".parse().unwrap()).unwrap();
    let store = MemoryTokenStore::new(snapshot);
    let opened =
        OAuth::open_with(server, Client::public("app"), store, Nobody, SystemClock, Policy::default());
    let oauth = opened.now_or_never().unwrap().unwrap();
    // The first one asks the machine.
    oauth.credential().now_or_never().unwrap().unwrap();
    oauth
}

/// What each attempt of a call does.
#[divan::bench(sample_size = 1000)]
fn ready(bencher: Bencher<'_, '_>) {
    let oauth = session();
    bencher.bench(|| black_box(&oauth).ready().unwrap());
}

/// The same through the future of the trait, which is boxed.
#[divan::bench(sample_size = 1000)]
fn through_the_future(bencher: Bencher<'_, '_>) {
    let oauth = session();
    bencher.bench(|| black_box(&oauth).credential().now_or_never().unwrap().unwrap());
}
