use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use auth_core::{Access, Client, Input, Policy, Server, TokenMachine};
use transport::{Clock, HttpBackend, SystemClock};
use url::Url;

use super::{Credential, CredentialProvider, spread};
use crate::{error::AuthError, metrics::Metrics, token_store::TokenStore};

mod driver;
#[cfg(feature = "refresher")]
mod refresher;

use driver::{Dress, Shared};
#[cfg(feature = "refresher")]
pub use refresher::Refresher;

/// How long the end of a program may wait for a renewal.
const FLUSH: Duration = Duration::from_secs(5);

/// The session of a logged-in user, renewed when it is needed and kept in a [`TokenStore`].
///
/// This is the driver of [`auth_core::TokenMachine`] and decides nothing itself. One renewal serves all callers; it
/// runs in a task of its own, so that a caller who goes away cannot cut a rotating refresh in two; and it holds the
/// store's lock, so that processes which share a session spend its refresh token once. While the token is good, nobody
/// waits for anybody: it is read without a lock.
///
/// Cloning gives another handle to the same session.
///
/// ```no_run
/// use claude_sdk::{Client, auth_core, credentials::OAuth, token_store::TokenStore};
/// use claude_sdk::transport::HttpBackend;
///
/// # async fn run(server: auth_core::Server, store: impl TokenStore, backend: impl HttpBackend)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// let who = auth_core::Client::public("your-client-id");
/// let session = OAuth::open(server, who, store, backend).await?;
/// let client = Client::builder().credentials(session).build()?;
/// # Ok(())
/// # }
/// ```
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
        Self::open_with(server, client, store, backend, SystemClock, spread::drawn()).await
    }

    /// As [`open`](Self::open), with time taken from `clock`, and renewed as `policy` says.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(
        server: Server,
        client: Client,
        store: impl TokenStore,
        backend: impl HttpBackend,
        clock: impl Clock,
        policy: Policy,
    ) -> Result<Self, AuthError> {
        let snapshot = store.load().await?;
        let snapshot = snapshot.ok_or_else(|| AuthError::LoginRequired {
            reason: "nobody has logged in yet; log in first".into(),
            maybe_consumed: false,
        })?;
        let mut machine = TokenMachine::new(server, client, policy);
        machine.restore(snapshot);
        Ok(Self(Arc::new(Shared::new(machine, Arc::new(store), Arc::new(backend), Arc::new(clock)))))
    }

    /// Binds the session to the deployment it was made for: its tokens are never sent to another scheme, host or port than
    /// those of `url`, whatever base URL a client has. Of several calls the first counts.
    #[must_use]
    pub fn bound_to(self, url: &Url) -> Self {
        let url = url.clone();
        self.dressed(Box::new(move |credential| credential.bound_to(&url)))
    }

    pub(crate) fn dressed(self, dress: Dress) -> Self {
        self.0.dress(dress);
        self
    }

    /// Logs out: gives the tokens back to the server, if it has a revocation endpoint, and removes them from the store.
    ///
    /// The tokens are removed whatever the server says, after two tries at most; `false` tells that it did not
    /// confirm, and may take them until they expire. From the first moment on no credential is handed out.
    ///
    /// # Errors
    ///
    /// [`AuthError::Store`] where the store could not be locked or its content not removed; that is tried again in
    /// the background.
    ///
    /// # Cancel safety
    ///
    /// A logout that has begun goes on when this future is dropped.
    pub async fn log_out(&self) -> Result<bool, AuthError> {
        self.0.begin_logout();
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.0.logout() {
                Some(outcome) => return outcome,
                None => changed.await,
            }
        }
    }
}

impl OAuth {
    /// Renews now, whatever time the token has left, unless the store has newer tokens by then.
    ///
    /// # Errors
    ///
    /// As [`credential`](CredentialProvider::credential).
    pub async fn renew(&self) -> Result<Credential, AuthError> {
        if let Some(generation) = self.0.generation() {
            self.0.handle(Input::Rejected { generation });
        }
        self.credential().await
    }

    /// Has `refresher` renew the session, in a process that outlives this one.
    #[cfg(feature = "refresher")]
    #[must_use]
    pub fn renewed_by(self, refresher: Refresher) -> Self {
        self.0.renew_by(Arc::new(refresher));
        self
    }
}

#[async_trait]
impl CredentialProvider for OAuth {
    async fn credential(&self) -> Result<Credential, AuthError> {
        if let Some(current) = self.ready() {
            return Ok(current);
        }
        let mut looked_into_store = false;
        loop {
            // Registered before looking, so that a renewal that ends in between is not missed.
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.0.look() {
                Access::Ready(lease) => return self.0.credential(&lease),
                Access::Pending => changed.await,
                Access::Failed(failure) => match self.0.failed(&failure) {
                    // What was gone from the store may be there again.
                    AuthError::LoginRequired { .. } if !looked_into_store => {
                        looked_into_store = true;
                        self.0.adopt().await?;
                    }
                    error => return Err(error),
                },
                Access::LoginRequired(reason) if looked_into_store => {
                    let maybe_consumed = reason.maybe_consumed();
                    return Err(AuthError::LoginRequired { reason: reason.to_string(), maybe_consumed });
                }
                // Somebody may have logged in anew since, in another process.
                Access::LoginRequired(_) => {
                    looked_into_store = true;
                    self.0.adopt().await?;
                }
            }
        }
    }

    fn ready(&self) -> Option<Credential> {
        self.0.current()
    }

    fn reject(&self, refused: &Credential) {
        self.0.handle(Input::Rejected { generation: refused.generation() });
    }

    fn report_to(&self, metrics: &Arc<dyn Metrics>) {
        self.0.renewals.report_to(metrics);
    }

    /// Waits 5 s at the most: a renewal runs in a task of its own, which ends with the runtime, and a refresh token that
    /// was spent for nothing is a session lost.
    async fn flush(&self) -> bool {
        let enough = self.0.sleep(FLUSH);
        tokio::pin!(enough);
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.0.is_at_rest() {
                return true;
            }
            tokio::select! {
                () = changed => {}
                () = &mut enough => return self.0.is_at_rest(),
            }
        }
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("store", &self.0.store).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use auth_core::Snapshot;
    use futures_util::FutureExt as _;
    use transport::SimClock;

    use super::*;
    use crate::token_store::MemoryTokenStore;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    #[derive(Debug)]
    struct Nobody;

    #[async_trait]
    impl HttpBackend for Nobody {
        async fn send(&self, _: transport::Request) -> Result<transport::Response, transport::Error> {
            panic!("nothing is to be sent")
        }
    }

    #[tokio::test]
    async fn a_good_token_is_read_while_somebody_holds_the_machine() {
        let session = Snapshot {
            access_token: "a".into(),
            refresh_token: Some("r".into()),
            expires_at: Some(NOW + Duration::from_secs(1000)),
            scopes: None,
            generation: 1,
            extra: serde_json::Map::new(),
        };
        let endpoint: Url = "https://auth.example/".parse().unwrap();
        let server = Server::new(endpoint).unwrap();
        let clock = SimClock::new(NOW);
        let store = MemoryTokenStore::new(session);
        let oauth =
            OAuth::open_with(server, Client::public("app"), store, Nobody, clock.clone(), Policy::default());
        let oauth = oauth.await.unwrap();
        oauth.credential().await.unwrap();

        // Whoever took the lock now would never come back: there is one thread.
        let _held = oauth.0.hold();
        clock.advance(Duration::from_secs(879));
        let credential = oauth.credential().now_or_never().unwrap().unwrap();
        assert_eq!(credential.expose(), "a");
        clock.advance(Duration::from_secs(1));
        assert!(oauth.0.current().is_none(), "in its last 120 s the machine has to be asked");
    }
}
