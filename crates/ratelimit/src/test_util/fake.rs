//! A limiter that writes down what it is asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::{Cost, Error, Key, Observation, Permit, RateLimiter};

/// What a [`Recorder`] was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acquired {
    /// For what.
    pub key: Key,
    /// How much.
    pub cost: Cost,
    /// How long the caller would have waited.
    pub max_wait: Duration,
}

/// A limiter that admits everything, except where a test told it to refuse, and remembers all it hears.
///
/// Clones share what they remember.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    refusals: VecDeque<Error>,
    acquired: Vec<Acquired>,
    settled: Vec<(Key, Option<Cost>)>,
    observed: Vec<(Key, Observation)>,
}

impl Recorder {
    /// Makes a limiter that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses one more of the coming calls with `error`; refusals are used up in order, before anything is admitted.
    pub fn refuse(&self, error: Error) {
        self.heard().refusals.push_back(error);
    }

    /// Returns every call so far, refused ones included.
    #[must_use]
    pub fn acquired(&self) -> Vec<Acquired> {
        self.heard().acquired.clone()
    }

    /// Returns how every finished permit was settled; `None` was dropped.
    #[must_use]
    pub fn settled(&self) -> Vec<(Key, Option<Cost>)> {
        self.heard().settled.clone()
    }

    /// Returns every observation so far.
    #[must_use]
    pub fn observed(&self) -> Vec<(Key, Observation)> {
        self.heard().observed.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RateLimiter for Recorder {
    async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error> {
        let mut heard = self.heard();
        heard.acquired.push(Acquired { key: key.clone(), cost, max_wait });
        if let Some(error) = heard.refusals.pop_front() {
            return Err(error);
        }
        let recorder = self.clone();
        Ok(Permit::new(move |actual| recorder.heard().settled.push((key, actual))))
    }

    fn observe(&self, key: &Key, seen: &Observation) {
        self.heard().observed.push((key.clone(), *seen));
    }
}
