//! A limit on waiting that costs little where the waits are many and short.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use crate::Clock;

/// How long somebody waits for something that comes again and again, such as the next piece of a body.
///
/// A sleep is begun once and outlasts the waits that end in time: setting a timer costs more than most of them. Where it
/// ends in the middle of a later wait, what is left of that one is slept through.
///
/// ```
/// # use std::{sync::Arc, task::{Context, Poll, Waker}, time::{Duration, SystemTime}};
/// # use transport::{Clock, Patience, SystemClock};
/// # let clock = Arc::new(SystemClock);
/// # let cx = &mut Context::from_waker(Waker::noop());
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let mut patience = Patience::new(clock, Duration::from_secs(60));
/// assert_eq!(patience.poll_end(cx), Poll::Pending); // nothing has come yet
/// patience.rest(); // it has come
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Patience {
    clock: Arc<dyn Clock>,
    limit: Duration,
    /// When the wait began, if one is under way.
    since: Option<SystemTime>,
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// The sleep ends when the wait under way has lasted for the limit.
    exact: bool,
}

impl Patience {
    /// Allows each wait to last for `limit`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self { clock, limit, since: None, sleep: None, exact: false }
    }

    /// Ends the wait, because what was waited for has come.
    pub fn rest(&mut self) {
        self.since = None;
        self.exact = false;
    }

    /// Begins or goes on with a wait; ready when it has lasted for the limit.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(|| self.clock.now());
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.as_mut().poll(cx));
                self.sleep = None;
                let waited = self.clock.now().duration_since(since).unwrap_or_default();
                // No sleep is longer than the limit: where the clock says far more, it was set forward.
                if self.exact || (self.limit..self.limit.saturating_mul(2)).contains(&waited) {
                    return Poll::Ready(());
                }
                self.begin(self.limit.checked_sub(waited).unwrap_or(self.limit));
            } else {
                self.begin(self.limit);
            }
        }
    }

    fn begin(&mut self, duration: Duration) {
        let clock = Arc::clone(&self.clock);
        self.sleep = Some(Box::pin(async move { clock.sleep(duration).await }));
        self.exact = true;
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("limit", &self.limit)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}
