//! Where an authorization server is, and how it speaks.

mod wire;

use http::Uri;
use url::{Host, Url};

pub(crate) use self::wire::Encoding;
pub use self::wire::{Format, Wire};

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

/// An authorization server, as plain data: its endpoints, a name, and a way of speaking.
///
/// Endpoints are checked once, here, so that nothing built from a `Server` can send a secret in the clear:
/// `https`, or `http` when the *parsed* host is a loopback address or exactly `localhost`; no user info, no fragment.
/// A query is kept (RFC 6749 section 3.1). The endpoints are a unit: a code obtained from one server only ever goes to
/// the token endpoint of the same `Server` value (RFC 9700 section 4.4).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_core::{Server, Wire};
///
/// let server = Server::new("https://auth.example/token".parse()?)?
///     .with_authorization_endpoint("https://auth.example/authorize".parse()?)?
///     .with_issuer("https://auth.example")
///     .with_wire(Wire::rfc());
/// assert!(Server::new("http://localhost.evil.example/".parse()?).is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Server {
    token_endpoint: Url,
    token_uri: Uri,
    authorization_endpoint: Option<Url>,
    revocation: Option<(Url, Uri)>,
    issuer: Option<String>,
    issuer_required: bool,
    wire: Wire,
}

impl Server {
    /// Creates a server that speaks as the RFC says ([`Wire::rfc`]) and whose issuer is not known.
    ///
    /// The token endpoint is all that a refresh, client credentials or an assertion need (RFC 6749 section 3.2).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the endpoint is not `https` (or `http` on loopback), has user info or a fragment, or cannot
    /// be written as a request target.
    pub fn new(token_endpoint: Url) -> Result<Self, ConfigError> {
        check("token", &token_endpoint)?;
        let token_uri = request_target("token", &token_endpoint)?;
        Ok(Self {
            token_endpoint,
            token_uri,
            authorization_endpoint: None,
            revocation: None,
            issuer: None,
            issuer_required: false,
            wire: Wire::rfc(),
        })
    }

    /// Sets where the user is sent to consent (RFC 6749 section 3.1).
    ///
    /// Without it there is no login with a browser on this machine; an [`AuthorizationRequest`](crate::AuthorizationRequest)
    /// says so.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] under the same rules as for [`new`](Self::new), and when the endpoint's query already sets a
    /// parameter of the flow.
    pub fn with_authorization_endpoint(mut self, endpoint: Url) -> Result<Self, ConfigError> {
        check("authorization", &endpoint)?;
        if endpoint.query_pairs().any(|(name, _)| RESERVED.contains(&&*name)) {
            return Err(ConfigError::ReservedParameter);
        }
        self.authorization_endpoint = Some(endpoint);
        Ok(self)
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

    /// Sets where tokens are revoked (RFC 7009 section 2).
    ///
    /// Without it [`exchange::revoke`](crate::exchange::revoke) has nowhere to go, and a logout is only local.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] under the same rules as for [`new`](Self::new).
    pub fn with_revocation_endpoint(mut self, endpoint: Url) -> Result<Self, ConfigError> {
        check("revocation", &endpoint)?;
        let target = request_target("revocation", &endpoint)?;
        self.revocation = Some((endpoint, target));
        Ok(self)
    }

    /// Sets how the server wants token requests written.
    #[must_use]
    pub fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// Returns where grants of every kind are sent.
    #[must_use]
    pub fn token_endpoint(&self) -> &Url {
        &self.token_endpoint
    }

    /// Returns where the user is sent to consent, if that is known.
    #[must_use]
    pub fn authorization_endpoint(&self) -> Option<&Url> {
        self.authorization_endpoint.as_ref()
    }

    /// Returns where tokens are revoked, if that is known.
    #[must_use]
    pub fn revocation_endpoint(&self) -> Option<&Url> {
        self.revocation.as_ref().map(|(endpoint, _)| endpoint)
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

    pub(crate) fn revocation_uri(&self) -> Option<&Uri> {
        self.revocation.as_ref().map(|(_, target)| target)
    }

    pub(crate) fn requires_issuer(&self) -> bool {
        self.issuer_required
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
        /// Which endpoint it is: `authorization`, `token`, `revocation` and so on.
        endpoint: &'static str,
    },
    /// The URL has a user name or a password.
    #[error(
        "the {endpoint} endpoint must not contain a user name or a password; remove the part before the @"
    )]
    UserInfo {
        /// Which endpoint it is: `authorization`, `token`, `revocation` and so on.
        endpoint: &'static str,
    },
    /// The URL has a fragment (RFC 6749 sections 3.1 and 3.2).
    #[error("the {endpoint} endpoint must not contain a fragment; remove the part from the # on")]
    Fragment {
        /// Which endpoint it is: `authorization`, `token`, `revocation` and so on.
        endpoint: &'static str,
    },
    /// The URL has characters that an HTTP request line cannot carry.
    #[error(
        "the {endpoint} endpoint cannot be used in an http request; percent-encode its unusual characters"
    )]
    NotARequestTarget {
        /// Which endpoint it is: `authorization`, `token`, `revocation` and so on.
        endpoint: &'static str,
    },
    /// The authorization endpoint's query sets a parameter that belongs to the flow.
    #[error("the authorization endpoint's query sets a parameter of the login itself; remove it")]
    ReservedParameter,
    /// A login with a browser was begun at a server that has no place for it.
    #[error(
        "the server has no authorization endpoint; set one with Server::with_authorization_endpoint, \
         or use a grant that needs no browser"
    )]
    NoAuthorizationEndpoint,
}

pub(crate) fn check(endpoint: &'static str, url: &Url) -> Result<(), ConfigError> {
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

pub(crate) fn request_target(endpoint: &'static str, url: &Url) -> Result<Uri, ConfigError> {
    Uri::try_from(url.as_str()).map_err(|_| ConfigError::NotARequestTarget { endpoint })
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
        Server::new(endpoint.parse().unwrap())
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

    /// C36 for the other endpoints: what goes there, or begins there, is as secret.
    #[test]
    fn every_other_endpoint_keeps_the_same_rules() {
        let server = server("https://a.example/token").unwrap();
        assert_eq!(server.authorization_endpoint(), None);
        assert_eq!(server.revocation_endpoint(), None);
        for (endpoint, revocation) in [("authorization", false), ("revocation", true)] {
            let with = |address: &str| {
                let (server, address) = (server.clone(), address.parse().unwrap());
                if revocation {
                    server.with_revocation_endpoint(address)
                } else {
                    server.with_authorization_endpoint(address)
                }
            };
            for good in ["https://a.example/x?tenant=1", "http://127.0.0.1:1/x"] {
                let server = with(good).unwrap();
                let set = [server.authorization_endpoint(), server.revocation_endpoint()];
                assert_eq!(set[usize::from(revocation)].unwrap().as_str(), good);
                assert_eq!(set[usize::from(!revocation)], None);
            }
            for (bad, error) in [
                ("http://a.example/x", ConfigError::Insecure { endpoint }),
                ("http://localhost.evil.example/", ConfigError::Insecure { endpoint }),
                ("https://u:p@a.example/x", ConfigError::UserInfo { endpoint }),
                ("https://a.example/x#y", ConfigError::Fragment { endpoint }),
            ] {
                assert_eq!(with(bad).unwrap_err(), error, "{bad}");
            }
        }
    }

    #[test]
    fn an_endpoint_query_may_not_set_the_parameters_of_the_flow() {
        let endpoint = "https://a.example/?tenant=1&state=mine".parse().unwrap();
        let refused = server("https://a.example/").unwrap().with_authorization_endpoint(endpoint);
        assert_eq!(refused.unwrap_err(), ConfigError::ReservedParameter);
    }
}
