//! Monotonic time, and the one place of this crate that reads it.
#![expect(clippy::disallowed_methods, reason = "this file owns the crate's monotonic time")]

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::Instant;

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

/// The real time, read off the processor's counter where that keeps time, as on every machine of the last ten years, and
/// from the system otherwise.
///
/// It costs about a third of what [`TokioTimer`](TokioTimer) does, and does not follow a clock that tokio has paused.
/// [`sleep`](Timer::sleep) is tokio's: it needs a runtime with time enabled and rounds up to whole milliseconds.
///
/// ```
/// use ratelimit::{Cost, Decision, FastTimer, Key, Limits, limiters::Local};
///
/// let limiter = Local::limited_to(Limits::default().with_requests(2)).build(FastTimer::new());
/// let key = Key::from("team");
/// assert_eq!(limiter.try_acquire(&key, Cost::requests(2)), Decision::Admit);
/// assert!(matches!(limiter.try_acquire(&key, Cost::requests(1)), Decision::Wait(_)));
/// ```
#[cfg(feature = "fast-clock")]
#[derive(Clone, Debug)]
pub struct FastTimer {
    clock: quanta::Clock,
    start: quanta::Instant,
}

#[cfg(feature = "fast-clock")]
impl FastTimer {
    /// Starts a timer at zero. The first one of a process compares the counter with the system's clock, which takes up to
    /// 200 ms: make it before there is work to do.
    #[must_use]
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        Self { start: clock.now(), clock }
    }
}

#[cfg(feature = "fast-clock")]
impl Default for FastTimer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "fast-clock")]
#[async_trait]
impl Timer for FastTimer {
    fn now(&self) -> Duration {
        self.clock.now().duration_since(self.start)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
