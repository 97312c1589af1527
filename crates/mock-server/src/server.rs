//! The running server: its handle and its accept loop.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
#[cfg(feature = "http2")]
use hyper::server::conn::http2;
use hyper::service::service_fn;
#[cfg(feature = "http2")]
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

use crate::api::File;
use crate::builder::Builder;
use crate::error::Error;
use crate::fault::{Effect, Ending, Fault};
use crate::hold::HeldAnswers;
use crate::journal::Entry;
use crate::mail::Mail;
use crate::reply::Reply;
use crate::router;
use crate::state::State;
use crate::stream::Stream;
use crate::time::Clock;
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::wire::{Plan, Wire};

/// A server that is running; dropping it stops it.
///
/// Dropping closes the port and every connection soon after; [`shutdown`](Self::shutdown) waits for that.
pub struct MockServer {
    state: Arc<State>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<Tls>>,
    /// Dropping it ends the accept loop, which ends the connections.
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl MockServer {
    /// Starts a server with the default settings on a free loopback port.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] if no port can be bound.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with IO enabled, as everything that opens a tokio socket does.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Returns the settings, to change some before the start.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) async fn serve(settings: Builder, clock: Clock) -> Result<Self, Error> {
        let port = settings.port;
        let listen = |source| Error::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        #[cfg(feature = "tls")]
        let tls = match settings.tls {
            true => Some(Arc::new(Tls::new(settings.http1_only).map_err(|_| Error::Setting {
                name: "tls",
                hint: "this machine cannot make certificates: serve without",
            })?)),
            false => None,
        };
        let state = Arc::new(State::new(settings, address, clock)?);
        let (stop, stopped) = oneshot::channel();
        let door = Door {
            state: Arc::clone(&state),
            #[cfg(feature = "tls")]
            tls: tls.clone(),
        };
        let accepting = tokio::spawn(accept(listener, door, stopped));
        Ok(Self {
            state,
            #[cfg(feature = "tls")]
            tls,
            stop,
            accepting,
        })
    }

    /// Returns the URL to give to a client as its base URL, with the path prefix if there is one.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.state.base_url.clone()
    }

    /// Returns the certificate of the authority that signed the server's, in PEM: what a client has to trust. None without
    /// [TLS](Builder::tls).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| tls.authority())
    }

    /// Returns the authorization endpoint.
    #[must_use]
    pub fn authorize_url(&self) -> Url {
        self.state.url("/oauth/authorize")
    }

    /// Returns the token endpoint.
    #[must_use]
    pub fn token_url(&self) -> Url {
        self.state.url("/v1/oauth/token")
    }

    /// Returns the device authorization endpoint.
    #[must_use]
    pub fn device_authorization_url(&self) -> Url {
        self.state.url("/v1/oauth/device_authorization")
    }

    /// Returns a redirect URI for logins without a listener: its page shows `code#state`, to be pasted.
    #[must_use]
    pub fn callback_url(&self) -> Url {
        self.state.url("/oauth/code/callback")
    }

    /// Returns the revocation endpoint.
    #[must_use]
    pub fn revoke_url(&self) -> Url {
        self.state.url("/v1/oauth/revoke")
    }

    /// Returns the issuer that redirects name in `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.state.issuer
    }

    /// Returns the id of the registered client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.state.client
    }

    /// Returns the client's secret, which only the client credentials grant asks for.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.state.client_secret
    }

    /// Returns the id of the organisation that the API key belongs to.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        self.state.seats.get(0).map_or("", |seat| &seat.organization)
    }

    /// Returns the workspaces, by id and name.
    #[must_use]
    pub fn workspaces(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (_, seat) in self.state.seats.iter() {
            if !all.iter().any(|(id, _)| *id == seat.workspace) {
                all.push((seat.workspace.clone(), seat.workspace_name.clone()));
            }
        }
        all
    }

    /// Returns the id of the federation rule that trades workload identities for tokens, `fdrl_…`.
    #[must_use]
    pub fn federation_rule_id(&self) -> &str {
        &self.state.workload.rule
    }

    /// Returns the id of the service account that the federation rule is for, `svac_…`.
    #[must_use]
    pub fn service_account_id(&self) -> &str {
        &self.state.workload.service_account
    }

    /// Signs a workload identity: a JWT that the token endpoint accepts as an assertion for as long as `life`.
    ///
    /// `claims` are added to it, or replace what would be there: `json!({"aud": "somebody else"})` makes a bad one. What is
    /// no JSON object adds nothing.
    #[must_use]
    pub fn identity_token(&self, subject: &str, life: Duration, claims: Value) -> String {
        let claims = if let Value::Object(claims) = claims { claims } else { Map::new() };
        let now = self.state.clock.wall(self.state.clock.now());
        self.state.workload.sign(now, life, subject, claims)
    }

    /// Returns the API key that is accepted: `sk-ant-api03-CANARY…` unless another was set.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.state.api_key
    }

    /// Returns a copy of the journal, oldest first.
    ///
    /// It keeps the latest 10 000 requests, and fewer where their bodies exceed 64 MiB together.
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        self.state.lock().journal.entries()
    }

    /// Returns how many entries the journal holds.
    #[must_use]
    pub fn journal_len(&self) -> usize {
        self.state.lock().journal.len()
    }

    /// Panics unless the journal says exactly this, oldest first: `POST /v1/messages 200`, without the query.
    ///
    /// # Panics
    ///
    /// If the journal says something else; the message has both, and no secret.
    #[track_caller]
    pub fn assert_journal(&self, expected: &[&str]) {
        let line = |entry: &Entry| format!("{} {} {}", entry.method, entry.path, entry.status.as_u16());
        let seen: Vec<String> = self.journal().iter().map(line).collect();
        assert!(seen == expected, "the journal says {seen:#?}, not {expected:#?}");
    }

    /// Empties the journal; numbers go on.
    pub fn clear_journal(&self) {
        self.state.lock().journal.clear();
    }

    /// Moves the server's own clock forward: tokens expire, limits refill, `Date` follows.
    ///
    /// Only the server's: a client under test has its own clock to move.
    pub fn advance(&self, by: Duration) {
        self.state.clock.advance(by);
    }

    /// Replaces what is left of the script.
    pub fn set_script(&self, replies: impl IntoIterator<Item = Reply>) {
        let script = replies.into_iter().collect();
        self.state.lock().script = script;
    }

    /// Appends a reply to the script.
    pub fn push_reply(&self, reply: Reply) {
        self.state.lock().script.push_back(reply);
    }

    /// Returns the mails with codes for logins, oldest first; it keeps the latest 100.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().mailbox.all().cloned().collect()
    }

    /// Puts a file onto the server that a tool might have made, so that it can be downloaded, and returns its id.
    pub fn put_file(&self, filename: &str, mime_type: &str, content: impl Into<Bytes>) -> String {
        let changing = &mut *self.state.lock();
        let id = changing.mint.name("file_", 24);
        let file = File::made(id, filename, mime_type, content.into(), self.state.clock.now());
        changing.shelf.files.put(file)
    }

    /// Lets something go wrong with what comes next.
    pub fn inject(&self, fault: Fault) {
        self.state.lock().faults.push(fault);
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.state.lock().faults.clear();
    }

    /// Returns how many connections were made, those that a fault ended among them.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.traffic.connections()
    }

    /// Returns how many bytes were read from all connections, of requests that never became one too.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.state.traffic.received()
    }

    /// Returns how many bytes of answers the network has taken; a client that does not read holds the rest back.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.state.traffic.sent()
    }

    /// Returns how many connections are open now, except those that a fault stalled before anything was read.
    #[must_use]
    pub fn open_connections(&self) -> u64 {
        self.state.traffic.open()
    }

    /// Holds back the answers of one path, such as `/v1/oauth/token`, until the returned value is dropped.
    ///
    /// The requests are served: tokens rotate and the journal has its entries, only nobody hears of it. A test that
    /// sees the entry knows that its client is waiting for an answer that is already decided.
    pub fn hold_answers(&self, path: impl Into<String>) -> HeldAnswers {
        HeldAnswers::new(Arc::clone(&self.state), path.into())
    }

    /// Stops the server and waits until the port is free and every connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not keep the server alive: it stops all the same.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The loop ends by itself; it fails only if its runtime is already gone, and then nothing is left to stop.
        let _ = self.accepting.await;
    }
}

impl fmt::Debug for MockServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockServer").field("base_url", &self.state.base_url.as_str()).finish_non_exhaustive()
    }
}

/// What a connection comes in through.
#[derive(Clone)]
struct Door {
    state: Arc<State>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<Tls>>,
}

impl Door {
    /// Begins a connection, as far as a fault lets it.
    async fn open(&self, stream: TcpStream) -> Option<Stream> {
        // A stream's events are small and shall not wait for one another; without this they only come later.
        let _ = stream.set_nodelay(true);
        self.state.traffic.accepted();
        // The guard ends here.
        let fault = self.state.lock().faults.at_accept();
        match fault {
            Some(Effect::End(_, Ending::Close)) => return None,
            Some(Effect::End(_, Ending::Reset)) => {
                // It fails only for a connection that is already gone.
                let _ = stream.set_zero_linger();
                return None;
            }
            Some(Effect::End(_, Ending::Stall)) => std::future::pending().await,
            _ => {}
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let fault = if let Some(Effect::Handshake(fault)) = fault { Some(fault) } else { None };
            // A client that does not trust the certificate is the test's affair.
            let stream = tls.accept(stream, fault).await.ok()??;
            return Some(Stream::Tls(Box::new(stream)));
        }
        Some(Stream::Plain(stream))
    }
}

/// Accepts until told to stop, then closes the port and every connection.
async fn accept(listener: TcpListener, door: Door, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, door.clone()));
                }
                // The peer went away before it was accepted, or the process is out of file descriptors: let
                // others run, then try again.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, door: Door) {
    let Some(stream) = door.open(stream).await else { return };
    let state = door.state;
    let plan = Plan::default();
    let wire = Wire::new(stream, plan.clone(), Arc::clone(&state.traffic));
    #[cfg(feature = "http2")]
    if wire.speaks_http2().await {
        let answer = service_fn(move |request| router::answer(Arc::clone(&state), plan.clone(), request));
        let mut http = http2::Builder::new(TokioExecutor::new());
        let _ = http.auto_date_header(false).serve_connection(TokioIo::new(wire), answer).await;
        return;
    }
    let answer = service_fn(|request| router::answer(Arc::clone(&state), plan.clone(), request));
    // A connection that ends badly is the client's affair, or what the script asked for.
    let _ = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(wire), answer).await;
}
