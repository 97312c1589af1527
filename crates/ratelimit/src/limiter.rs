//! The seam: what every rate limiter can do.

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{Cost, Dimension, Error, Key, Observation, Permit};

/// Something that says when a piece of work may start.
///
/// `test_util::contract` (feature `test-util`) checks an implementation against what is written here.
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync + 'static {
    /// Waits until `cost` may be spent under `key`, for `max_wait` at the most.
    ///
    /// The cost is an estimate; [`Permit::settle`] corrects it where the limiter can. A `max_wait` of zero never
    /// waits.
    ///
    /// # Errors
    ///
    /// [`Error::WouldWait`] as soon as it is known that the permit cannot come in time, [`Error::TooLarge`] where
    /// it can never come, [`Error::Unavailable`] where the limiter cannot tell. Nothing is charged then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready charges nothing and gives up the place in the line.
    async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error>;

    /// Takes note of what the server said about the limits of `key`.
    ///
    /// It may make the limiter stricter at once. The default ignores it.
    fn observe(&self, key: &Key, seen: &Observation) {
        let _ = (key, seen);
    }
}

#[async_trait]
impl<T: RateLimiter + ?Sized> RateLimiter for Arc<T> {
    async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error> {
        (**self).acquire(key, cost, max_wait).await
    }

    fn observe(&self, key: &Key, seen: &Observation) {
        (**self).observe(key, seen);
    }
}

/// What a limiter says about a cost, without waiting for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// Go ahead: the cost has been charged.
    Admit,
    /// Nothing was charged; ask again after this long.
    Wait(Duration),
    /// Nothing was charged, and the cost never fits.
    TooLarge {
        /// Where it does not fit.
        dimension: Dimension,
        /// How much fits at the most.
        capacity: u64,
    },
}
