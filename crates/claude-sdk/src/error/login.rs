use std::{io, time::Duration};

use auth_core::{CallbackErrorKind, ConfigError, DeviceError, ExchangeError, MetadataError};

/// Why a login did not come to its end. Nothing was stored, and what was stored before is untouched.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Another program has the port that was asked for, on one of loopback's addresses at least.
    #[error("port {port} is taken by another program; choose another one, or let the system choose")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// No port could be opened.
    #[error("no port could be opened on loopback ({kind}); log in by pasting the code, or on another device")]
    Listener {
        /// How it failed.
        kind: io::ErrorKind,
    },
    /// The server, or its device authorization endpoint, cannot be used for this login.
    #[error(transparent)]
    Server(ConfigError),
    /// The answer ended the login: the person refused, or another server answered than the one that was asked.
    #[error(transparent)]
    Callback(CallbackErrorKind),
    /// Nobody came back from the browser.
    #[error("nobody answered within {} s; start the login again", .patience.as_secs())]
    TimedOut {
        /// How long was waited.
        patience: Duration,
    },
    /// Nothing more can be pasted.
    #[error("the input ended before a code was pasted; start the login again and paste the whole text")]
    InputEnded,
    /// The server was not reached, or its answer broke off.
    #[error("{reason}")]
    Unreachable {
        /// Why, in a few words, free of secrets.
        reason: String,
    },
    /// The server took too long.
    #[error("the server did not answer within {} s; try again", .limit.as_secs())]
    NoAnswer {
        /// How long was waited.
        limit: Duration,
    },
    /// The token endpoint gave no tokens for the code.
    #[error(transparent)]
    Exchange(Box<ExchangeError>),
    /// A login on another device ended without tokens.
    #[error(transparent)]
    Device(Box<DeviceError>),
    /// What the server says about itself cannot be used.
    #[error(transparent)]
    Metadata(MetadataError),
}
