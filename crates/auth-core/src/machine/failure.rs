//! Why there is no token.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use super::SendFailure;
use crate::{ExchangeError, OAuthErrorCode};

/// Why an exchange did not do what it was for; shared by everyone who waited for it.
///
/// The cause is the [`source`](Error::source): an [`ExchangeError`] or a [`SendFailure`].
#[derive(Debug, Clone)]
pub struct Failure {
    cause: Cause,
    retry_after: Option<Duration>,
    /// A token was to be given back, not renewed.
    revoking: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Cause {
    Send(SendFailure),
    Exchange(Arc<ExchangeError>),
    Rejections,
    Stillborn,
}

impl Failure {
    pub(super) fn new(cause: Cause, retry_after: Option<Duration>) -> Self {
        Self { cause, retry_after, revoking: false }
    }

    pub(super) fn of_revocation(cause: Cause) -> Self {
        Self { cause, retry_after: None, revoking: true }
    }

    pub(super) fn with_retry_after(&self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self.clone() }
    }

    /// Tells whether asking again later may help; if not, the configuration has to change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retry_after.is_some()
    }

    /// Returns how long to wait before asking again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.revoking {
            return f.write_str("a token could not be revoked; the server may take it until it expires");
        }
        f.write_str(match self.cause {
            Cause::Rejections => "the server refuses even fresh access tokens",
            Cause::Stillborn => {
                "the server's access tokens are over before they can be used; ask for a longer life"
            }
            Cause::Send(_) | Cause::Exchange(_) => "the access token could not be refreshed",
        })?;
        match self.retry_after {
            // Rounded up: nobody should come back too early.
            Some(wait) => write!(f, "; try again in {} s", wait.as_millis().div_ceil(1000).max(1)),
            None => f.write_str("; the configuration of the client has to change"),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Send(failure) => Some(failure),
            Cause::Exchange(error) => Some(&**error),
            Cause::Rejections | Cause::Stillborn => None,
        }
    }
}

/// Why only a new login can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// There are no tokens at all.
    #[error("nobody is logged in; log in first")]
    NoTokens,
    /// The access token is over and there is no refresh token.
    #[error("the access token has expired or was refused, and there is no refresh token; log in again")]
    NoRefreshToken,
    /// The server answered `invalid_grant`.
    #[error("the refresh token is no longer good{}; log in again", lost(*.maybe_consumed))]
    InvalidGrant {
        /// Whether an earlier exchange without an answer may have used the token up.
        maybe_consumed: bool,
    },
    /// The refresh token was sent as often as is safe, and no answer came.
    #[error("the refresh token may have been used up by an exchange whose answer was lost; log in again")]
    NoAnswer,
}

impl Reason {
    /// Tells whether the login may have been lost to a lost answer, and not to a decision of the server.
    #[must_use]
    pub fn maybe_consumed(self) -> bool {
        matches!(self, Self::NoAnswer | Self::InvalidGrant { maybe_consumed: true })
    }
}

fn lost(maybe_consumed: bool) -> &'static str {
    if maybe_consumed { ", perhaps used up by an exchange whose answer was lost" } else { "" }
}

/// What a failed exchange says about the refresh token and about the next try.
pub(super) enum Verdict {
    /// The token is dead.
    InvalidGrant,
    /// The request is wrong and will stay wrong.
    Misconfigured,
    /// The answer is not the server's own: the token may have been used up, so the next try had better be prompt.
    Doubtful,
    /// The server answered like a server, but gave nothing usable: the token was most likely used up.
    Garbled,
    /// The server said no for now.
    Later,
}

pub(super) fn verdict(error: &ExchangeError) -> Verdict {
    match error {
        ExchangeError::Refused { code, .. } => match code {
            OAuthErrorCode::InvalidGrant => Verdict::InvalidGrant,
            OAuthErrorCode::InvalidRequest
            | OAuthErrorCode::InvalidClient
            | OAuthErrorCode::UnauthorizedClient
            | OAuthErrorCode::UnsupportedGrantType
            | OAuthErrorCode::InvalidScope => Verdict::Misconfigured,
            _ => Verdict::Later,
        },
        ExchangeError::Status { status, retry_after: None, .. } if status.is_server_error() => {
            Verdict::Doubtful
        }
        ExchangeError::Status { .. } => Verdict::Later,
        ExchangeError::NotJson | ExchangeError::TooLarge => Verdict::Doubtful,
        ExchangeError::Invalid { .. } => Verdict::Garbled,
    }
}
