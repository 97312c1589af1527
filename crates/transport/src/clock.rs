//! The one place where real time is read and really waited for.
#![expect(clippy::disallowed_methods, reason = "owner of the wall clock and of real waiting")]

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

/// The time of day and the means to wait, in one trait so that the two cannot disagree.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the time of day.
    fn now(&self) -> SystemTime;

    /// Waits for `duration`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the wait and leaves nothing behind.
    async fn sleep(&self, duration: Duration);
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }

    fn sleep<'a, 'f>(&'a self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        (**self).sleep(duration)
    }
}

/// The machine's clock; waiting needs a tokio runtime with its timer enabled, and begins with the call of `sleep`, within it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep<'a, 'f>(&'a self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(tokio::time::sleep(duration))
    }
}
