//! The backend with hyper alone: its pooling client, rustls, and a connector of our own.

mod connector;
mod ends;
#[cfg(feature = "http2")]
mod life;
#[cfg(any(test, not(feature = "http2")))]
mod taken;

use std::{fmt, time::Duration};

use ::hyper::Uri;
use bytes::Bytes;
use hyper_util::{
    client::{legacy::Client, proxy::matcher::Matcher},
    rt::{TokioExecutor, TokioTimer},
};

use self::{
    connector::{Connector, Dial, Problem},
    ends::Ends,
};
use super::{
    failure, incoming,
    outgoing::Outgoing,
    proxies,
    tls::{self, BuildError},
};
use crate::{Error, ErrorKind, HttpBackend, Reach, Request, Sending, SystemClock, Upload, race};

// What it takes to know that hyper has forgotten a request.
#[cfg(feature = "http2")]
use self::life as trail;
#[cfg(not(feature = "http2"))]
use self::taken as trail;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(90);

/// Sends requests with pooled connections, over HTTP/1.1 or, with the feature `http2`, over HTTP/2, with fewer parts between
/// than `Reqwest` has.
///
/// TLS is rustls with the ring provider and the machine's own CA certificates; ALPN chooses the version of HTTP. A
/// machine without any certificates can still talk plain HTTP.
///
/// Proxies come from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) when the backend is built, and are asked
/// for a tunnel, so that they see the target's name and nothing else. Only `http://` proxies are supported, and none
/// for a plain `http` target: where the environment asks for one, the request fails with [`ErrorKind::InvalidRequest`] and
/// nothing is sent. Build with [`no_proxy`](HyperBuilder::no_proxy) to connect directly, as a `*` in `NO_PROXY` says for all
/// hosts.
///
/// There are no redirects, cookies, referers, decompression, default headers or timeouts except for connecting. A
/// request that still waits on a pooled connection when that one is closed is sent on another within the same attempt;
/// one that hyper forgets there (`docs/decisions/0024-forgotten-requests.md`) is an error two or three seconds after its
/// connection's end, or as much after the connect timeout where connections are being made all the while.
///
/// It needs a tokio runtime with I/O and time enabled. Clones share the connections.
#[derive(Clone)]
pub struct Hyper {
    client: Client<Connector, trail::Followed>,
    ends: Ends,
}

/// The settings of a [`Hyper`] backend.
#[derive(Clone, Debug)]
#[must_use = "call build() to get the backend"]
pub struct HyperBuilder {
    connect_timeout: Duration,
    roots: Vec<Bytes>,
    no_proxy: bool,
}

impl Hyper {
    /// Starts with the defaults: 5 s to connect, the machine's CA certificates.
    pub fn builder() -> HyperBuilder {
        HyperBuilder { connect_timeout: Duration::from_secs(5), roots: Vec::new(), no_proxy: false }
    }
}

impl fmt::Debug for Hyper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hyper")
    }
}

impl HyperBuilder {
    /// Sets how long making a connection may take, from the name lookup to the end of the TLS handshake.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Trusts the CA certificates in `pem` in addition to the machine's; may be called again for more.
    pub fn root_certificates(mut self, pem: impl Into<Bytes>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Connects directly, whatever proxies the environment names.
    pub fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self
    }

    /// Makes the backend; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the extra certificates cannot be used.
    pub fn build(self) -> Result<Hyper, BuildError> {
        let proxies = (!self.no_proxy).then(Matcher::from_env).filter(proxies::are_used);
        let (ends, tls) = (Ends::new(self.connect_timeout), tls::config(&self.roots)?);
        let connector = Connector::new(Dial::new(proxies), tls, ends.clone());
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Hyper { client, ends })
    }
}

impl HttpBackend for Hyper {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        let uri = request.uri().clone();
        let answer = check_scheme(&uri).and_then(|()| incoming::check_target(&uri)).map(|()| {
            let upload = Upload::of(&request).map(Outgoing::upload);
            let request = request.map(|bytes| upload.unwrap_or_else(|| Outgoing::whole(bytes)));
            let (request, trail) = trail::follow(request);
            // From before the request is sent, so that no end is missed.
            let end = self.ends.next();
            (self.client.request(request), trail, end)
        });
        Box::pin(async move {
            let (answer, trail, end) = answer?;
            let forgotten = trail::forgotten(&SystemClock, &self.ends, end, &trail);
            match race::until(answer, forgotten).await {
                Ok(Ok(response)) => Ok(response.map(|body| incoming::body(body, uri, of_body))),
                Ok(Err(error)) => Err(of_request(error).with_target(&uri)),
                Err(reach) => Err(Error::bare(ErrorKind::Closed, reach).with_target(&uri)),
            }
        })
    }
}

fn check_scheme(uri: &Uri) -> Result<(), Error> {
    if matches!(uri.scheme_str(), Some("http" | "https")) {
        return Ok(());
    }
    let reason = "the URL begins with neither http:// nor https://";
    Err(Error::new(ErrorKind::InvalidRequest, Reach::NotSent, reason).with_target(uri))
}

/// An error instead of a response.
fn of_request(error: hyper_util::client::legacy::Error) -> Error {
    let (kind, reach) = match failure::find::<Problem>(&error) {
        Some(problem) => (problem.kind(), Reach::NotSent),
        None if error.is_connect() => (ErrorKind::Connect, Reach::NotSent),
        None => failure::of_exchange(&error),
    };
    Error::new(kind, reach, error)
}

/// An error after the head of the response.
fn of_body(error: ::hyper::Error) -> Error {
    Error::new(failure::of_body(&error), Reach::Answered, error)
}
