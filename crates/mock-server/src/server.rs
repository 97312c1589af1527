//! The handle of the running server.

mod door;
mod told;

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::door::{Door, accept};
use crate::api::File;
use crate::builder::Builder;
use crate::error::Error;
use crate::fault::Fault;
use crate::hold::HeldAnswers;
use crate::journal::Entry;
use crate::mail::Mail;
use crate::reply::Reply;
use crate::state::State;
use crate::time::Clock;
#[cfg(feature = "tls")]
use crate::tls::Tls;

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
