//! A clock that can be set forward, so that a token of an hour expires at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use claude_sdk::transport::{Clock, SystemClock};

/// The system's clock, ahead by as much as it was set forward. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub(super) struct ShiftedClock(Arc<AtomicU64>);

impl ShiftedClock {
    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for ShiftedClock {
    fn now(&self) -> SystemTime {
        SystemClock.now() + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}
