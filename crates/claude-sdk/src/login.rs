//! Logging a person in: the authorization code flow with PKCE and a listener on loopback (RFC 8252).
//!
//! ```no_run
//! use std::time::Duration;
//! use claude_sdk::{auth_core::{Client, Server, ScopeSet}, login::Login, token_store::{FileTokenStore, TokenStore}};
//! # async fn run(server: Server, backend: impl transport::HttpBackend) -> Result<(), Box<dyn std::error::Error>> {
//! let login = Login::new(server, Client::public("your-client-id")).scopes(ScopeSet::parse("user:inference"));
//! let pending = login.begin().await?;
//! println!("open {}", pending.url());
//! let session = pending.finish(&backend, Duration::from_secs(300)).await?;
//! FileTokenStore::new("/home/you/.config/anthropic", "default")?.save(session).await?;
//! # Ok(())
//! # }
//! ```

use std::{fmt, sync::Arc, time::Duration};

use auth_core::{
    AuthorizationRequest, Client, CodeGrant, PendingAuthorization, ScopeSet, Server, Snapshot, exchange,
};
use transport::{Clock, HttpBackend, SystemClock};
use url::Url;

use crate::{
    entropy,
    error::{AuthError, Error},
};

mod listener;

use listener::Listener;

/// The largest answer of a token endpoint that is read, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;
/// How long the exchange of the code may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How to log a person in.
#[derive(Debug, Clone)]
#[must_use]
pub struct Login {
    server: Server,
    client: Client,
    scopes: ScopeSet,
    clock: Arc<dyn Clock>,
}

impl Login {
    /// A login at `server` as `client`.
    pub fn new(server: Server, client: Client) -> Self {
        Self { server, client, scopes: ScopeSet::default(), clock: Arc::new(SystemClock) }
    }

    /// Asks for these scopes.
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// Takes time from `clock` in place of the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the listener, on loopback and a port of the system's choice, and makes the URL for the browser.
    ///
    /// # Errors
    ///
    /// [`AuthError::Login`] where no port could be had, or the server has no authorization endpoint.
    pub async fn begin(self) -> Result<PendingLogin, Error> {
        let listener = Listener::bind().await?;
        let request = AuthorizationRequest::new(&self.server, &self.client, listener.redirect_uri()?)
            .map_err(|error| failed(error.to_string()))?;
        let (url, pending) = request.scopes(self.scopes.clone()).begin(entropy::bytes()?);
        Ok(PendingLogin { login: self, listener, url, pending })
    }
}

/// A login that waits for its person; dropping it closes the listener.
pub struct PendingLogin {
    login: Login,
    listener: Listener,
    url: Url,
    pending: PendingAuthorization,
}

impl PendingLogin {
    /// Where the person has to go.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits for the redirect, at most `patience`, and exchanges its code for a session through `backend`.
    ///
    /// Callbacks that are not this login's are answered and otherwise ignored: no page in the browser can end it.
    ///
    /// # Errors
    ///
    /// [`AuthError::Login`] where the person refused, the time ran out, or the code was not accepted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the login and closes the listener; nothing is stored.
    pub async fn finish(self, backend: &dyn HttpBackend, patience: Duration) -> Result<Snapshot, AuthError> {
        let Self { login, listener, pending, .. } = self;
        let grant: CodeGrant = tokio::select! {
            result = listener.receive(pending) => result?,
            () = login.clock.sleep(patience) => {
                return Err(failed(format!("nobody answered within {} s", patience.as_secs())));
            }
        };
        let (request, asked) = exchange::code(grant);
        let exchanged = async {
            let response = backend.send(request).await.map_err(|error| failed(error.to_string()))?;
            let (head, body) = response.into_parts();
            let body = body.collect(ANSWER_LIMIT).await.map_err(|error| failed(error.to_string()))?;
            Ok::<_, AuthError>(http::Response::from_parts(head, body))
        };
        let response = tokio::select! {
            response = exchanged => response?,
            () = login.clock.sleep(EXCHANGE_TIMEOUT) => {
                return Err(failed("the token endpoint did not answer; try again".into()));
            }
        };
        let tokens = exchange::response(&asked, &response, login.clock.now());
        let tokens = tokens.map_err(|error| failed(error.to_string()))?;
        Ok(Snapshot::from(tokens))
    }
}

/// Leaves out the URL, whose `state` is this login's secret.
impl fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingLogin")
            .field("listener", &self.listener)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

pub(crate) fn failed(reason: String) -> AuthError {
    AuthError::Login { reason }
}
