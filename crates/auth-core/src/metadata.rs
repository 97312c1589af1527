//! What a server says about itself (RFC 8414).

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::{ConfigError, Server, server, status::Shown};

/// An authorization server as its own metadata describes it, checked (RFC 8414 section 3).
///
/// Discovery is a choice: a [`Server`] written down by hand asks nobody, and nothing in this crate looks for metadata
/// by itself. Who does choose it fetches the [`locations`](Self::locations) in turn, without following redirects, and
/// keeps the last document that [`parse`](Self::parse) accepted when a newer one is refused.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_core::Metadata;
///
/// let issuer = "https://auth.example/tenant";
/// let [first, second] = Metadata::locations(issuer)?;
/// assert_eq!(first.as_str(), "https://auth.example/.well-known/oauth-authorization-server/tenant");
/// assert_eq!(second.as_str(), "https://auth.example/tenant/.well-known/openid-configuration");
///
/// // Fetch `first`, or `second` if there is nothing; this is what came back:
/// let answer = http::Response::new(bytes::Bytes::from(
///     r#"{
///         "issuer": "https://auth.example/tenant",
///         "authorization_endpoint": "https://auth.example/authorize",
///         "token_endpoint": "https://auth.example/token",
///         "code_challenge_methods_supported": ["S256"]
///     }"#,
/// ));
/// let server = Metadata::parse(&answer, issuer)?.into_server();
/// assert_eq!(server.issuer(), Some(issuer));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Metadata {
    server: Server,
    device_authorization_endpoint: Option<Url>,
}

impl Metadata {
    /// The largest document that is read, in bytes: 256 KiB. A driver can stop reading there.
    pub const MAX_DOCUMENT: usize = 256 * 1024;

    /// Returns where the metadata of an issuer may be, in the order to try.
    ///
    /// First `/.well-known/oauth-authorization-server` inserted before the issuer's path (RFC 8414 section 3.1), then
    /// `/.well-known/openid-configuration` after it (`OpenID` Connect Discovery section 4).
    ///
    /// # Errors
    ///
    /// [`MetadataError::Issuer`] when the issuer is not an `https` URL (or `http` on loopback), or has a query, a
    /// fragment or user info (RFC 8414 section 2).
    #[inline]
    pub fn locations(issuer: &str) -> Result<[Url; 2], MetadataError> {
        let url = Url::parse(issuer).map_err(|_| MetadataError::Issuer)?;
        if url.query().is_some() || server::check("issuer", &url).is_err() {
            return Err(MetadataError::Issuer);
        }
        let path = url.path().strip_suffix('/').unwrap_or(url.path());
        let (mut oauth, mut openid) = (url.clone(), url.clone());
        oauth.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
        openid.set_path(&format!("{path}/.well-known/openid-configuration"));
        Ok([oauth, openid])
    }

    /// Reads a document (RFC 8414 section 3.2) and checks that it speaks for this issuer (section 3.3).
    ///
    /// The issuer is compared byte for byte, every endpoint that may be used is checked as in [`Server::new`], and a
    /// server with an authorization endpoint has to offer PKCE with S256: there is no login without. A server whose
    /// grants need no browser may leave that endpoint out (section 2). Members that are not known are ignored.
    ///
    /// # Errors
    ///
    /// [`MetadataError`]; a [`Status`](MetadataError::Status) is a reason to try the next location.
    #[inline]
    pub fn parse(response: &Response<Bytes>, issuer: &str) -> Result<Self, MetadataError> {
        if response.status() != StatusCode::OK {
            return Err(MetadataError::Status { status: response.status() });
        }
        if response.body().len() > Self::MAX_DOCUMENT {
            return Err(MetadataError::TooLarge);
        }
        let document: Document =
            serde_json::from_slice(response.body()).map_err(|_| MetadataError::NotMetadata)?;
        if document.issuer != issuer {
            return Err(MetadataError::OtherIssuer);
        }
        let mut server = Server::new(document.token_endpoint.0)?.with_issuer(document.issuer);
        if let Some(Address(endpoint)) = document.authorization_endpoint {
            if !document.code_challenge_methods_supported.iter().any(|method| method == "S256") {
                return Err(MetadataError::NoS256);
            }
            server = server.with_authorization_endpoint(endpoint)?;
        }
        if document.authorization_response_iss_parameter_supported {
            server = server.with_issuer_required();
        }
        if let Some(Address(endpoint)) = document.revocation_endpoint {
            server = server.with_revocation_endpoint(endpoint)?;
        }
        let device_authorization_endpoint = document.device_authorization_endpoint.map(|Address(url)| url);
        if let Some(endpoint) = &device_authorization_endpoint {
            server::check("device authorization", endpoint)?;
            server::request_target("device authorization", endpoint)?;
        }
        Ok(Self { server, device_authorization_endpoint })
    }

    /// Returns the server, with its issuer, its revocation endpoint, and whether it always names itself (RFC 9207).
    #[must_use]
    #[inline]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Returns the server itself, to be given a [`Wire`](crate::Wire) of its own.
    #[must_use]
    #[inline]
    pub fn into_server(self) -> Server {
        self.server
    }

    /// Returns where a [`DeviceRequest`](crate::DeviceRequest) goes, if the server has that grant (RFC 8628 section 4).
    #[must_use]
    #[inline]
    pub fn device_authorization_endpoint(&self) -> Option<&Url> {
        self.device_authorization_endpoint.as_ref()
    }
}

/// Why metadata cannot be used; endpoints can still be written down by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The issuer cannot have metadata.
    #[error(
        "the issuer must be an https url without a query, a fragment or a user name; check how it is written"
    )]
    Issuer,
    /// There is no document at this location.
    #[error(
        "the server's metadata was answered with {}; try the other location, or name the endpoints",
        Shown(*.status)
    )]
    Status {
        /// The HTTP status.
        status: StatusCode,
    },
    /// The document is larger than [`Metadata::MAX_DOCUMENT`].
    #[error("the server's metadata is larger than 256 KiB; check the issuer, or name the endpoints")]
    TooLarge,
    /// The document is not a JSON object with the members every server has, each once.
    #[error(
        "the server's metadata is no JSON object with an issuer and a token endpoint, \
         each member once and well formed; check the issuer, or name the endpoints"
    )]
    NotMetadata,
    /// The document speaks for another issuer: it may be an attempt to mix up two servers.
    #[error("the server's metadata names another issuer; write the issuer exactly as the server does")]
    OtherIssuer,
    /// The server has logins and does not say that it knows S256; `plain` is never used.
    #[error("the server's metadata does not offer PKCE with S256; ask its operator, or name the endpoints")]
    NoS256,
    /// An endpoint may not be used.
    #[error("the server's metadata names an endpoint that cannot be used; ask its operator")]
    Endpoint(#[from] ConfigError),
}

/// The members that matter. One that is there twice is refused; those not named here are ignored.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<Address>,
    token_endpoint: Address,
    revocation_endpoint: Option<Address>,
    device_authorization_endpoint: Option<Address>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Address(Url);

impl TryFrom<String> for Address {
    type Error = url::ParseError;

    #[inline]
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Url::parse(&text).map(Self)
    }
}
