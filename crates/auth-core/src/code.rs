//! The error codes of OAuth.

use std::fmt;

/// An OAuth error code (RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1), with a place for those we do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OAuthErrorCode {
    /// The request is malformed.
    InvalidRequest,
    /// The client is unknown or did not authenticate.
    InvalidClient,
    /// The code or refresh token is used, expired, revoked, or another client's.
    InvalidGrant,
    /// The client may not use this kind of grant.
    UnauthorizedClient,
    /// The server does not know this kind of grant.
    UnsupportedGrantType,
    /// The server does not know this kind of response.
    UnsupportedResponseType,
    /// A scope is unknown or more than was granted.
    InvalidScope,
    /// The user, or the server on the user's behalf, said no.
    AccessDenied,
    /// The server failed.
    ServerError,
    /// The server cannot answer now.
    TemporarilyUnavailable,
    /// The token is expired, revoked, or none at all.
    InvalidToken,
    /// The token is good, but not for this.
    InsufficientScope,
    /// Another code, made printable.
    Other(String),
}

impl OAuthErrorCode {
    /// Returns the code as it is written on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::Other(code) => code,
        }
    }

    /// Reads a code; one that is not known is cleaned before it is kept.
    pub(crate) fn read(code: &str, clean: impl FnOnce(&str) -> String) -> Self {
        match code {
            "invalid_request" => Self::InvalidRequest,
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => Self::InvalidGrant,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "invalid_scope" => Self::InvalidScope,
            "access_denied" => Self::AccessDenied,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            "invalid_token" => Self::InvalidToken,
            "insufficient_scope" => Self::InsufficientScope,
            other => Self::Other(clean(other)),
        }
    }

    /// Returns the code, unless nothing of it can be shown: such a code says nothing.
    pub(crate) fn said(self) -> Option<Self> {
        (!self.as_str().is_empty()).then_some(self)
    }
}

impl fmt::Display for OAuthErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A server's words in brackets, or nothing.
pub(crate) struct Described<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |text| write!(f, " ({text})"))
    }
}
