//! Where an authorization server is, and how it speaks.

use http::{HeaderName, HeaderValue, Uri};
use url::{Host, Url};

/// Parameters of the authorization request that the flow sets itself.
pub(crate) const RESERVED: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// An authorization server, as plain data: two endpoints, a name, and a way of speaking.
///
/// Both endpoints are checked once, here, so that nothing built from a `Server` can send a secret in the clear:
/// `https`, or `http` when the *parsed* host is a loopback address or exactly `localhost`; no user info, no fragment.
/// A query is kept (RFC 6749 section 3.1). The endpoints are a unit: a code obtained from one server only ever goes to
/// the token endpoint of the same `Server` value (RFC 9700 section 4.4).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_core::{Server, Wire};
///
/// let server = Server::new(
///     "https://auth.example/authorize".parse()?,
///     "https://auth.example/token".parse()?,
/// )?
/// .with_issuer("https://auth.example")
/// .with_wire(Wire::rfc());
/// assert!(Server::new("http://localhost.evil.example/".parse()?, "https://auth.example/".parse()?).is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Server {
    authorization_endpoint: Url,
    token_endpoint: Url,
    token_uri: Uri,
    issuer: Option<String>,
    issuer_required: bool,
    wire: Wire,
}

impl Server {
    /// Creates a server that speaks as the RFC says ([`Wire::rfc`]) and whose issuer is not known.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when an endpoint is not `https` (or `http` on loopback), has user info or a fragment, cannot be
    /// written as a request target, or when the authorization endpoint's query already sets a parameter of the flow.
    pub fn new(authorization_endpoint: Url, token_endpoint: Url) -> Result<Self, ConfigError> {
        check("authorization", &authorization_endpoint)?;
        check("token", &token_endpoint)?;
        if authorization_endpoint.query_pairs().any(|(name, _)| RESERVED.contains(&&*name)) {
            return Err(ConfigError::ReservedParameter);
        }
        let token_uri = Uri::try_from(token_endpoint.as_str())
            .map_err(|_| ConfigError::NotARequestTarget { endpoint: "token" })?;
        Ok(Self {
            authorization_endpoint,
            token_endpoint,
            token_uri,
            issuer: None,
            issuer_required: false,
            wire: Wire::rfc(),
        })
    }

    /// Records the issuer identifier, to be compared byte for byte with `iss` in the redirect (RFC 9207 section 2.4).
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Refuses a redirect without `iss`, for servers that announce `authorization_response_iss_parameter_supported`.
    ///
    /// Without [`with_issuer`](Self::with_issuer) there is nothing to compare with, and every redirect is refused.
    #[must_use]
    pub fn with_issuer_required(mut self) -> Self {
        self.issuer_required = true;
        self
    }

    /// Sets how the server wants token requests written.
    #[must_use]
    pub fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// Returns where the user is sent to consent.
    #[must_use]
    pub fn authorization_endpoint(&self) -> &Url {
        &self.authorization_endpoint
    }

    /// Returns where codes and refresh tokens are sent.
    #[must_use]
    pub fn token_endpoint(&self) -> &Url {
        &self.token_endpoint
    }

    /// Returns the recorded issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Returns how the server wants token requests written.
    #[must_use]
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(crate) fn token_uri(&self) -> &Uri {
        &self.token_uri
    }

    pub(crate) fn requires_issuer(&self) -> bool {
        self.issuer_required
    }
}

/// How a server wants its token requests written: data, not code.
///
/// A server with a dialect of its own gets a `Wire` of its own; the exchanges do not know any server by name.
#[derive(Debug, Clone)]
pub struct Wire {
    code: Format,
    refresh: Format,
}

impl Wire {
    /// Creates a wire from the format of the code exchange and the format of the refresh.
    #[must_use]
    pub fn new(code: Format, refresh: Format) -> Self {
        Self { code, refresh }
    }

    /// Creates the wire of RFC 6749: forms everywhere.
    #[must_use]
    pub fn rfc() -> Self {
        Self::new(Format::form(), Format::form())
    }

    /// Creates the wire of the Claude endpoints: the code goes as a form that repeats `state`; the refresh goes as JSON
    /// with the beta header `oauth-2025-04-20`.
    #[must_use]
    pub fn claude() -> Self {
        let beta = HeaderName::from_static("anthropic-beta");
        Self::new(
            Format::form().with_state(),
            Format::json().with_header(beta, HeaderValue::from_static("oauth-2025-04-20")),
        )
    }

    pub(crate) fn code(&self) -> &Format {
        &self.code
    }

    pub(crate) fn refresh(&self) -> &Format {
        &self.refresh
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::rfc()
    }
}

/// How one kind of token request is written.
#[derive(Debug, Clone)]
pub struct Format {
    pub(crate) encoding: Encoding,
    pub(crate) state: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// How the members of a token request become a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Encoding {
    Form,
    Json,
}

impl Format {
    /// Creates a format with an `application/x-www-form-urlencoded` body (RFC 6749 section 4.1.3).
    #[must_use]
    pub fn form() -> Self {
        Self { encoding: Encoding::Form, state: false, headers: Vec::new() }
    }

    /// Creates a format with one flat JSON object as its body.
    #[must_use]
    pub fn json() -> Self {
        Self { encoding: Encoding::Json, state: false, headers: Vec::new() }
    }

    /// Repeats `state` in the body; only a code exchange has one.
    #[must_use]
    pub fn with_state(mut self) -> Self {
        self.state = true;
        self
    }

    /// Adds a fixed header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Why a [`Server`] cannot be used; the configuration has to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The scheme is not `https`, nor `http` on a loopback host.
    #[error(
        "the {endpoint} endpoint must use https (http is accepted for 127.0.0.0/8, [::1] and localhost only)"
    )]
    Insecure {
        /// Which endpoint it is: `authorization` or `token`.
        endpoint: &'static str,
    },
    /// The URL has a user name or a password.
    #[error(
        "the {endpoint} endpoint must not contain a user name or a password; remove the part before the @"
    )]
    UserInfo {
        /// Which endpoint it is: `authorization` or `token`.
        endpoint: &'static str,
    },
    /// The URL has a fragment (RFC 6749 sections 3.1 and 3.2).
    #[error("the {endpoint} endpoint must not contain a fragment; remove the part from the # on")]
    Fragment {
        /// Which endpoint it is: `authorization` or `token`.
        endpoint: &'static str,
    },
    /// The URL has characters that an HTTP request line cannot carry.
    #[error(
        "the {endpoint} endpoint cannot be used in an http request; percent-encode its unusual characters"
    )]
    NotARequestTarget {
        /// Which endpoint it is: `authorization` or `token`.
        endpoint: &'static str,
    },
    /// The authorization endpoint's query sets a parameter that belongs to the flow.
    #[error("the authorization endpoint's query sets a parameter of the login itself; remove it")]
    ReservedParameter,
}

fn check(endpoint: &'static str, url: &Url) -> Result<(), ConfigError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::UserInfo { endpoint });
    }
    if url.fragment().is_some() {
        return Err(ConfigError::Fragment { endpoint });
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        _ => Err(ConfigError::Insecure { endpoint }),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(endpoint: &str) -> Result<Server, ConfigError> {
        Server::new("https://a.example/".parse().unwrap(), endpoint.parse().unwrap())
    }

    #[test]
    fn plain_http_is_for_loopback_hosts_only() {
        for good in [
            "https://auth.example/token",
            "https://auth.example/token?tenant=1",
            "http://localhost:1/token",
            "http://LOCALHOST/token",
            "http://127.0.0.1/",
            "http://127.9.9.9/",
            "http://127.1/",
            "http://2130706433/",
            "http://[::1]:8080/",
        ] {
            assert!(server(good).is_ok(), "{good}");
        }
        for bad in [
            "http://auth.example/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://evil.example/localhost",
            "http://evil.example\\@localhost/",
            "http://localhost./",
            "http://localhos\u{0442}/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://128.0.0.1/",
            "ftp://localhost/",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert!(matches!(server(bad), Err(ConfigError::Insecure { .. })), "{bad}");
        }
    }

    #[test]
    fn user_info_fragments_and_odd_characters_are_refused() {
        let user = ConfigError::UserInfo { endpoint: "token" };
        for bad in ["http://localhost@evil.example/", "https://u@a.example/", "https://:p@a.example/"] {
            assert_eq!(server(bad).unwrap_err(), user, "{bad}");
        }
        assert_eq!(server("https://a.example/#x").unwrap_err(), ConfigError::Fragment { endpoint: "token" });
    }

    #[test]
    fn an_endpoint_query_may_not_set_the_parameters_of_the_flow() {
        let refused = Server::new(
            "https://a.example/?tenant=1&state=mine".parse().unwrap(),
            "https://a.example/".parse().unwrap(),
        );
        assert_eq!(refused.unwrap_err(), ConfigError::ReservedParameter);
    }
}
