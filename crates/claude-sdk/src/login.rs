//! Logging a person in: in a browser on this machine, by pasting a code, or on another device.
//!
//! | where the browser is | how |
//! |---|---|
//! | on this machine | [`Login::begin`]: a listener on loopback takes the redirect (RFC 8252) |
//! | elsewhere, with this machine's port forwarded (`ssh -L`) | the same with a fixed [`port`](Login::port) |
//! | elsewhere | [`Login::begin_headless`]: the person pastes the `code#state` that the last page shows |
//! | elsewhere, at a server with device authorization | [`Login::begin_device`]: the person enters a code (RFC 8628) |
//!
//! Each ends with a [`Snapshot`] for a [`TokenStore`](crate::token_store::TokenStore), or with a [`LoginError`]. Nothing
//! is stored on the way: a login that is refused, runs out of time or is dropped leaves an older session as it was.
//!
//! ```no_run
//! use std::time::Duration;
//! use claude_sdk::{auth_core::{Client, Server, ScopeSet}, login::{Login, SystemBrowser}};
//! use claude_sdk::{secrets::process_lookup, token_store::{FileTokenStore, TokenStore}};
//! # async fn run(server: Server, backend: impl transport::HttpBackend) -> Result<(), Box<dyn std::error::Error>> {
//! let login = Login::new(server, Client::public("your-client-id")).scopes(ScopeSet::parse("user:inference"));
//! let pending = login.begin().await?;
//! println!("open {}", pending.url());
//! // A browser that does not start is no failure: the link is there.
//! let _ = pending.open_in(&SystemBrowser::new(&process_lookup()));
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
    error::{AuthError, Error, LoginError},
};

mod ask;
mod browser;
mod desk;
mod device;
mod discovery;
mod listener;
mod paste;

pub use browser::{Browser, BrowserError, SystemBrowser};
pub use device::PendingDevice;
pub use discovery::discover;
pub use paste::Paste;

use desk::Desk;
use listener::{Listener, Visitor};

/// How to log a person in.
///
/// Example: [`login`](crate::login).
#[derive(Debug, Clone)]
#[must_use]
pub struct Login {
    server: Server,
    client: Client,
    scopes: ScopeSet,
    params: Vec<(&'static str, String)>,
    port: u16,
    paste: Option<Arc<dyn Paste>>,
    clock: Arc<dyn Clock>,
}

impl Login {
    /// A login at `server` as `client`.
    pub fn new(server: Server, client: Client) -> Self {
        Self {
            server,
            client,
            scopes: ScopeSet::default(),
            params: Vec::new(),
            port: 0,
            paste: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Asks for these scopes.
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// Asks for tokens of this workspace, such as `wrkspc_…`.
    ///
    /// A login on another device does not ask for it: there is no parameter for it there.
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.params.push(("workspace_id", id.into()));
        self
    }

    /// Asks the person to act for this organization, named by its UUID.
    ///
    /// A login on another device does not ask for it: there is no parameter for it there.
    pub fn organization(mut self, uuid: impl Into<String>) -> Self {
        self.params.push(("orgUUID", uuid.into()));
        self
    }

    /// Listens on this port of loopback, for a browser whose way here was made beforehand (`ssh -L`); 0, the default,
    /// leaves the choice to the system.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Takes what the person pastes as well as the redirect, whichever comes first.
    pub fn paste(mut self, paste: impl Paste) -> Self {
        self.paste = Some(Arc::new(paste));
        self
    }

    /// Takes time from `clock` in place of the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the listener on loopback, and makes the URL for the browser.
    ///
    /// # Errors
    ///
    /// [`LoginError`] where the port is taken or none could be had, or the server has no authorization endpoint.
    pub async fn begin(self) -> Result<PendingLogin, Error> {
        let listener = Listener::bind(self.port).await.map_err(AuthError::Login)?;
        let redirect_uri = listener.redirect_uri();
        self.ask_for(redirect_uri, Some(listener))
    }

    /// Makes the URL for a browser on another machine, without a listener; its page at `redirect_uri` shows the person
    /// what to paste.
    ///
    /// The redirect URI is one that the server knows for this client. A server that must name itself in the redirect
    /// (RFC 9207) does not in `code#state`: there the person has to paste the whole address of the last page.
    ///
    /// # Errors
    ///
    /// [`LoginError`] where the server has no authorization endpoint.
    pub fn begin_headless(self, redirect_uri: Url, paste: impl Paste) -> Result<PendingLogin, Error> {
        self.paste(paste).ask_for(redirect_uri, None)
    }

    /// Asks the device authorization `endpoint` for a code that the person enters in a browser elsewhere.
    ///
    /// [`discover`] knows the endpoint of a server that announces it.
    ///
    /// # Errors
    ///
    /// [`LoginError`] where the endpoint cannot be used, was not reached, or refused.
    pub async fn begin_device(
        self,
        endpoint: Url,
        backend: &dyn HttpBackend,
    ) -> Result<PendingDevice, AuthError> {
        device::begin(self, endpoint, backend).await
    }

    #[inline]
    fn ask_for(self, redirect_uri: Url, listener: Option<Listener>) -> Result<PendingLogin, Error> {
        let Self { server, client, scopes, params, paste, clock, .. } = self;
        let request = AuthorizationRequest::new(&server, &client, redirect_uri);
        let mut request =
            request.map_err(|error| AuthError::Login(LoginError::Server(error)))?.scopes(scopes);
        for (name, value) in params {
            request = request.param(name, value);
        }
        let (url, pending) = request.begin(entropy::bytes()?);
        Ok(PendingLogin { url, pending, listener, paste, clock })
    }
}

/// A login that waits for its person; dropping it closes the listener.
///
/// Example: [`login`](crate::login).
pub struct PendingLogin {
    url: Url,
    pending: PendingAuthorization,
    listener: Option<Listener>,
    paste: Option<Arc<dyn Paste>>,
    clock: Arc<dyn Clock>,
}

impl PendingLogin {
    /// Where the person has to go.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where the answer comes in: on this machine, or at a page that shows what to paste.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        self.pending.redirect_uri()
    }

    /// Opens the link in `browser`.
    ///
    /// # Errors
    ///
    /// [`BrowserError`] where it could not be started. Show the link then: the login goes on.
    pub fn open_in(&self, browser: &dyn Browser) -> Result<(), BrowserError> {
        browser::open(browser, &self.url)
    }

    /// Waits for the answer, at most `patience`, and exchanges its code for a session through `backend`.
    ///
    /// Callbacks and texts that are not this login's are answered and otherwise ignored: no page in the browser can end
    /// it. The page that the person sees last says how the login ended, so it waits for the exchange, at most 30 s.
    ///
    /// # Errors
    ///
    /// [`LoginError`] where the person refused, the time ran out, or the code was not accepted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the login and closes the listener; nothing is stored.
    pub async fn finish(self, backend: &dyn HttpBackend, patience: Duration) -> Result<Snapshot, AuthError> {
        let Self { pending, listener, paste, clock, .. } = self;
        let desk = Arc::new(Desk::new(pending));
        let (answer, visitor) = tokio::select! {
            answered = answer(&desk, listener, paste.as_deref(), &clock) => answered,
            () = clock.sleep(patience) => (Err(LoginError::TimedOut { patience }), None),
        };
        let outcome = match answer {
            Ok(grant) => redeem(grant, backend, &*clock).await,
            Err(error) => Err(error),
        };
        if let Some(visitor) = visitor {
            visitor.tell(&outcome, &*clock).await;
        }
        Ok(outcome?)
    }
}

/// Leaves out the URL, whose `state` is this login's secret.
impl fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingLogin")
            .field("listener", &self.listener)
            .field("paste", &self.paste)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

/// The answer, by whichever way it comes first, and the visitor who brought it.
async fn answer(
    desk: &Arc<Desk>,
    listener: Option<Listener>,
    paste: Option<&dyn Paste>,
    clock: &Arc<dyn Clock>,
) -> (Result<CodeGrant, LoginError>, Option<Visitor>) {
    let can_be_redirected = listener.is_some();
    let redirected = async {
        match listener {
            Some(listener) => listener.receive(Arc::clone(desk), Arc::clone(clock)).await,
            None => std::future::pending().await,
        }
    };
    let pasted = async {
        match paste {
            Some(paste) => match paste::receive(desk, paste).await {
                // Whoever closes the input may still come through the browser.
                Err(LoginError::InputEnded) if can_be_redirected => std::future::pending().await,
                answer => answer,
            },
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        (answer, visitor) = redirected => (answer, Some(visitor)),
        answer = pasted => (answer, None),
    }
}

/// Exchanges the code.
async fn redeem(
    grant: CodeGrant,
    backend: &dyn HttpBackend,
    clock: &dyn Clock,
) -> Result<Snapshot, LoginError> {
    let (request, asked) = exchange::code(grant);
    let response = ask::ask(backend, clock, request, exchange::MAX_ANSWER, ask::EXCHANGE_LIMIT).await?;
    let tokens = exchange::response(&asked, &response, clock.now())
        .map_err(|error| LoginError::Exchange(Box::new(error)))?;
    Ok(Snapshot::from(tokens))
}
