//! Giving a token back.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Asked, ExchangeError, ExchangeKind, answer, request};
use crate::{Client, Format, OAuthErrorCode, ScopeSet, Server};

/// What kind of token is given back (RFC 7009 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A token for the API; a server may let the refresh token live on.
    AccessToken,
    /// A token for new tokens; a server that revokes it revokes the whole login.
    RefreshToken,
}

impl TokenKind {
    /// Returns the hint as it is written on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// Builds the request that revokes a token (RFC 7009 section 2.1), or `None` when the server has no place for it.
///
/// Revoke the refresh token first: as long as it lives, so does the login.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::SystemTime;
/// use auth_core::{Client, Server, TokenKind, exchange};
///
/// let server = Server::new("https://auth.example/token".parse()?)?
///     .with_revocation_endpoint("https://auth.example/revoke".parse()?)?;
/// let client = Client::public("app");
/// if let Some((request, asked)) = exchange::revoke(&server, &client, &"rt".into(), TokenKind::RefreshToken) {
///     assert_eq!(request.uri(), "https://auth.example/revoke");
///     // Send `request` with any HTTP client; this is what came back:
///     let answer = http::Response::new(bytes::Bytes::new());
///     exchange::revocation(&asked, &answer, SystemTime::UNIX_EPOCH)?;
/// }
/// # Ok(()) }
/// ```
#[must_use]
pub fn revoke(
    server: &Server,
    client: &Client,
    token: &SecretString,
    hint: TokenKind,
) -> Option<(Request<Bytes>, Asked)> {
    let members = vec![("token", token.expose_secret()), ("token_type_hint", hint.as_str())];
    let request = request::build(server.revocation_uri()?, Some(client), &Format::form(), members);
    let mut secrets = client.secrets();
    secrets.push(token.clone());
    Some((request, Asked::new(ExchangeKind::Revocation, ScopeSet::default(), secrets)))
}

/// Reads the answer to a revocation (RFC 7009 section 2.2).
///
/// `Ok` means that the server does not know the token, any more or at all. A 200 says so whatever its body; so does a
/// 400 with `invalid_token`, by which some servers call a token unknown.
///
/// # Errors
///
/// [`ExchangeError`] when the token may still be good. A 503 is retryable, after
/// [`retry_after`](ExchangeError::retry_after) if the server gave one (RFC 7009 section 2.2.1). Whatever it is, a
/// logout goes on and removes the local tokens.
pub fn revocation(asked: &Asked, response: &Response<Bytes>, now: SystemTime) -> Result<(), ExchangeError> {
    if response.status() == StatusCode::OK {
        return Ok(());
    }
    let error = answer::refusal(asked, response, now);
    let unknown =
        response.status() == StatusCode::BAD_REQUEST && error.code() == Some(&OAuthErrorCode::InvalidToken);
    if unknown { Ok(()) } else { Err(error) }
}
