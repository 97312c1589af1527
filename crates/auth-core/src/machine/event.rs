//! What a machine tells whoever watches.

use std::fmt;

use super::{Failure, Reason};
use crate::{Offset, ScopeChange, SkewChange};

/// Something worth a log line or a metric; nothing has to be done about it.
///
/// `Display` is one line without a secret, and says what to do where there is something to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The lease of this generation, fresh from an exchange, may now be used.
    Refreshed {
        /// Its generation.
        generation: u64,
    },
    /// A newer snapshot was taken over from the store.
    Adopted {
        /// The generation it got.
        generation: u64,
    },
    /// The current lease was refused by a server.
    Rejected {
        /// Its generation.
        generation: u64,
    },
    /// The server answered with an empty refresh token; the one before is kept. Worth a word to the server's operator.
    EmptyRefreshToken,
    /// A refresh gave a token whose scopes differ from those of the token before.
    ///
    /// The names are the server's text: they are not made fit to be shown, and `Display` leaves them out.
    ScopesChanged(ScopeChange),
    /// An exchange failed; a valid lease is still handed out.
    RefreshFailed(Failure),
    /// The store failed. The tokens are in memory only: a crash now loses the login. Storing is tried again.
    StoreFailed {
        /// The generation that could not be stored.
        generation: u64,
    },
    /// The refresh token is gone. Worth one more look into the store, then a login.
    LoginRequired(Reason),
    /// The clock of this machine turned out to be off, or to be right again.
    ///
    /// The machine goes on with a corrected time; other programs do not, so the clock had better be set.
    ClockSkew {
        /// Where the server's clock is, seen from here.
        offset: Offset,
    },
    /// A token could not be given back; the server may take it until it expires. The logout goes on.
    RevocationFailed(Failure),
    /// What is stored could not be removed at a logout: it is tried again.
    RemoveFailed,
    /// The logout is complete: nothing is held or stored any more.
    LoggedOut {
        /// Whether the server said that it takes none of the tokens any more.
        revoked: bool,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refreshed { generation } => {
                write!(f, "the access token was refreshed (generation {generation})")
            }
            Self::Adopted { generation } => {
                write!(f, "newer tokens were taken over from the store (generation {generation})")
            }
            Self::Rejected { generation } => {
                write!(f, "a server refused the access token (generation {generation})")
            }
            Self::EmptyRefreshToken => {
                f.write_str("the server answered with an empty refresh token; the one before is kept")
            }
            Self::ScopesChanged(change) if change.is_narrower() => {
                f.write_str("the new access token lacks scopes of the one before; log in again if something needs them")
            }
            Self::ScopesChanged(_) => f.write_str("the new access token has scopes that the one before had not"),
            Self::RefreshFailed(failure) | Self::RevocationFailed(failure) => failure.fmt(f),
            Self::StoreFailed { generation } => write!(
                f,
                "the tokens could not be stored (generation {generation}) and are in memory only; check the store"
            ),
            Self::LoginRequired(reason) => reason.fmt(f),
            Self::ClockSkew { offset } => SkewChange { offset: *offset }.fmt(f),
            Self::RemoveFailed => f.write_str("the stored tokens could not be removed; check the store"),
            Self::LoggedOut { revoked: true } => f.write_str("logged out; the server has revoked the tokens"),
            Self::LoggedOut { revoked: false } => {
                f.write_str("logged out here; the server was not told so of every token, which may be good until it expires")
            }
        }
    }
}
