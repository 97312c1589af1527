//! One process with a crowd of callers, in real time.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use auth_core::{Policy, Server, Wire};
use claude_sdk::credentials::{CredentialProvider as _, OAuth};
use claude_sdk::token_store::{FileTokenStore, MemoryTokenStore, TokenStore as _};
use tokio::task::JoinSet;
use transport::{Clock as _, SystemClock};

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

async fn session(world: &World) -> Result<OAuth> {
    let stored = FileTokenStore::new(world.folder(), PROFILE)?.load().await?;
    let store = MemoryTokenStore::new(stored.context("a stored session")?);
    let server = Server::new(world.server.token_url())?.with_wire(Wire::claude());
    let client = auth_core::Client::public(world.server.client_id());
    let backend = world.backend().clone();
    Ok(OAuth::open_with(server, client, store, backend, SystemClock, Policy::default()).await?)
}
