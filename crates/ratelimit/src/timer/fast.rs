use std::time::Duration;

use async_trait::async_trait;
use quanta::{Clock, Instant};

use super::Timer;

/// The real time, read off the processor's counter where that keeps time, as on every machine of the last ten years, and
/// from the system otherwise.
///
/// It costs about a third of what [`TokioTimer`](super::TokioTimer) does, and does not follow a clock that tokio has paused.
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
#[derive(Clone, Debug)]
pub struct FastTimer {
    clock: Clock,
    start: Instant,
}

impl FastTimer {
    /// Starts a timer at zero. The first one of a process compares the counter with the system's clock, which takes up to
    /// 200 ms: make it before there is work to do.
    #[must_use]
    pub fn new() -> Self {
        let clock = Clock::new();
        Self { start: clock.now(), clock }
    }
}

impl Default for FastTimer {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Timer for FastTimer {
    fn now(&self) -> Duration {
        self.clock.now().duration_since(self.start)
    }

    #[expect(clippy::disallowed_methods, reason = "a timer is where waiting happens")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
