//! What can go wrong with a device login.

use std::time::Duration;

use http::StatusCode;

use crate::{ExchangeError, OAuthErrorCode, code::Described, status::Shown};

/// Why a device login gave no code, or no tokens.
///
/// No variant holds a secret: texts of the server are made printable, cut, and searched for what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The device authorization endpoint answered with an OAuth error.
    #[error("the device authorization endpoint refused: {code}{}", Described(.description.as_deref()))]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// The reason.
        code: OAuthErrorCode,
        /// The server's words.
        description: Option<String>,
        /// How long the server asked to wait.
        retry_after: Option<Duration>,
    },
    /// The device authorization endpoint, or something before it, answered with a status and no OAuth error.
    #[error(
        "the device authorization endpoint answered {} and no OAuth error; check its address, or try again later",
        Shown(*.status)
    )]
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// The beginning of the body.
        excerpt: Option<String>,
        /// How long the server asked to wait.
        retry_after: Option<Duration>,
    },
    /// The device authorization endpoint's answer does not begin a login.
    #[error(
        "the device authorization endpoint's answer breaks the protocol: {problem}; \
         check its address, or report it to the server's operator"
    )]
    Invalid {
        /// What is wrong, in our words only.
        problem: &'static str,
    },
    /// The user said no.
    #[error("the login was refused in the browser; start it again if that was a mistake")]
    Denied,
    /// The code expired before the user was done.
    #[error("the code expired before the login was finished; start it again for a new code")]
    Expired,
    /// The token endpoint gave neither tokens nor a reason to wait.
    #[error("the login ended without tokens; start it again once the cause is gone")]
    Exchange(#[source] ExchangeError),
}

/// Puts the refusal of an exchange in this endpoint's words.
pub(super) fn refusal(error: Option<ExchangeError>) -> DeviceError {
    match error {
        Some(ExchangeError::Refused { status, code, description, retry_after, .. }) => {
            DeviceError::Refused { status, code, description, retry_after }
        }
        Some(ExchangeError::Status { status, excerpt, retry_after, .. }) => {
            DeviceError::Status { status, excerpt, retry_after }
        }
        _ => DeviceError::Invalid { problem: "it is neither a success nor an error" },
    }
}
