//! Where the API is and how it is spoken to.

use std::fmt;

use http::{
    HeaderName, HeaderValue, Uri,
    uri::{self, Authority, PathAndQuery, Scheme},
};
use url::{Host, Url};

use crate::error::ConfigError;

/// A base URL as it was given. Somebody may have put a secret into it, or in its place: its `Debug` shows the origin alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct GivenUrl(pub(crate) String);

impl fmt::Debug for GivenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(&self.0) {
            Ok(url) if url.has_host() => write!(f, "{}/…", url.origin().ascii_serialization()),
            _ => f.write_str("[no URL]"),
        }
    }
}

/// The version of the API a client speaks, sent as `anthropic-version`.
///
/// The version also decides how an API key travels (API documentation: versions): the newest as
/// `Authorization: Bearer`, the older one as `x-api-key`, which gateways and older servers still expect.
///
/// ```
/// use claude_sdk::{ApiVersion, Client};
///
/// let gateway = Client::builder()
///     .base_url("https://gateway.example/anthropic")
///     .api_version(ApiVersion::V2023_06_01)
///     .api_key("sk-ant-example")
///     .build()?;
/// # Ok::<(), claude_sdk::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ApiVersion {
    /// `2026-10-21`, the default: an API key travels as a bearer token.
    #[default]
    V2026_10_21,
    /// `2023-06-01`: an API key travels as `x-api-key`.
    V2023_06_01,
}

impl ApiVersion {
    /// The value of the `anthropic-version` header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2026_10_21 => "2026-10-21",
            Self::V2023_06_01 => "2023-06-01",
        }
    }

    /// The header that carries it.
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("anthropic-version");

    pub(crate) fn header(self) -> HeaderValue {
        match self {
            Self::V2026_10_21 => const { HeaderValue::from_static("2026-10-21") },
            Self::V2023_06_01 => const { HeaderValue::from_static("2023-06-01") },
        }
    }
}

impl std::str::FromStr for ApiVersion {
    type Err = ConfigError;

    /// Reads the date form, `2026-10-21` or `2023-06-01`.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text {
            "2026-10-21" => Ok(Self::V2026_10_21),
            "2023-06-01" => Ok(Self::V2023_06_01),
            _ => Err(ConfigError::ApiVersion),
        }
    }
}

/// The default base URL of the API.
pub(crate) const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// A base URL that credentials may be sent to: TLS, or plain HTTP on loopback; a path prefix is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    url: Url,
    scheme: Scheme,
    authority: Authority,
    /// The path, which ends in a slash.
    prefix: String,
}

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut url = Url::parse(text.trim()).map_err(|source| ConfigError::BaseUrl { source })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::BaseUrlUserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ConfigError::BaseUrlQuery);
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(ConfigError::BaseUrlScheme { scheme: url.scheme().to_owned() });
        }
        if !is_confidential(&url) {
            return Err(ConfigError::Cleartext { host: url.host_str().unwrap_or_default().to_owned() });
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let source = || ConfigError::BaseUrl { source: url::ParseError::EmptyHost };
        let uri: Uri = url.as_str().parse().map_err(|_| source())?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(source()) };
        let prefix = url.path().to_owned();
        Ok(Self { url, scheme, authority, prefix })
    }

    /// The URL of a route such as `v1/messages`, below the prefix.
    pub(crate) fn join(&self, route: &str) -> Result<Url, ConfigError> {
        self.url.join(route).map_err(|source| ConfigError::BaseUrl { source })
    }

    /// The URI of a route such as `v1/messages`, below the prefix; the route may have a query.
    pub(crate) fn uri(&self, route: &str) -> Result<Uri, ConfigError> {
        let mut path = String::with_capacity(self.prefix.len() + route.len());
        path.push_str(&self.prefix);
        path.push_str(route);
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = PathAndQuery::from_maybe_shared(bytes::Bytes::from(path)).ok();
        Uri::from_parts(parts).map_err(|_| ConfigError::Identifier { value: route.into() })
    }

    /// Whether `uri` is of this very scheme, host and port.
    #[inline]
    pub(crate) fn is_origin_of(&self, uri: &Uri) -> bool {
        // As text: letter by letter without regard to case takes longer, and nearly all are written the same.
        let is_same = uri.scheme() == Some(&self.scheme)
            && uri.authority().is_some_and(|authority| authority.as_str() == self.authority.as_str());
        is_same || self.is_same_origin(uri)
    }

    #[cold]
    #[inline(never)]
    fn is_same_origin(&self, uri: &Uri) -> bool {
        Url::parse(&uri.to_string()).is_ok_and(|url| url.origin() == self.url.origin())
    }

    /// The token endpoint of the deployment this URL belongs to.
    pub(crate) fn as_url(&self) -> &Url {
        &self.url
    }

    /// Whether the URL is without TLS, and so, by the rules above, on this very machine.
    #[cfg(feature = "reqwest")]
    pub(crate) fn is_cleartext(&self) -> bool {
        self.url.scheme() == "http"
    }
}

/// Whether what is sent to `url` cannot be read on the way: `https`, or `http` to this very machine.
///
/// The host is compared as parsed, never as text: `http://localhost.evil.example` is not loopback (C36).
fn is_confidential(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prefix_is_kept_with_and_without_a_trailing_slash() {
        for text in ["https://gateway.example/claude", "https://gateway.example/claude/"] {
            let uri = BaseUrl::parse(text).unwrap().uri("v1/messages").unwrap();
            assert_eq!(uri.to_string(), "https://gateway.example/claude/v1/messages");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only_whatever_the_host_looks_like() {
        for text in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost", "http://LOCALHOST:1/x"]
        {
            assert!(BaseUrl::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://api.anthropic.com",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "http://[::ffff:8.8.8.8]",
        ] {
            assert!(matches!(BaseUrl::parse(text), Err(ConfigError::Cleartext { .. })), "{text}");
        }
        for text in ["ftp://localhost", "data:text/plain,x", "localhost:8080"] {
            assert!(matches!(BaseUrl::parse(text), Err(ConfigError::BaseUrlScheme { .. })), "{text}");
        }
        assert!(matches!(BaseUrl::parse("http://localhost@evil.example"), Err(ConfigError::BaseUrlUserInfo)));
    }
}
