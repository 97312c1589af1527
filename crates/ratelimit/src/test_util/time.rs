//! Time that is moved by hand.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::Timer;

/// A timer that stands still until it is told to move.
///
/// [`ManualTimer::new`] moves by [`advance`](ManualTimer::advance) only; [`ManualTimer::auto`] also moves by
/// itself when somebody sleeps, so that no test ever waits. Share it in an `Arc`.
#[derive(Debug)]
pub struct ManualTimer {
    now: watch::Sender<Duration>,
    moves_itself: bool,
    sleeps: Mutex<Vec<Duration>>,
}

impl ManualTimer {
    /// Makes a timer at zero whose sleepers wait for [`advance`](ManualTimer::advance).
    #[must_use]
    pub fn new() -> Self {
        Self { now: watch::Sender::new(Duration::ZERO), moves_itself: false, sleeps: Mutex::default() }
    }

    /// Makes a timer at zero that jumps to the end of each sleep.
    #[must_use]
    pub fn auto() -> Self {
        Self { moves_itself: true, ..Self::new() }
    }

    /// Moves time forward and wakes everyone whose sleep is over.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(by));
    }

    /// Returns how many are asleep at this moment.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.now.receiver_count()
    }

    /// Returns the length of every sleep that was begun, in order.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        *self.now.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        self.sleeps.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
        let mut seen = self.now.subscribe();
        let end = self.now().saturating_add(duration);
        if self.moves_itself {
            self.now.send_modify(|now| *now = (*now).max(end));
        }
        // The sender lives as long as `self`: the wait ends by time alone.
        let _ = seen.wait_for(|now| *now >= end).await;
    }
}
