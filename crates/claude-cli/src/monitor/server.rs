//! The page and the metrics, over HTTP, for this machine.
//!
//! A page of somebody else's that runs in a browser on this machine could ask here too, under a name of its own that leads to
//! this address. So only names that are known are answered, nothing can be changed by a request, and no other page may read or
//! embed an answer.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{anyhow, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

mod guests;
mod hasty;

use guests::Guests;
use hasty::Hasty;

use super::{
    Monitor,
    chart::{self, Range},
    exposition,
    state::state,
};

/// How long a request may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);
const READERS: usize = 4;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Scripts and styles from here alone, pictures from nowhere, and nothing is sent anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Who listens, and by which names.
#[derive(Debug)]
pub(super) struct Server {
    listener: TcpListener,
    hosts: Vec<String>,
    history: PathBuf,
    /// Who may read the history at the same time: a disk that stands still is not to take all threads.
    readers: Arc<Semaphore>,
}

impl Server {
    /// Takes the port. What is not of this machine alone has to be named, by the names it will be asked for by.
    pub(super) async fn bind(
        address: SocketAddr,
        names: &[String],
        history: PathBuf,
    ) -> anyhow::Result<Self> {
        if !address.ip().is_loopback() && names.is_empty() {
            bail!(
                "{address} can be reached from other machines, and the page asks for no password; serve on 127.0.0.1, or say with \
                 --host by which name they may ask"
            );
        }
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                anyhow!("something else listens on {address} already; give --serve another port, or 0 for any free one")
            }
            _ => anyhow!("nothing can listen on {address}: {error}; give --serve another address"),
        })?;
        let mut hosts = names.to_vec();
        // An address is no name that somebody else could have lead here.
        hosts.extend((!address.ip().is_unspecified()).then(|| match address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        }));
        if address.ip().is_loopback() || address.ip().is_unspecified() {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Ok(Self { listener, hosts, history, readers: Arc::new(Semaphore::new(READERS)) })
    }

    /// Where the page is, by a name that is answered.
    pub(super) fn url(&self) -> io::Result<String> {
        let address = self.listener.local_addr()?;
        match self.hosts.first().filter(|_| address.ip().is_unspecified()) {
            Some(name) => Ok(format!("http://{name}:{}/", address.port())),
            None => Ok(format!("http://{address}/")),
        }
    }

    /// Answers for ever.
    pub(super) async fn serve(self, monitor: Arc<Monitor>) -> Infallible {
        let server = Arc::new(self);
        let mut guests = Guests::default();
        loop {
            let Ok((socket, _)) = server.listener.accept().await else {
                // Out of descriptors: those who are here have to go first.
                monitor.clock.sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (server, monitor) = (Arc::clone(&server), Arc::clone(&monitor));
            while !guests.make_room() {
                monitor.clock.sleep(Duration::from_millis(100)).await;
            }
            guests.seat(|has_asked| {
                tokio::spawn(async move {
                    let socket = Hasty::new(socket, Arc::clone(&monitor.clock), PATIENCE);
                    server.connection(socket, &monitor, &has_asked).await;
                })
            });
        }
    }

    /// One request and its answer: who keeps a connection keeps somebody else out.
    async fn connection(&self, socket: Hasty<TcpStream>, monitor: &Monitor, has_asked: &AtomicBool) {
        let answer = service_fn(async |request| {
            has_asked.store(true, Ordering::Relaxed);
            Ok::<_, Infallible>(self.answer(&request, monitor).await)
        });
        let mut connection = http1::Builder::new();
        connection.keep_alive(false);
        connection.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 * 1024);
        // A connection that ends badly is the other side's affair.
        let _ = connection.serve_connection(TokioIo::new(socket), answer).await;
    }

    async fn answer(&self, request: &Request<Incoming>, monitor: &Monitor) -> Response<Full<Bytes>> {
        if !self.knows(request.headers()) {
            let told =
                "This is another name than the monitor goes by; say with --host by which it may be asked.\n";
            return response(StatusCode::MISDIRECTED_REQUEST, TEXT, told);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "There is only to read here.\n");
            refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        match request.uri().path() {
            "/" => response(StatusCode::OK, HTML, include_str!("page/page.html")),
            "/page.css" => response(StatusCode::OK, "text/css; charset=utf-8", include_str!("page/page.css")),
            "/page.js" => {
                response(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("page/page.js"))
            }
            "/state" => self.state(request.uri().query().unwrap_or_default(), monitor).await,
            "/metrics" => response(StatusCode::OK, PROMETHEUS, exposition::text(monitor)),
            _ => response(StatusCode::NOT_FOUND, TEXT, "There are /, /state and /metrics.\n"),
        }
    }

    /// Whether the request is for a name of ours, whatever the port: a tunnel may lead here from another one.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        self.hosts.iter().any(|known| name.eq_ignore_ascii_case(known))
    }

    async fn state(&self, query: &str, monitor: &Monitor) -> Response<Full<Bytes>> {
        let range = query.split('&').find_map(|pair| pair.strip_prefix("range=")).unwrap_or("hour");
        let Some(range) = Range::named(range) else {
            return response(StatusCode::BAD_REQUEST, TEXT, "The range is hour, day, month or all.\n");
        };
        let now = super::seconds(monitor.clock.now());
        let mut state = state(monitor, now);
        let chart = match range {
            Range::Hour => {
                let mut board = monitor.board();
                let steady = board.steady.now(now);
                Some(chart::hour(&board.windows, steady, now))
            }
            range => self.past(range, now, monitor).await,
        };
        let is_there = chart.is_some();
        let empty = || serde_json::json!({"from": now - 60, "to": now, "series": {}});
        if let Value::Object(members) = &mut state {
            members.insert("chart".to_owned(), chart.unwrap_or_else(empty));
            if let Some(Value::Array(notes)) = members.get_mut("notes").filter(|_| !is_there) {
                notes.push("the history cannot be read now".into());
            }
        }
        response(StatusCode::OK, JSON, state.to_string())
    }

    /// On another thread and not for ever: the disk may stand still.
    async fn past(&self, range: Range, now: i64, monitor: &Monitor) -> Option<Value> {
        let (path, seat) = (self.history.clone(), Arc::clone(&self.readers).try_acquire_owned().ok()?);
        let read = tokio::task::spawn_blocking(move || {
            let chart = chart::past(range, &path, now);
            drop(seat);
            chart
        });
        tokio::select! {
            read = read => read.ok()?.ok(),
            () = monitor.clock.sleep(Duration::from_secs(5)) => None,
        }
    }
}

fn response(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
