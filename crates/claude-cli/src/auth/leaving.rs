//! Logging out in two steps: the tokens are put aside, where no program looks, and given back from there.
//!
//! So nobody uses them from the first moment on, and a logout that a crash cut short leaves a mark, which is the file
//! itself: whoever logs in, logs out or renews next brings it to its end (C98).

use std::fs;

use claude_sdk::{
    auth_core::{Client, Server},
    credentials::OAuth,
    token_store::{FileTokenStore, TokenStore},
};

use super::session::backend;

/// Puts the tokens in `store` aside; `false` where there are none.
pub(super) async fn put_aside(store: &FileTokenStore) -> anyhow::Result<bool> {
    let _lock = store.lock().await?;
    let Some(tokens) = store.load().await? else { return Ok(false) };
    aside(store).save(tokens).await?;
    store.remove().await?;
    Ok(true)
}

/// Gives back what was put aside, and removes it whatever the server says. Tells whether the server confirmed; `None`
/// where there was nothing.
pub(super) async fn give_back(
    store: &FileTokenStore,
    server: &Server,
    client: &Client,
) -> anyhow::Result<Option<bool>> {
    let aside = aside(store);
    if !aside.path().exists() {
        return Ok(None);
    }
    let backend = backend(server.token_endpoint())?;
    let revoked = match OAuth::open(server.clone(), client.clone(), aside.clone(), backend).await {
        Ok(oauth) => oauth.log_out().await?,
        Err(_) => {
            aside.remove().await?;
            false
        }
    };
    // Left over when the tokens are gone; the next logout makes it anew.
    drop(fs::remove_file(aside.path().with_extension("lock")));
    Ok(Some(revoked))
}

/// Gives back the tokens in `store` and removes them, without a mark for whoever comes after a crash.
pub(super) async fn leave(store: &FileTokenStore, server: &Server, client: &Client) -> anyhow::Result<bool> {
    let backend = backend(server.token_endpoint())?;
    let oauth = OAuth::open(server.clone(), client.clone(), store.clone(), backend).await?;
    Ok(oauth.log_out().await?)
}

/// No profile's name begins with a dot, so nothing else is kept there.
fn aside(store: &FileTokenStore) -> FileTokenStore {
    let name = store.path().file_name().unwrap_or_default().to_string_lossy();
    store.with_path(store.path().with_file_name(format!(".leaving-{name}")))
}
