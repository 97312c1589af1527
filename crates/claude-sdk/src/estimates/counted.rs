use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ratelimit::Cost;

use super::Estimate;
use crate::{
    client::{Client, RequestOptions},
    error::ConfigError,
    types::{CountTokensRequest, MessageRequest},
};

/// The tokens sent as the service counts them (`count_tokens`), and the rest as another estimate says.
///
/// A count is asked for once and remembered, the latest 1,024 of them. One that does not come within two seconds is done
/// without: then the other estimate counts. What is read from the cache of prompts is in the count, and comes back when the
/// answer says so.
///
/// Example: [`Estimate`](crate::estimates::Estimate).
#[derive(Debug)]
pub struct Counted<E> {
    counter: Client,
    estimate: E,
    known: Mutex<Known>,
}

const PATIENCE: Duration = Duration::from_secs(2);
const MOST_KNOWN: usize = 1_024;

/// Counts by what was counted, the oldest first.
#[derive(Debug, Default)]
struct Known {
    counts: HashMap<u64, u64>,
    order: VecDeque<u64>,
}

impl<E> Counted<E> {
    /// Counts with `counter`, a client of the same models; everything else is up to `estimate`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the client's options do not go with a time limit.
    pub fn by(counter: &Client, estimate: E) -> Result<Self, ConfigError> {
        let counter = counter.with_options(RequestOptions::new().deadline(PATIENCE).max_retries(0))?;
        Ok(Self { counter, estimate, known: Mutex::default() })
    }
}

#[async_trait]
impl<E: Estimate> Estimate for Counted<E> {
    #[inline]
    fn cost(&self, request: &MessageRequest, length: usize) -> Cost {
        self.estimate.cost(request, length)
    }

    async fn count(&self, request: &MessageRequest) -> Option<u64> {
        let what = fingerprint(request)?;
        if let Some(known) = self.known(|known| known.counts.get(&what).copied()) {
            return Some(known);
        }
        let count = self.counter.messages().count_tokens(request).await.ok()?.input_tokens;
        self.known(|known| known.add(what, count));
        Some(count)
    }

    fn learn(&self, model: &str, actual: Cost) {
        self.estimate.learn(model, actual);
    }
}

impl<E> Counted<E> {
    fn known<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    #[inline]
    fn add(&mut self, what: u64, count: u64) {
        if self.counts.insert(what, count).is_none() {
            self.order.push_back(what);
        }
        if self.order.len() > MOST_KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
    }
}

/// Two requests with one fingerprint would have to be made for it, and what they get is a wrong estimate.
#[inline]
fn fingerprint(request: &MessageRequest) -> Option<u64> {
    let counted = serde_json::to_vec(&CountTokensRequest::from(request)).ok()?;
    let mut hasher = DefaultHasher::new();
    counted.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_count_makes_room() {
        let mut known = Known::default();
        for what in 0..=MOST_KNOWN as u64 {
            known.add(what, what);
            known.add(what, what);
        }
        assert_eq!((known.counts.len(), known.order.len()), (MOST_KNOWN, MOST_KNOWN));
        assert_eq!((known.counts.get(&0), known.counts.get(&1)), (None, Some(&1)));
    }
}
