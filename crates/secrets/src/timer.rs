//! Time that only moves forward, and the one place of this crate that reads it.

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;

/// Time that only moves forward, and waiting for it.
///
/// Only differences of [`now`](Timer::now) mean anything: where zero lies is the timer's own business.
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

/// The time since this machine was started, on Linux with the time it was suspended: a backend's lease runs on meanwhile.
///
/// [`sleep`](Timer::sleep) needs a tokio runtime with time enabled.
#[cfg(any(feature = "cached", feature = "command", feature = "keyring", feature = "vault"))]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTimer;

#[cfg(any(feature = "cached", feature = "command", feature = "keyring", feature = "vault"))]
#[async_trait]
impl Timer for SystemTimer {
    fn now(&self) -> Duration {
        system::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this file owns the crate's time")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(any(feature = "cached", feature = "command", feature = "keyring", feature = "vault"))]
#[cfg(target_os = "linux")]
mod system {
    //! Linux has a clock that does not step and does not stop.

    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn now() -> Duration {
        let now = clock_gettime(ClockId::Boottime);
        Duration::new(now.tv_sec.try_into().unwrap_or_default(), now.tv_nsec.try_into().unwrap_or_default())
    }
}

#[cfg(any(feature = "cached", feature = "command", feature = "keyring", feature = "vault"))]
#[cfg(not(target_os = "linux"))]
mod system {
    //! Elsewhere it is the time since somebody first asked.
    #![expect(clippy::disallowed_methods, reason = "this file owns the crate's time")]

    use std::{
        sync::LazyLock,
        time::{Duration, Instant},
    };

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(super) fn now() -> Duration {
        START.elapsed()
    }
}
