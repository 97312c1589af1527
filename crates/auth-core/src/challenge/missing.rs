//! A token that is good, but not for this.

use std::{error::Error, fmt};

use http::HeaderMap;
use secrecy::SecretString;

use super::Challenge;
use crate::{ScopeSet, redact::Scrubber};

/// The most scopes that are kept of a challenge.
const MAX_SCOPES: usize = 64;

/// An operation needs scopes the token does not have (`insufficient_scope`, RFC 6750 section 3.1).
///
/// A refresh cannot help; a login that asks for [`wanted`](Self::wanted) can. It is found in a server's answer with
/// [`read`](Self::read), or before anything is sent with [`check`](Self::check).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_core::{AuthorizationRequest, Client, MissingScope, ScopeSet, Server};
/// # let server = Server::new("https://auth.example/token".parse()?)?
/// #     .with_authorization_endpoint("https://auth.example/authorize".parse()?)?;
///
/// let granted = ScopeSet::parse("read");
/// let Err(error) = MissingScope::check(&ScopeSet::parse("read write"), &granted) else { unreachable!() };
/// assert_eq!(error.missing().to_string(), "write");
/// let (url, _pending) =
///     AuthorizationRequest::new(&server, &Client::public("app"), "http://localhost:8976/callback".parse()?)?
///         .scopes(error.wanted())
///         .begin([7; 64]);
/// assert!(url.query_pairs().any(|(name, value)| name == "scope" && value == "read write"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingScope {
    required: ScopeSet,
    granted: ScopeSet,
}

impl MissingScope {
    /// Finds an `insufficient_scope` among the challenges of an answer, usually a 403.
    ///
    /// `granted` is what the token is known to have, `sent` the token itself. A scope's name that repeats the token, is
    /// longer than 256 characters or has characters that no scope has is left out, and so is what follows the 64th.
    #[must_use]
    pub fn read(headers: &HeaderMap, granted: &ScopeSet, sent: &SecretString) -> Option<Self> {
        let challenge = Challenge::read(headers).into_iter().find(|challenge| {
            challenge.is_bearer() && challenge.param("error") == Some("insufficient_scope")
        })?;
        let scrubber = Scrubber::new(std::slice::from_ref(sent));
        let names = challenge.param("scope").unwrap_or_default().split_ascii_whitespace();
        let required = names.take(MAX_SCOPES).filter(|name| is_scope(name) && scrubber.clean(name) == *name);
        Some(Self { required: required.collect(), granted: granted.clone() })
    }

    /// Checks before anything is sent that what an operation needs was granted.
    ///
    /// # Errors
    ///
    /// [`MissingScope`] when it was not.
    pub fn check(required: &ScopeSet, granted: &ScopeSet) -> Result<(), Self> {
        if required.is_subset(granted) {
            return Ok(());
        }
        Err(Self { required: required.clone(), granted: granted.clone() })
    }

    /// Returns the scopes the operation needs; none if the server does not say.
    #[must_use]
    pub fn required(&self) -> &ScopeSet {
        &self.required
    }

    /// Returns the scopes to be had on top of those granted.
    ///
    /// It is empty when the server does not say, and when it names only scopes that the token should have: they were
    /// taken back, or what is known of the token is wrong.
    #[must_use]
    pub fn missing(&self) -> ScopeSet {
        self.required.difference(&self.granted)
    }

    /// Returns what to ask for in the next login: all that was granted, so that nothing is lost, and what is missing.
    #[must_use]
    pub fn wanted(&self) -> ScopeSet {
        self.granted.union(&self.required)
    }
}

impl fmt::Display for MissingScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing();
        if !missing.is_empty() {
            write!(f, "the access token lacks a scope ({missing}); log in again and ask for it")
        } else if self.required.is_empty() {
            f.write_str(
                "the access token lacks a scope that the server does not name; see what the operation needs",
            )
        } else {
            let required = &self.required;
            write!(f, "the access token no longer has a scope it was granted ({required}); log in again")
        }
    }
}

impl Error for MissingScope {}

/// RFC 6749 section 3.3.
fn is_scope(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}
