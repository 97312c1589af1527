//! How a connection is made: directly or through a proxy's tunnel, in TLS where the target is https, in good time.

use std::{
    error::Error as StdError,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{
            HttpConnector,
            dns::{GaiAddrs, GaiResolver, Name},
            proxy::Tunnel,
        },
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

use super::ends::{Ends, Watched};
use crate::{
    Clock as _, ErrorKind, SystemClock, TimeoutKind,
    backends::failure::{find, is_exhausted},
    race,
};

type Source = Box<dyn StdError + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;
type Socket = TokioIo<TcpStream>;

/// Makes connections, each within its limit of time. hyper copies it twice for every request, so its parts are shared.
#[derive(Clone)]
pub(super) struct Connector(Arc<Parts>);

struct Parts {
    inner: HttpsConnector<Dial>,
    ends: Ends,
}

/// Makes the TCP connection, or the tunnel that takes its place.
#[derive(Clone)]
pub(super) struct Dial {
    tcp: HttpConnector<Names>,
    proxies: Option<Arc<Matcher>>,
}

/// Looks names up, and marks its failures as its own.
#[derive(Clone)]
pub(super) struct Names(GaiResolver);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("the name lookup failed")]
    Dns(#[source] Source),
    #[error("no connection")]
    Connect(#[source] Source),
    #[error("the TLS handshake failed")]
    Tls(#[source] Source),
    #[error("no tunnel through the proxy")]
    Proxy(#[source] Source),
    #[error("the proxy is not one to be used")]
    Unusable(#[source] Source),
    #[error("connecting took too long")]
    Late,
}

impl Problem {
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::Dns(cause) | Self::Connect(cause) | Self::Proxy(cause) if is_exhausted(&**cause) => {
                ErrorKind::Exhausted
            }
            Self::Dns(_) => ErrorKind::Dns,
            Self::Connect(_) => ErrorKind::Connect,
            Self::Tls(_) => ErrorKind::Tls,
            Self::Proxy(_) => ErrorKind::Proxy,
            Self::Unusable(_) => ErrorKind::InvalidRequest,
            Self::Late => ErrorKind::Timeout(TimeoutKind::Connect),
        }
    }
}

impl Connector {
    pub(super) fn new(dial: Dial, tls: rustls::ClientConfig, ends: Ends) -> Self {
        Self(Arc::new(Parts { inner: (dial, tls).into(), ends }))
    }
}

impl Service<Uri> for Connector {
    type Response = Watched<MaybeHttpsStream<Socket>>;
    type Error = Problem;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        Poll::Ready(Ok(())) // as every part of it is
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let parts = Arc::clone(&self.0);
        Box::pin(async move {
            let _making = parts.ends.making();
            let connecting = parts.inner.clone().call(target);
            match race::until(connecting, SystemClock.sleep(parts.ends.limit())).await {
                Ok(connected) => {
                    connected.map(|io| Watched::new(io, parts.ends.clone())).map_err(of_connecting)
                }
                Err(()) => Err(Problem::Late),
            }
        })
    }
}

impl Dial {
    pub(super) fn new(proxies: Option<Matcher>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Names(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        Self { tcp, proxies: proxies.map(Arc::new) }
    }

    fn tunnel(&self, proxy: &Intercept, target: Uri) -> Connecting<Socket> {
        let refusal = if target.scheme() != Some(&Scheme::HTTPS) {
            Some(
                "the environment names a proxy for a plain http target, which this backend does not support; use https, or add \
                 the target to NO_PROXY",
            )
        } else if proxy.uri().scheme() != Some(&Scheme::HTTP) {
            Some(
                "the proxy that the environment names is no http:// one, which this backend does not support; name another, or use \
                 the backend `Reqwest`",
            )
        } else {
            None
        };
        if let Some(reason) = refusal {
            return Box::pin(async move { Err(Problem::Unusable(reason.into())) });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
        if let Some(login) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        let connecting = tunnel.call(target);
        Box::pin(async move { connecting.await.map_err(|error| Problem::Proxy(error.into())) })
    }
}

impl Service<Uri> for Dial {
    type Response = Socket;
    type Error = Problem;
    type Future = Connecting<Socket>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        if let Some(proxy) = self.proxies.as_ref().and_then(|proxies| proxies.intercept(&target)) {
            return self.tunnel(&proxy, target);
        }
        let connecting = self.tcp.call(target);
        Box::pin(async move { connecting.await.map_err(|error| of_tcp(error.into())) })
    }
}

impl Service<Name> for Names {
    type Response = GaiAddrs;
    type Error = Problem;
    type Future = Connecting<GaiAddrs>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let looking = self.0.call(name);
        Box::pin(async move { looking.await.map_err(|error| Problem::Dns(error.into())) })
    }
}

fn of_tcp(error: Source) -> Problem {
    match find::<Problem>(&*error) {
        Some(Problem::Dns(_)) => Problem::Dns(error),
        _ => Problem::Connect(error),
    }
}

/// What the TLS connector reports: a problem of ours handed through, or one of its own.
fn of_connecting(error: Source) -> Problem {
    match error.downcast::<Problem>() {
        Ok(problem) => *problem,
        Err(error) if find::<rustls::Error>(&*error).is_some() => Problem::Tls(error),
        Err(error) => Problem::Connect(error),
    }
}
