//! Monotonic time, and the one place of this crate that reads it.
#![expect(clippy::disallowed_methods, reason = "this file owns the crate's monotonic time")]

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::Instant;

#[cfg(feature = "fast-clock")]
pub use fast::FastTimer;

#[cfg(feature = "fast-clock")]
mod fast;

/// Time that only moves forward, and waiting for it.
///
/// Both come from one trait so that the two cannot disagree. Only differences of [`now`](Timer::now) mean
/// anything: where zero lies is the timer's own business.
#[async_trait]
pub trait Timer: Debug + Send + Sync + 'static {
    /// Returns the time since the timer's start; it never goes back.
    fn now(&self) -> Duration;

    /// Waits until `duration` has passed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the wait and has no other effect.
    async fn sleep(&self, duration: Duration);
}

#[async_trait]
impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn now(&self) -> Duration {
        (**self).now()
    }

    async fn sleep(&self, duration: Duration) {
        (**self).sleep(duration).await;
    }
}

/// The real time, as tokio keeps it: [`sleep`](Timer::sleep) needs a runtime with time enabled and rounds up to
/// whole milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct TokioTimer {
    start: Instant,
}

impl TokioTimer {
    /// Starts a timer at zero.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for TokioTimer {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Timer for TokioTimer {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
