use std::{
    collections::VecDeque,
    convert::Infallible,
    future::pending,
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use auth_core::{CodeGrant, Snapshot};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::{self, AbortHandle, JoinSet},
};
use transport::Clock;
use url::Url;

use super::desk::Desk;
use crate::error::LoginError;

mod counter;
mod page;

use counter::Counter;
use page::Ending;

/// The one path that is answered.
const PATH: &str = "/callback";
/// How many connections are served at once; one more ends the oldest, so that nobody can keep the browser out by
/// saying nothing (C28).
const CONNECTIONS: usize = 16;
/// How long a connection may take to send its head.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// The largest head that is read, in bytes; hyper's own minimum.
const HEAD_BYTES: usize = 8 * 1024;
/// How long the last page may take to be written.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long nobody is accepted after the system could not accept, for want of file descriptors usually.
const PAUSE: Duration = Duration::from_millis(50);
/// How often another port is tried where the first is taken on one address family only.
const TRIES: u32 = 16;

/// The loopback listener that receives one redirect (RFC 8252 section 7.3).
///
/// It is bound to loopback only, on IPv4 and, where the machine has it, on IPv6: `localhost` may mean either, and a
/// stranger on the other family would receive the code.
#[derive(Debug)]
pub(super) struct Listener {
    port: u16,
    redirect_uri: Url,
    v4: TcpListener,
    v6: Option<TcpListener>,
}

/// The connection that brought the answer, whose browser waits to be told how the login ended.
#[derive(Debug)]
pub(super) struct Visitor {
    tell: oneshot::Sender<Ending>,
    serving: JoinSet<()>,
}

/// What the connection with the answer says to the listener.
struct Brought {
    answer: Result<CodeGrant, LoginError>,
    tell: oneshot::Sender<Ending>,
    connection: task::Id,
}

impl Listener {
    /// Binds `port`; 0 is one of the system's choice.
    pub(super) async fn bind(port: u16) -> Result<Self, LoginError> {
        if port != 0 {
            return Self::bind_both(port).await;
        }
        for _ in 0..TRIES {
            match Self::bind_both(0).await {
                Err(LoginError::PortTaken { .. }) => {}
                outcome => return outcome,
            }
        }
        Err(LoginError::Listener { kind: ErrorKind::AddrInUse })
    }

    async fn bind_both(port: u16) -> Result<Self, LoginError> {
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::AddrInUse => LoginError::PortTaken { port },
            kind => LoginError::Listener { kind },
        };
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let port = v4.local_addr().map_err(failed)?.port();
        let v6 = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(v6) => Some(v6),
            Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(LoginError::PortTaken { port }),
            // There is no IPv6 here, so nobody else can have the port there.
            Err(_) => None,
        };
        let redirect_uri = Url::parse(&format!("http://localhost:{port}{PATH}"));
        let redirect_uri =
            redirect_uri.map_err(|_| LoginError::Listener { kind: ErrorKind::InvalidInput })?;
        Ok(Self { port, redirect_uri, v4, v6 })
    }

    pub(super) fn redirect_uri(&self) -> Url {
        self.redirect_uri.clone()
    }

    /// Serves until `desk` has its answer. Nobody else is listened to from then on: the port is free again.
    pub(super) async fn receive(
        self,
        desk: Arc<Desk>,
        clock: Arc<dyn Clock>,
    ) -> (Result<CodeGrant, LoginError>, Visitor) {
        let (bring, mut brought) = mpsc::channel(1);
        let counter = Arc::new(Counter::new(self.port, desk, bring));
        let mut serving = JoinSet::new();
        let mut oldest_first = VecDeque::<AbortHandle>::new();
        let brought = loop {
            tokio::select! {
                biased;
                Some(brought) = brought.recv() => break brought,
                Some(_) = serving.join_next() => oldest_first.retain(|connection| !connection.is_finished()),
                socket = self.accept(&*clock) => {
                    if oldest_first.len() >= CONNECTIONS && let Some(oldest) = oldest_first.pop_front() {
                        oldest.abort();
                    }
                    let serve = serve(socket, Arc::clone(&counter), Arc::clone(&clock));
                    oldest_first.push_back(serving.spawn(serve));
                    // Who has come is heard before the next one comes in, however many wait outside.
                    task::yield_now().await;
                }
            }
        };
        let Brought { answer, tell, connection } = brought;
        for other in oldest_first.iter().filter(|other| other.id() != connection) {
            other.abort();
        }
        (answer, Visitor { tell, serving })
    }

    /// The next connection.
    async fn accept(&self, clock: &dyn Clock) -> TcpStream {
        loop {
            let accepted = match &self.v6 {
                Some(v6) => {
                    tokio::select! { accepted = self.v4.accept() => accepted, accepted = v6.accept() => accepted }
                }
                None => self.v4.accept().await,
            };
            match accepted {
                Ok((socket, _)) => return socket,
                // The peer went away before it was accepted, or the process is out of file descriptors.
                Err(_) => clock.sleep(PAUSE).await,
            }
        }
    }
}

impl Visitor {
    /// Shows the last page, and waits until it is written.
    pub(super) async fn tell(mut self, outcome: &Result<Snapshot, LoginError>, clock: &dyn Clock) {
        // A browser that has gone away needs no page.
        let _ = self.tell.send(Ending::of(outcome));
        let written = async { while self.serving.join_next().await.is_some() {} };
        tokio::select! { () = written => {}, () = clock.sleep(FAREWELL) => {} }
    }
}

async fn serve(socket: TcpStream, counter: Arc<Counter>, clock: Arc<dyn Clock>) {
    let heard = AtomicBool::new(false);
    let service = service_fn(async |request| {
        heard.store(true, Ordering::Relaxed);
        Ok::<_, Infallible>(counter.answer(&request).await)
    });
    let connection = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service);
    let silence = async {
        clock.sleep(HEAD_LIMIT).await;
        if heard.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    };
    // A connection that breaks is the browser's business: it will come again.
    tokio::select! { _ = connection => {}, () = silence => {} }
}
