//! Why a permit was not given.

use std::time::Duration;

use crate::Dimension;

/// Why no permit was given. Nothing has been charged, unless [`Unavailable`](Self::Unavailable) says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The permit would come later than the caller is willing to wait.
    #[error(
        "the rate limit has this wait {wait:?} from now on, and {max_wait:?} in all were allowed: try again later"
    )]
    WouldWait {
        /// How long it would have taken from now on, as far as the limiter can tell.
        wait: Duration,
        /// How long the caller was willing to wait in all.
        max_wait: Duration,
    },
    /// The cost is more than the limiter can ever admit at once; waiting does not help.
    #[error(
        "{asked} {dimension} at once is more than the limit of {capacity} can ever admit: ask for less or raise it"
    )]
    TooLarge {
        /// Where it does not fit.
        dimension: Dimension,
        /// How much was asked for.
        asked: u64,
        /// How much fits at the most.
        capacity: u64,
    },
    /// The limiter's own store or service did not answer; the source says why. Where only the answer was lost, what was asked
    /// for may have been charged there all the same.
    #[error("the rate limiter cannot be asked right now: check its backend or try again")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Makes an [`Error::Unavailable`] from what went wrong, for limiters with a backend of their own.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Says whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::WouldWait { .. } | Self::Unavailable(_) => true,
            Self::TooLarge { .. } => false,
        }
    }

    /// Returns how long to wait before the same call may succeed, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::WouldWait { wait, .. } => Some(*wait),
            Self::TooLarge { .. } | Self::Unavailable(_) => None,
        }
    }
}
