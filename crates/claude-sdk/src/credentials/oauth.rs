use std::{fmt, sync::Arc};

use async_trait::async_trait;
use auth_core::{Access, Client, Input, Policy, Server, TokenMachine};
use transport::{Clock, HttpBackend, SystemClock};

use super::{Credential, CredentialProvider};
use crate::{error::AuthError, token_store::TokenStore};

mod driver;

use driver::Shared;

/// The session of a logged-in user, renewed when it is needed and kept in a [`TokenStore`].
///
/// This is the driver of [`auth_core::TokenMachine`] and decides nothing itself. One renewal serves all callers; it
/// runs in a task of its own, so that a caller who goes away cannot cut a rotating refresh in two; and it holds the
/// store's lock, so that processes which share a session spend its refresh token once.
///
/// Cloning gives another handle to the same session.
#[derive(Clone)]
pub struct OAuth(Arc<Shared>);

impl OAuth {
    /// The session kept in `store`, renewed at `server` as `client` through `backend`.
    ///
    /// # Errors
    ///
    /// [`AuthError::LoginRequired`] where the store is empty, [`AuthError::Store`] where it cannot be read.
    pub async fn open(
        server: Server,
        client: Client,
        store: impl TokenStore,
        backend: impl HttpBackend,
    ) -> Result<Self, AuthError> {
        Self::open_with_clock(server, client, store, backend, SystemClock).await
    }

    /// As [`open`](Self::open), with time taken from `clock`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with_clock(
        server: Server,
        client: Client,
        store: impl TokenStore,
        backend: impl HttpBackend,
        clock: impl Clock,
    ) -> Result<Self, AuthError> {
        let snapshot = store.load().await?;
        let snapshot = snapshot.ok_or_else(|| AuthError::LoginRequired {
            reason: "nobody has logged in yet; log in first".into(),
        })?;
        let mut machine = TokenMachine::new(server, client, Policy::default());
        machine.restore(snapshot);
        Ok(Self(Arc::new(Shared::new(machine, Arc::new(store), Arc::new(backend), Arc::new(clock)))))
    }
}

#[async_trait]
impl CredentialProvider for OAuth {
    async fn credential(&self) -> Result<Credential, AuthError> {
        let mut looked_into_store = false;
        loop {
            // Registered before looking, so that a renewal that ends in between is not missed.
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.0.look() {
                Access::Ready(lease) => {
                    return Credential::token(lease.access_token().clone(), lease.generation());
                }
                Access::Pending => changed.await,
                Access::Failed(failure) => return Err(self.0.failed(&failure)),
                Access::LoginRequired(reason) if looked_into_store => {
                    return Err(AuthError::LoginRequired { reason: reason.to_string() });
                }
                // Somebody may have logged in anew since, in another process.
                Access::LoginRequired(_) => {
                    looked_into_store = true;
                    self.0.adopt().await?;
                }
            }
        }
    }

    fn reject(&self, refused: &Credential) {
        self.0.handle(Input::Rejected { generation: refused.generation() });
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("store", &self.0.store).finish_non_exhaustive()
    }
}
