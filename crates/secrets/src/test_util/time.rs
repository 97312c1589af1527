//! Time that is moved by hand.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::Timer;

/// A timer that stands still until it is told to move. Share it in an `Arc`.
#[derive(Debug)]
pub struct ManualTimer(watch::Sender<Duration>);

impl ManualTimer {
    /// Makes a timer at zero.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(Duration::ZERO))
    }

    /// Moves time forward and wakes everyone whose sleep is over.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = now.saturating_add(by));
    }
}

impl Default for ManualTimer {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Timer for ManualTimer {
    fn now(&self) -> Duration {
        *self.0.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let end = self.now().saturating_add(duration);
        // The sender lives as long as `self`: the wait ends by time alone.
        let _ = self.0.subscribe().wait_for(|now| *now >= end).await;
    }
}
