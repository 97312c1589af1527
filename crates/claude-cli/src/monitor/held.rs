use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use claude_sdk::{ratelimit::Timer, transport::Clock};
use tokio::sync::oneshot;

/// Time that a test holds, as a clock and as a timer.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Duration,
    sleepers: Vec<(Duration, oneshot::Sender<()>)>,
}

impl Held {
    pub(super) fn advance(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.now += by;
        let now = state.now;
        for (_, sleeper) in state.sleepers.extract_if(.., |(until, _)| *until <= now) {
            // It may have been dropped.
            let _ = sleeper.send(());
        }
    }

    /// How many wait.
    pub(super) fn sleepers(&self) -> usize {
        let mut state = self.0.lock().unwrap();
        state.sleepers.retain(|(_, sleeper)| !sleeper.is_closed());
        state.sleepers.len()
    }

    fn passed(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    async fn wait(&self, duration: Duration) {
        let (sleeper, awake) = oneshot::channel();
        let until = self.passed() + duration;
        self.0.lock().unwrap().sleepers.push((until, sleeper));
        awake.await.unwrap();
    }
}

#[async_trait]
impl Timer for Held {
    fn now(&self) -> Duration {
        self.passed()
    }

    async fn sleep(&self, duration: Duration) {
        self.wait(duration).await;
    }
}

#[async_trait]
impl Clock for Held {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.passed()
    }

    async fn sleep(&self, duration: Duration) {
        self.wait(duration).await;
    }
}
