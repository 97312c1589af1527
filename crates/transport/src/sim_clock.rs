//! A clock that a test holds in its hand.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

use crate::Clock;

/// A clock that stands still until it is told to move.
///
/// Clones share the time. A sleeper registers when it is first polled; [`advance`](Self::advance) wakes those whose
/// time has come, earliest first, and among equals in the order they lay down. With
/// [`auto_advance`](Self::auto_advance) nobody has to move it: whoever sleeps moves the time on and goes on at once.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: SystemTime,
    auto: bool,
    slept: Duration,
    next: u64,
    sleepers: BTreeMap<Alarm, Waker>,
}

/// When to wake, and the order among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alarm {
    at: SystemTime,
    number: u64,
}

impl SimClock {
    /// Makes a clock that shows `now`.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            auto: false,
            slept: Duration::ZERO,
            next: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    /// Lets every sleep end at once and move the time by its length.
    ///
    /// This is for code that waits, such as [`Retry`](crate::layers::Retry). The limits of
    /// [`Timeout`](crate::layers::Timeout) are sleeps too and would end whatever is not ready at once: test those on a
    /// clock that is moved by hand.
    #[must_use]
    pub fn auto_advance(self) -> Self {
        self.state().auto = true;
        self
    }

    /// Moves the time forward and wakes the sleepers whose time has come.
    ///
    /// It does not run them: on tokio, yield (`tokio::task::yield_now`) or await them afterwards.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.state();
        state.now = later(state.now, duration);
        let last_due = Alarm { at: state.now, number: u64::MAX };
        let asleep = state.sleepers.split_off(&last_due);
        let due = std::mem::replace(&mut state.sleepers, asleep);
        drop(state); // a waker may call back
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// Returns the sum of all sleeps that were slept to the end.
    #[must_use]
    pub fn slept(&self) -> Duration {
        self.state().slept
    }

    /// Returns how many are asleep now; a test waits for this before it moves the time.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> SystemTime {
        self.state().now
    }

    async fn sleep(&self, duration: Duration) {
        let alarm = {
            let mut state = self.state();
            state.next += 1;
            let at = later(state.now, duration);
            if state.auto {
                state.now = at;
            }
            Alarm { at, number: state.next }
        };
        let bed = Bed { clock: self, alarm };
        poll_fn(|cx| {
            let mut state = self.state();
            if state.now >= alarm.at {
                state.slept += duration;
                return Poll::Ready(());
            }
            state.sleepers.insert(alarm, cx.waker().clone());
            Poll::Pending
        })
        .await;
        drop(bed);
    }
}

/// Takes the sleeper off the list when it wakes up or is dropped.
struct Bed<'a> {
    clock: &'a SimClock,
    alarm: Alarm,
}

impl Drop for Bed<'_> {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.alarm);
    }
}

/// Adds without overflow: a sleep without end is one of a thousand years.
fn later(now: SystemTime, duration: Duration) -> SystemTime {
    const MILLENNIUM: Duration = Duration::from_secs(1_000 * 366 * 24 * 60 * 60);
    now.checked_add(duration.min(MILLENNIUM)).unwrap_or(now)
}
