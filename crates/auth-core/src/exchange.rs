//! Exchanges: a grant becomes a request, an answer becomes tokens.
//!
//! Everything here is a pure function of its arguments. Requests are `POST`, carry their secrets in the body or in a
//! header marked sensitive, never in the URL, and must be sent without following redirects. The body does hold secrets:
//! do not print a request.
//!
//! | to trade | use |
//! |---|---|
//! | the code of a login | [`code`] |
//! | a refresh token | [`refresh`] |
//! | the client's own secret | [`client_credentials`] |
//! | a signed statement of another issuer | [`jwt_bearer`] |
//! | the identity of a workload, at the Claude API | [`federation`] |
//!
//! All of these are answered by tokens, which [`response`] reads. A logout is the other way round: [`revoke`] sends a
//! token back, and [`revocation`] reads what the server says.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::{Duration, SystemTime};
//! use auth_core::{Client, Server, exchange};
//!
//! let server = Server::new("https://auth.example/token".parse()?)?;
//! let (request, asked) = exchange::refresh(&server, &Client::public("app"), &"old".into());
//! // Send `request` with any HTTP client; this is what came back:
//! let answer = http::Response::new(bytes::Bytes::from(
//!     r#"{"access_token":"a","token_type":"bearer","expires_in":60}"#,
//! ));
//! let now = SystemTime::UNIX_EPOCH;
//! let tokens = exchange::response(&asked, &answer, now)?;
//! assert_eq!(tokens.expires_at, Some(now + Duration::from_secs(60)));
//! # Ok(()) }
//! ```

mod answer;
mod assertion;
mod error;
mod federation;
mod kind;
pub(crate) mod request;
mod revocation;

use std::{fmt, time::SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use secrecy::{ExposeSecret as _, SecretString};

pub use self::{
    assertion::{AssertionError, MAX_ASSERTION, jwt_bearer},
    error::ExchangeError,
    federation::{Federation, federation},
    kind::ExchangeKind,
    revocation::{TokenKind, revocation, revoke},
};
use crate::{Client, CodeGrant, Format, ScopeSet, Server, TokenSet, redact::Scrubber};

/// The largest answer that is read, in bytes: 1 MiB. A driver can stop reading there.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Builds the request that redeems a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
///
/// The request goes to the token endpoint of the server that was asked for the code, whoever answered.
#[must_use]
#[inline]
pub fn code(grant: CodeGrant) -> (Request<Bytes>, Asked) {
    let CodeGrant { server, client, redirect_uri, scopes, verifier, state, code } = grant;
    let format = server.wire().code();
    let mut members = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose_secret()),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", verifier.expose_secret()),
    ];
    if format.state {
        members.push(("state", state.expose_secret()));
    }
    let request = request::build(server.token_uri(), Some(&client), format, members);
    let mut secrets = client.secrets();
    secrets.extend([code, verifier, state]);
    (request, Asked::new(ExchangeKind::AuthorizationCode, scopes, secrets))
}

/// Builds the request that trades a refresh token for new tokens (RFC 6749 section 6).
///
/// The server may rotate the token, so the same token must not be sent twice for no reason;
/// [`TokenMachine`](crate::TokenMachine) sees to that.
#[must_use]
pub fn refresh(server: &Server, client: &Client, refresh_token: &SecretString) -> (Request<Bytes>, Asked) {
    let members = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
    let request = request::build(server.token_uri(), Some(client), server.wire().refresh(), members);
    let mut secrets = client.secrets();
    secrets.push(refresh_token.clone());
    let asked = Asked::new(ExchangeKind::RefreshToken, ScopeSet::default(), secrets);
    (request, Asked { refresh_token: Some(refresh_token.clone()), ..asked })
}

/// Builds the request for a token of the client's own, with no user behind it (RFC 6749 section 4.4.2).
///
/// It is for clients that have a secret; a server refuses a [public](Client::public) one. No refresh token is to be
/// expected: when the token runs out, the same request gives the next one. No scopes means those the server chooses.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_core::{Client, ScopeSet, Server, exchange};
///
/// let server = Server::new("https://auth.example/token".parse()?)?;
/// let client = Client::secret_basic("app", "s3cret".into());
/// let (request, _asked) = exchange::client_credentials(&server, &client, &ScopeSet::parse("read"));
/// assert_eq!(request.body(), "grant_type=client_credentials&scope=read");
/// # Ok(()) }
/// ```
#[must_use]
#[inline]
pub fn client_credentials(server: &Server, client: &Client, scopes: &ScopeSet) -> (Request<Bytes>, Asked) {
    let names = scopes.to_string();
    let mut members = vec![("grant_type", "client_credentials")];
    members.extend(request::scope(&names));
    let request = request::build(server.token_uri(), Some(client), &Format::form(), members);
    (request, Asked::new(ExchangeKind::ClientCredentials, scopes.clone(), client.secrets()))
}

/// Reads the answer to an exchange (RFC 6749 sections 5.1 and 5.2).
///
/// Only a 200 with one JSON object is a success. What the server leaves out is filled in from what was asked: the
/// refresh token sent, the scopes requested; where it grants others, [`TokenSet::scope_change`] tells. A token without a usable lifetime is taken to live an hour when the next
/// one can be had without a person, and until it is refused when it cannot; a federation has to say how long.
///
/// # Errors
///
/// [`ExchangeError`], whose texts hold no secret of this exchange, however the server echoed it.
pub fn response(
    asked: &Asked,
    response: &Response<Bytes>,
    now: SystemTime,
) -> Result<TokenSet, ExchangeError> {
    answer::read(asked, response, now)
}

/// What was asked in an exchange, kept to read the answer: the kind, the scopes, the secrets to hide.
#[derive(Clone)]
pub struct Asked {
    kind: ExchangeKind,
    scopes: ScopeSet,
    refresh_token: Option<SecretString>,
    secrets: Vec<SecretString>,
}

impl Asked {
    pub(crate) fn new(kind: ExchangeKind, scopes: ScopeSet, secrets: Vec<SecretString>) -> Self {
        Self { kind, scopes, refresh_token: None, secrets }
    }

    /// Hides another secret too, which the server knows though it was not sent.
    pub(crate) fn hiding(mut self, secret: &SecretString) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    pub(crate) fn is_revocation(&self) -> bool {
        self.kind == ExchangeKind::Revocation
    }

    fn scrubber(&self) -> Scrubber {
        Scrubber::new(&self.secrets)
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("kind", &self.kind).finish_non_exhaustive()
    }
}
