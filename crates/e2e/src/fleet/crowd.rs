//! One process with a crowd of callers, in real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use auth_core::{Policy, Server, Wire};
use claude_sdk::Client;
use claude_sdk::credentials::{CredentialProvider as _, OAuth};
use claude_sdk::token_store::{FileTokenStore, MemoryTokenStore, TokenStore as _};
use claude_sdk::types::Model;
use tokio::task::JoinSet;
use transport::backends::Reqwest;
use transport::{Clock as _, HttpBackend, Request, Response, SystemClock};

use super::{Grants, PROFILE, World};

/// How long it takes until as many callers of one expired token have a new one, the server's answer included.
///
/// # Errors
///
/// When one of them gets none, or it took more than one grant.
pub async fn crowd(world: &World, callers: usize) -> Result<Duration> {
    world.set_expiry(1)?;
    let session = session(world).await?;
    world.server.clear_journal();
    let began = SystemClock.now();
    let mut calls = JoinSet::new();
    for _ in 0..callers {
        let session = session.clone();
        calls.spawn(async move { session.credential().await.map(drop) });
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    let took = SystemClock.now().duration_since(began).unwrap_or_default();
    ensure!(world.grants() == Grants { rotated: 1, ..Grants::default() }, "{:?}", world.grants());
    // What it got is only in memory.
    world.log_in().await?;
    Ok(took)
}

/// As many calls are under way with a token that the service takes no more; it says so to one after the other, over so
/// much time. Gives what the token endpoint saw, and the calls that failed, in their words.
///
/// # Errors
///
/// When there is no session to begin with.
pub async fn late_refusals(world: &World, calls: usize, over: Duration) -> Result<(Grants, Vec<String>)> {
    let session = session(world).await?;
    let number = Arc::new(AtomicUsize::new(0));
    let each = over / u32::try_from(calls)?;
    let slow = Slow { number, calls, each, backend: world.backend().clone() };
    let client = Client::builder().base_url(world.server.base_url()).credentials(session);
    let client = client.backend(slow).max_retries(0).build()?;
    // An hour more than tokens live.
    world.server.advance(Duration::from_secs(9 * 3600));
    let mut grants = Grants::default();
    world.server.clear_journal();
    let mut sent = JoinSet::new();
    for _ in 0..calls {
        let client = client.clone();
        sent.spawn(async move { client.models().get(&Model::CLAUDE_HAIKU_4_5).await.map(drop) });
    }
    let mut failures = Vec::new();
    while let Some(outcome) = sent.join_next().await {
        if let Err(error) = outcome? {
            failures.push(error.to_string());
        }
        // The journal forgets what is long ago.
        if sent.len().is_multiple_of(1000) {
            let seen = world.grants();
            grants.rotated += seen.rotated;
            grants.refused += seen.refused;
            world.server.clear_journal();
        }
    }
    world.log_in().await?;
    Ok((grants, failures))
}

async fn session(world: &World) -> Result<OAuth> {
    let stored = FileTokenStore::new(world.folder(), PROFILE)?.load().await?;
    let store = MemoryTokenStore::new(stored.context("a stored session")?);
    let server = Server::new(world.server.token_url())?.with_wire(Wire::claude());
    let client = auth_core::Client::public(world.server.client_id());
    let backend = world.backend().clone();
    Ok(OAuth::open_with(server, client, store, backend, SystemClock, Policy::default()).await?)
}

/// Lets the first calls take ever longer to reach the service.
#[derive(Debug)]
struct Slow {
    number: Arc<AtomicUsize>,
    calls: usize,
    each: Duration,
    backend: Reqwest,
}

#[async_trait]
impl HttpBackend for Slow {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        if number < self.calls {
            SystemClock.sleep(self.each * u32::try_from(number).unwrap_or(u32::MAX)).await;
        }
        self.backend.send(request).await
    }
}
