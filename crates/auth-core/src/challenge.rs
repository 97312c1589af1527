//! Why a server wants another token: `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 6750 section 3).

mod missing;
mod scan;

use http::{HeaderMap, header::WWW_AUTHENTICATE};
use secrecy::SecretString;

pub use self::missing::MissingScope;
use crate::{OAuthErrorCode, redact::Scrubber};

/// One challenge of a `WWW-Authenticate` header: a scheme and what the server says with it.
///
/// All of it but [`error`](Self::error) is foreign text: it is not made fit to be shown.
///
/// ```
/// use auth_core::{Challenge, OAuthErrorCode};
/// use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};
///
/// let mut headers = HeaderMap::new();
/// let value = r#"Basic realm="a, b", Bearer error="invalid_token""#;
/// headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(value));
/// let challenges = Challenge::read(&headers);
/// assert_eq!(challenges[0].param("realm"), Some("a, b"));
/// assert!(challenges[1].is_bearer());
/// assert_eq!(challenges[1].error(&"the token".into()), Some(OAuthErrorCode::InvalidToken));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    token68: Option<String>,
    params: Vec<(String, String)>,
}

impl Challenge {
    /// Reads every challenge of every `WWW-Authenticate` header, in order.
    ///
    /// It takes what it can from headers that break the grammar and skips the rest up to the next comma; the time it
    /// takes grows with their length and no faster.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Vec<Self> {
        let mut challenges = Vec::new();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            scan::challenges(value.as_bytes(), &mut challenges);
        }
        challenges
    }

    /// Returns the scheme as the server wrote it; schemes are compared without regard to case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Tells whether this is about a bearer token (RFC 6750).
    #[must_use]
    pub fn is_bearer(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("bearer")
    }

    /// Returns the single value that schemes such as `Negotiate` have in place of parameters.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }

    /// Returns why a bearer token was refused (RFC 6750 section 3.1), fit to be shown.
    ///
    /// `sent` is the token: a code that repeats it does not show it. `None` is a challenge that gives no reason, as one
    /// does that follows a request without a token, and a challenge of another scheme.
    #[must_use]
    pub fn error(&self, sent: &SecretString) -> Option<OAuthErrorCode> {
        let code = self.param("error").filter(|_| self.is_bearer())?;
        OAuthErrorCode::read(code, |text| Scrubber::new(std::slice::from_ref(sent)).clean(text)).said()
    }

    /// Returns a parameter, unquoted; its name is compared without regard to case, and of two the first counts.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Iterates over the parameters, in the server's order.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
