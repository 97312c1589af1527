//! The words a machine and its driver speak.

use std::{fmt, time::SystemTime};

use bytes::Bytes;
use http::{Request, Response};

use super::{Event, Failure, Lease, Reason};
use crate::{Snapshot, TokenSet};

/// What happened outside the machine.
///
/// `Debug` shows no token.
#[derive(Clone)]
pub enum Input {
    /// An exchange ended; an id that is not in flight is ignored.
    Response {
        /// Which exchange it was.
        exchange: ExchangeId,
        /// When the request was sent, read from the same clock as `now`; the answer's `Date` is measured against it.
        sent_at: SystemTime,
        /// The answer, whatever its status, or how far the request got.
        result: Result<Response<Bytes>, SendFailure>,
    },
    /// A server answered 401 to the lease of this generation; an older generation is ignored.
    Rejected {
        /// The generation of the lease that was used.
        generation: u64,
    },
    /// A snapshot was stored, or could not be.
    ///
    /// A driver without a store answers `ok: true` at once.
    Stored {
        /// The generation of the snapshot.
        generation: u64,
        /// Whether it is durable.
        ok: bool,
    },
    /// A snapshot was read again from the store, where another process may have put it.
    ///
    /// It is adopted when it is newer than what the machine has, and ignored otherwise.
    Adopt(Snapshot),
    /// The refresh token of this generation may have been sent before, by somebody who did not live to store what came
    /// of it; another generation is ignored.
    ///
    /// It is sent all the same. If the server then says no, the machine knows that this may be why.
    MaybeSpent {
        /// The generation of the snapshot whose refresh token it is.
        generation: u64,
    },
    /// The user has logged in: these tokens replace everything.
    ///
    /// A logout under way ends here, without [`Event::LoggedOut`].
    LoggedIn(TokenSet),
    /// The user wants to be logged out: from here on no lease is handed out, and the tokens are given back and removed.
    LogOut,
    /// What was stored is removed, or could not be.
    ///
    /// A driver without a store answers `ok: true` at once.
    Removed {
        /// Whether it is gone for good.
        ok: bool,
    },
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { exchange, sent_at, result } => f
                .debug_struct("Response")
                .field("exchange", exchange)
                .field("sent_at", sent_at)
                .field("result", &result.as_ref().map(Response::status))
                .finish(),
            Self::Rejected { generation } => {
                f.debug_struct("Rejected").field("generation", generation).finish()
            }
            Self::Stored { generation, ok } => {
                f.debug_struct("Stored").field("generation", generation).field("ok", ok).finish()
            }
            Self::Adopt(snapshot) => f.debug_tuple("Adopt").field(snapshot).finish(),
            Self::MaybeSpent { generation } => {
                f.debug_struct("MaybeSpent").field("generation", generation).finish()
            }
            Self::LoggedIn(tokens) => f.debug_tuple("LoggedIn").field(tokens).finish(),
            Self::LogOut => f.write_str("LogOut"),
            Self::Removed { ok } => f.debug_struct("Removed").field("ok", ok).finish(),
        }
    }
}

/// What the driver has to do: one `match`, without a wildcard.
///
/// `Debug` shows no token.
#[must_use]
pub enum Output {
    /// Send this request once, without following redirects, and report with [`Input::Response`].
    ///
    /// The request holds the refresh token. See [`TokenMachine::wants`](super::TokenMachine::wants) for a driver that
    /// has to take a lock first.
    Transmit {
        /// The name of this exchange.
        exchange: ExchangeId,
        /// The request, complete.
        request: Request<Bytes>,
    },
    /// Make this snapshot durable and report with [`Input::Stored`]; its lease is not handed out before.
    Store {
        /// The generation of the snapshot.
        generation: u64,
        /// What to store.
        snapshot: Snapshot,
    },
    /// Remove what is stored for this login, durably, and report with [`Input::Removed`].
    ///
    /// A driver that shares its store does it under the store's lock, and before that reads it and hands over
    /// [`Input::Adopt`]: the tokens that another process has put there are then given back too.
    Remove,
    /// Tell whoever watches.
    Event(Event),
    /// Nothing to do until an input, a new demand, or this time.
    Idle {
        /// When to poll again; always later than `now`.
        wake_at: Option<SystemTime>,
    },
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit { exchange, .. } => {
                f.debug_struct("Transmit").field("exchange", exchange).finish_non_exhaustive()
            }
            Self::Store { generation, .. } => {
                f.debug_struct("Store").field("generation", generation).finish_non_exhaustive()
            }
            Self::Remove => f.write_str("Remove"),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
            Self::Idle { wake_at } => f.debug_struct("Idle").field("wake_at", wake_at).finish(),
        }
    }
}

/// The answer to "may I have a token?".
#[derive(Debug, Clone)]
#[must_use]
pub enum Access {
    /// Yes, this one.
    Ready(Lease),
    /// Not yet: poll the machine, and ask again after its next input.
    Pending,
    /// Not now: the last exchange failed. Everyone who asks before the next one gets the same failure.
    Failed(Failure),
    /// No: only a new login, or another process's tokens, can help.
    LoginRequired(Reason),
}

/// The name of one exchange of one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExchangeId(pub(super) u64);

/// How far a request got that has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// Not a byte of it left this machine: it is safe to send it again.
    #[error("the token endpoint could not be reached; check the network and its address")]
    NotSent,
    /// It may have arrived, and the refresh token may be used up. When in doubt, it is this.
    #[error("the token endpoint did not answer; the request may have arrived")]
    MaybeSent,
}
