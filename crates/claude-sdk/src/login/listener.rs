use std::{
    collections::VecDeque,
    convert::Infallible,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use auth_core::{CodeGrant, PendingAuthorization};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};
use url::Url;

use super::failed;
use crate::error::AuthError;

mod page;

/// The one path that is answered.
const PATH: &str = "/callback";
/// How many connections are served at once; one more ends the oldest, so that nobody can keep the browser out by
/// saying nothing (C28).
const CONNECTIONS: usize = 16;
/// How long a connection may take to send its head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest head that is read, in bytes; hyper's own minimum.
const HEAD_LIMIT: usize = 8 * 1024;
/// How often another port is tried where the first is taken on one address family only.
const TRIES: u32 = 16;

/// The loopback listener that receives one redirect (RFC 8252 section 7.3).
///
/// It is bound to loopback only, on a port of the system's choice, on IPv4 and, where the machine has it, on IPv6:
/// `localhost` may mean either, and a stranger on the other family would receive the code.
#[derive(Debug)]
pub(super) struct Listener {
    port: u16,
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Listener {
    pub(super) async fn bind() -> Result<Self, AuthError> {
        for _ in 0..TRIES {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|e| unbound(&e))?;
            let port = v4.local_addr().map_err(|e| unbound(&e))?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(v6) => return Ok(Self { port, v4, v6: Some(v6) }),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Err(_) => return Ok(Self { port, v4, v6: None }),
            }
        }
        Err(failed("no port is free on both 127.0.0.1 and ::1".into()))
    }

    pub(super) fn redirect_uri(&self) -> Result<Url, AuthError> {
        let text = format!("http://localhost:{}{PATH}", self.port);
        Url::parse(&text).map_err(|error| failed(error.to_string()))
    }

    /// Serves until `pending`'s own callback has come and its page is written. Other connections are then closed.
    pub(super) async fn receive(self, pending: PendingAuthorization) -> Result<CodeGrant, AuthError> {
        let desk = Arc::new(Desk { port: self.port, state: Mutex::new(State::Waiting(pending)) });
        let mut serving = JoinSet::new();
        let mut oldest_first = VecDeque::new();
        loop {
            tokio::select! {
                Some(_) = serving.join_next() => {
                    if let Some(outcome) = desk.outcome() {
                        return outcome;
                    }
                    oldest_first.retain(|connection: &AbortHandle| !connection.is_finished());
                }
                socket = self.accept() => {
                    if oldest_first.len() >= CONNECTIONS && let Some(oldest) = oldest_first.pop_front() {
                        oldest.abort();
                    }
                    let desk = Arc::clone(&desk);
                    oldest_first.push_back(serving.spawn(async move { serve(socket, &desk).await }));
                    // Who has come is heard before the next one comes in, however many wait outside.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// The next connection.
    async fn accept(&self) -> TcpStream {
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
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
}

async fn serve(socket: TcpStream, desk: &Desk) {
    let service =
        service_fn(|request: Request<Incoming>| async move { Ok::<_, Infallible>(desk.answer(&request)) });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LIMIT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service);
    // A connection that breaks is the browser's business: it will come again.
    drop(connection.await);
}

/// Where callbacks are judged.
struct Desk {
    port: u16,
    state: Mutex<State>,
}

enum State {
    Waiting(PendingAuthorization),
    Over(Result<CodeGrant, AuthError>),
    Told,
}

impl Desk {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !self.is_for_us(request.headers()) {
            return page::plain(StatusCode::FORBIDDEN, "this is not the address of a login");
        }
        if request.uri().path() != PATH {
            return page::plain(StatusCode::NOT_FOUND, "nothing is here");
        }
        if request.method() != Method::GET {
            return page::plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
        }
        let target = request.uri().path_and_query().map_or(PATH, |target| target.as_str());
        self.judge(target)
    }

    /// A name that resolves to loopback may still be a stranger's (DNS rebinding, C26).
    fn is_for_us(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host == format!("{name}:{}", self.port))
    }

    fn judge(&self, target: &str) -> Response<Full<Bytes>> {
        let mut state = self.state();
        let pending = match std::mem::replace(&mut *state, State::Told) {
            State::Waiting(pending) => pending,
            over => {
                *state = over;
                return page::done(StatusCode::GONE, "This login is over", "You can close this window.");
            }
        };
        match pending.complete(target) {
            Ok(grant) => {
                *state = State::Over(Ok(grant));
                page::done(StatusCode::OK, "You are logged in", "You can close this window and go back.")
            }
            Err(error) => {
                let reason = error.to_string();
                match error.into_pending() {
                    // Not this login's callback: the login goes on (C11, C12).
                    Some(pending) => {
                        *state = State::Waiting(pending);
                        page::done(
                            StatusCode::BAD_REQUEST,
                            "This is not the login that is waiting",
                            "Go back to the page of the login and try again.",
                        )
                    }
                    None => {
                        *state = State::Over(Err(failed(reason)));
                        page::done(
                            StatusCode::BAD_REQUEST,
                            "You are not logged in",
                            "The login was refused. The program that began it says why.",
                        )
                    }
                }
            }
        }
    }

    /// How the login ended, told once.
    fn outcome(&self) -> Option<Result<CodeGrant, AuthError>> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Told) {
            State::Over(outcome) => Some(outcome),
            other => {
                *state = other;
                None
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unbound(error: &std::io::Error) -> AuthError {
    failed(format!("no port could be opened on loopback ({})", error.kind()))
}
