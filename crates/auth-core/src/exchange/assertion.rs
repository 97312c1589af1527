//! Assertions: what another issuer has signed, traded for a token.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Request;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Asked, ExchangeKind, answer::Members, request};
use crate::{Client, Format, ScopeSet, Server};

/// The largest assertion that is sent, in bytes: 16 KiB.
pub const MAX_ASSERTION: usize = 16 * 1024;

/// The grant type of RFC 7523 section 2.1.
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Builds the request that trades a signed JWT for a token (RFC 7523 section 2.1, RFC 7521 section 4.1).
///
/// The client is optional, as in the RFC: with `None` the assertion alone says who asks. Read the assertion anew for
/// every exchange, since whoever issues it replaces it often and may let it be used only once; no refresh token is to
/// be expected.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::SystemTime;
/// use auth_core::{AssertionError, ScopeSet, Server, exchange};
///
/// let server = Server::new("https://auth.example/token".parse()?)?;
/// // {"exp":1000}, and `now` is later.
/// let stale = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjEwMDB9.c2ln".into();
/// let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_042);
/// let refused = exchange::jwt_bearer(&server, None, &stale, &ScopeSet::parse("read"), now);
/// assert!(matches!(refused.unwrap_err(), AssertionError::Expired { ago } if ago.as_secs() == 42));
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`AssertionError`] when no server can accept the assertion at `now`, which is the time of the server as well as it
/// is known: [`ClockSkew::correct`](crate::ClockSkew::correct) gives it on a machine whose clock is off. The signature is not verified: that is the server's part.
#[inline]
pub fn jwt_bearer(
    server: &Server,
    client: Option<&Client>,
    assertion: &SecretString,
    scopes: &ScopeSet,
    now: SystemTime,
) -> Result<(Request<Bytes>, Asked), AssertionError> {
    check(assertion, now)?;
    let names = scopes.to_string();
    let mut members = vec![("grant_type", GRANT_TYPE), ("assertion", assertion.expose_secret())];
    members.extend(request::scope(&names));
    let request = request::build(server.token_uri(), client, &Format::form(), members);
    let mut secrets = client.map(Client::secrets).unwrap_or_default();
    secrets.push(assertion.clone());
    Ok((request, Asked::new(ExchangeKind::JwtBearer, scopes.clone(), secrets)))
}

/// Why an assertion was not sent.
///
/// No variant holds any part of the assertion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// The assertion is empty, as a file is that is being written.
    #[error("the assertion is empty; check where it is read from")]
    Empty,
    /// The assertion is larger than [`MAX_ASSERTION`].
    #[error(
        "the assertion has {bytes} bytes and may have 16384; check that it is the token and nothing else"
    )]
    TooLarge {
        /// How large it is, in bytes.
        bytes: usize,
    },
    /// The assertion has blanks, control characters or others that no JWT has.
    #[error(
        "the assertion has blanks or characters that no token has; remove line ends and quotes around it"
    )]
    Malformed,
    /// The assertion says itself that it has expired.
    #[error(
        "the assertion expired {} s ago; get a new one, and if this one is new set this machine's clock",
        .ago.as_secs()
    )]
    Expired {
        /// How long ago.
        ago: Duration,
    },
}

/// Checks what can be checked without the issuer's key.
pub(super) fn check(assertion: &SecretString, now: SystemTime) -> Result<(), AssertionError> {
    let text = assertion.expose_secret();
    if text.is_empty() {
        return Err(AssertionError::Empty);
    }
    if text.len() > MAX_ASSERTION {
        return Err(AssertionError::TooLarge { bytes: text.len() });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
        return Err(AssertionError::Malformed);
    }
    // At the very moment of `exp` a token is no longer good (RFC 7519 section 4.1.4).
    match expiry(text).map(|expiry| now.duration_since(expiry)) {
        Some(Ok(ago)) => Err(AssertionError::Expired { ago }),
        _ => Ok(()),
    }
}

/// Reads `exp` without verifying anything; what cannot be read is for the server to judge.
fn expiry(jwt: &str) -> Option<SystemTime> {
    let mut parts = jwt.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let claims = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let mut claims = Members::read(&claims).filter(|claims| !claims.repeated)?;
    let exp = claims.take("exp")?.get().parse::<Value>().ok()?.as_f64()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp.max(0.0)).ok()?)
}
