//! The reqwest backend; no other file names that crate.

mod failure;
mod target;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper_util::client::proxy::matcher::Matcher;

use self::target::Targets;
use super::{
    incoming,
    outgoing::Outgoing,
    proxies::{self, would_see},
    tls::{self, BuildError},
};
use crate::{Error, ErrorKind, HttpBackend, Reach, Request, Sending};

/// Sends requests with pooled connections, over HTTP/1.1 or, with the feature `http2`, over HTTP/2.
///
/// TLS is rustls with the ring provider and the machine's own CA certificates. A machine without any can still talk
/// plain HTTP; only https then fails, with [`ErrorKind::Tls`](crate::ErrorKind::Tls).
///
/// Proxies come from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) when the backend is
/// built. Loopback addresses are no exception: name them in `NO_PROXY` (where `*` is all hosts), or build with
/// [`no_proxy`](ReqwestBuilder::no_proxy), if they must not go through a proxy. A value that is no address counts as none,
/// and a CGI program (`REQUEST_METHOD` is set) takes no `HTTP_PROXY`, which its visitors can set. A plain `http` target for which
/// they name a proxy on another machine is refused with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest): the
/// request would lie open to it.
///
/// There are no redirects, cookies, referers, decompression or timeouts except for connecting. A request that still waits
/// on a pooled connection when that one is closed is sent on another within the same attempt. One that HTTP/2 refused is
/// an error with [`Reach::NotSent`](crate::Reach), which [`Retry`](crate::layers::Retry) sends again at once.
///
/// Very rarely hyper forgets a request that is given to a connection just as that one ends
/// (`docs/decisions/0024-forgotten-requests.md`). Wrap this backend into a [`Timeout`](crate::layers::Timeout), which ends
/// the wait.
///
/// It needs a tokio runtime with I/O and time enabled. Clones share the connections.
#[derive(Clone)]
pub struct Reqwest {
    client: ::reqwest::Client,
    targets: Arc<Targets>,
    proxies: Option<Arc<Matcher>>,
}

/// The settings of a [`Reqwest`] backend.
#[derive(Clone, Debug)]
#[must_use = "call build() to get the backend"]
pub struct ReqwestBuilder {
    connect_timeout: Duration,
    roots: Vec<Bytes>,
    no_proxy: bool,
}

impl Reqwest {
    /// Starts with the defaults: 5 s to connect, the machine's CA certificates.
    pub fn builder() -> ReqwestBuilder {
        ReqwestBuilder { connect_timeout: Duration::from_secs(5), roots: Vec::new(), no_proxy: false }
    }
}

impl fmt::Debug for Reqwest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reqwest")
    }
}

impl ReqwestBuilder {
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
    ///
    /// For servers that are known to be on this machine.
    pub fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self
    }

    /// Makes the backend; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the extra certificates or the proxy settings in the environment cannot be used.
    pub fn build(self) -> Result<Reqwest, BuildError> {
        let tls = tls::config(&self.roots)?;
        let mut client = ::reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(self.connect_timeout)
            .tcp_keepalive(Duration::from_secs(60))
            .redirect(::reqwest::redirect::Policy::none())
            // It would copy every request, for what `Retry` does without.
            .retry(::reqwest::retry::never().max_retries_per_request(0))
            .referer(false);
        // What the client would ask itself.
        let proxies = (!self.no_proxy).then(Matcher::from_system).filter(proxies::are_used);
        if proxies.is_none() {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| BuildError::client(error.without_url()))?;
        Ok(Reqwest { client, targets: Arc::default(), proxies: proxies.map(Arc::new) })
    }
}

impl Reqwest {
    fn prepare(&self, request: Request) -> Result<::reqwest::Request, Error> {
        incoming::check_target(request.uri())?;
        let url = self.targets.url(request.uri())?;
        if let Some(proxies) = &self.proxies {
            // As reqwest will ask for it: a host may be written in many ways.
            let target = url.as_str().parse().unwrap_or_else(|_| request.uri().clone());
            if let Some(why) = would_see(proxies, &target) {
                let error = Error::new(ErrorKind::InvalidRequest, Reach::NotSent, why);
                return Err(error.with_target(&target));
            }
        }
        let (head, content) = request.into_parts();
        let mut request = ::reqwest::Request::new(head.method, url);
        *request.version_mut() = head.version;
        *request.headers_mut() = head.headers;
        *request.body_mut() = Some(match head.extensions.get() {
            Some(upload) => ::reqwest::Body::wrap(Outgoing::upload(upload)),
            None => content.into(),
        });
        Ok(request)
    }
}

impl HttpBackend for Reqwest {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        let uri = request.uri().clone();
        // Not in the future: it would be allocated for each call, and has no more room than a few pointers take.
        let answer = self.prepare(request).map(|request| self.client.execute(request));
        Box::pin(async move {
            match answer?.await {
                Ok(response) => {
                    let response: http::Response<::reqwest::Body> = response.into();
                    Ok(response.map(|body| incoming::body(body, uri, failure::of_body)))
                }
                Err(error) => Err(failure::of_request(error).with_target(&uri)),
            }
        })
    }
}
