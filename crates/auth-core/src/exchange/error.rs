//! What can go wrong with an exchange.

use std::{fmt, time::Duration};

use http::StatusCode;

use super::ExchangeKind;
use crate::{OAuthErrorCode, code::Described, status::Shown};

/// Why an exchange did not do what it is for.
///
/// No variant holds a secret: texts of the server are made printable, cut to 256 characters, and searched for every
/// secret that was sent, in its usual encodings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The server answered with an OAuth error (RFC 6749 section 5.2).
    #[error(
        "the {} endpoint refused: {code}{}{}{}",
        .kind.endpoint(), Described(.description.as_deref()), advice(.code, *.kind), Named(.request_id.as_deref())
    )]
    Refused {
        /// What was asked.
        kind: ExchangeKind,
        /// The HTTP status.
        status: StatusCode,
        /// The reason.
        code: OAuthErrorCode,
        /// The server's words.
        description: Option<String>,
        /// How long the server asked to wait.
        retry_after: Option<Duration>,
        /// The server's name for this exchange.
        request_id: Option<String>,
    },
    /// The server, or something before it, answered with a status and no OAuth error.
    ///
    /// The Claude API has errors of a shape of its own, at its token endpoint too. They say less about the grant than an
    /// OAuth error does, and never that it is dead: the status decides what they mean.
    #[error(
        "the {} endpoint answered {}{}{}{}{}",
        .kind.endpoint(),
        Shown(*.status),
        TypeOf(.error_type.as_deref()),
        Described(.description.as_deref()),
        hint(*.status, *.kind, .error_type.is_some()),
        Named(.request_id.as_deref())
    )]
    Status {
        /// What was asked.
        kind: ExchangeKind,
        /// The HTTP status.
        status: StatusCode,
        /// The type of an error of the Claude API, such as `overloaded_error`.
        error_type: Option<String>,
        /// The words of an error of the Claude API.
        description: Option<String>,
        /// The beginning of the body, unless it could hold tokens: JSON of any shape, or a text that names one.
        excerpt: Option<String>,
        /// How long the server asked to wait.
        retry_after: Option<Duration>,
        /// The server's name for this exchange.
        request_id: Option<String>,
    },
    /// The answer is 200 but no JSON object: a captive portal's page, or a cut answer.
    #[error(
        "the token endpoint's answer is not a JSON object; a proxy or a login page of the network may be in the way"
    )]
    NotJson,
    /// The answer is larger than [`MAX_ANSWER`](crate::exchange::MAX_ANSWER).
    #[error("the token endpoint's answer is larger than 1 MiB; check its address")]
    TooLarge,
    /// The answer is a JSON object, but not one that gives a usable token.
    #[error("the token endpoint's answer breaks the protocol: {problem}; report it to the server's operator")]
    Invalid {
        /// What is wrong, in our words only.
        problem: &'static str,
    },
}

impl ExchangeError {
    /// Tells whether the same exchange may succeed later without a change by anyone.
    ///
    /// A code must not be sent again even so: it may have been used. An assertion is read anew before it is sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => match code {
                OAuthErrorCode::TemporarilyUnavailable | OAuthErrorCode::ServerError => true,
                OAuthErrorCode::Other(_)
                | OAuthErrorCode::InvalidToken
                | OAuthErrorCode::InsufficientScope => is_transient(*status),
                _ => false,
            },
            Self::Status { status, .. } => is_transient(*status),
            Self::NotJson | Self::TooLarge => true,
            Self::Invalid { .. } => false,
        }
    }

    /// Returns how long the server asked to wait, at most a day.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            Self::NotJson | Self::TooLarge | Self::Invalid { .. } => None,
        }
    }

    /// Returns the server's name for this exchange, to be quoted to its operator.
    ///
    /// It is the header `request-id`, or else the member `request_id` of an error, printable and cut to 256 characters.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused { request_id, .. } | Self::Status { request_id, .. } => request_id.as_deref(),
            Self::NotJson | Self::TooLarge | Self::Invalid { .. } => None,
        }
    }

    /// Returns the OAuth error code, if the server gave one.
    #[must_use]
    pub fn code(&self) -> Option<&OAuthErrorCode> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

/// What to look at when the federation says no; it does not tell which of these it is.
const FEDERATION: &str =
    "; check the federation rule, its organization and workspace, and the assertion's claims";

fn hint(status: StatusCode, kind: ExchangeKind, is_typed: bool) -> &'static str {
    match kind {
        ExchangeKind::Federation if status == StatusCode::UNAUTHORIZED => FEDERATION,
        ExchangeKind::Federation if is_typed && !is_transient(status) => FEDERATION,
        _ if !is_typed => "; check its address, or try again later",
        _ if is_transient(status) => "; try again later",
        _ => "",
    }
}

/// What kind of error it is that is not OAuth's.
struct TypeOf<'a>(Option<&'a str>);

impl fmt::Display for TypeOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, ": {name}"),
            None => f.write_str(" and no OAuth error"),
        }
    }
}

/// The end of an error's text: the server's name for the exchange, or nothing.
struct Named<'a>(Option<&'a str>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " (request {id})"))
    }
}

fn advice(code: &OAuthErrorCode, kind: ExchangeKind) -> &'static str {
    use ExchangeKind as Kind;

    match (code, kind) {
        (OAuthErrorCode::InvalidGrant, Kind::AuthorizationCode | Kind::DeviceCode) => {
            "; the code was used before, has expired, or is not for this client: start the login again"
        }
        (OAuthErrorCode::InvalidGrant, Kind::RefreshToken) => {
            "; the refresh token is no longer good: log in again"
        }
        (OAuthErrorCode::InvalidGrant, Kind::JwtBearer) => {
            "; check the assertion's issuer, subject, audience and lifetime, and this machine's clock"
        }
        (
            OAuthErrorCode::InvalidGrant | OAuthErrorCode::InvalidClient | OAuthErrorCode::UnauthorizedClient,
            Kind::Federation,
        ) => FEDERATION,
        (OAuthErrorCode::InvalidClient | OAuthErrorCode::UnauthorizedClient, _) => {
            "; check the client id and its secret"
        }
        (OAuthErrorCode::InvalidScope, _) => "; ask for fewer scopes",
        (OAuthErrorCode::TemporarilyUnavailable | OAuthErrorCode::ServerError, _) => "; try again later",
        (OAuthErrorCode::Other(code), Kind::Revocation) if code == "unsupported_token_type" => {
            "; this server does not revoke this kind of token"
        }
        _ => "",
    }
}
