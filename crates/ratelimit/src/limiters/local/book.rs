//! The permits that are out.

use std::collections::BTreeMap;

use crate::Cost;

/// What was charged for each permit that has not been settled yet, by its number.
#[derive(Debug, Default)]
pub(in crate::limiters) struct Book {
    open: BTreeMap<u64, Entry>,
    sum: [u128; 3],
}

#[derive(Debug)]
pub(in crate::limiters) struct Entry {
    pub(in crate::limiters) charged: Cost,
    /// What it has cost if nobody says more.
    pub(in crate::limiters) assumed: Cost,
    pub(in crate::limiters) ends_at: u64,
}

impl Book {
    /// How many permits are out.
    #[inline]
    pub(in crate::limiters) fn len(&self) -> usize {
        self.open.len()
    }

    #[inline]
    pub(in crate::limiters) fn open(&mut self, number: u64, charged: Cost, ends_at: u64) {
        for (sum, amount) in self.sum.iter_mut().zip(charged.amounts()) {
            *sum += u128::from(amount);
        }
        self.open.insert(number, Entry { charged, assumed: unknown(charged), ends_at });
    }

    /// Whether that permit is out still, and it was noted.
    #[inline]
    pub(in crate::limiters) fn assume(&mut self, number: u64, cost: Cost) -> bool {
        let entry = self.open.get_mut(&number);
        entry.map(|entry| entry.assumed = cost).is_some()
    }

    #[inline]
    pub(in crate::limiters) fn close(&mut self, number: u64) -> Option<Entry> {
        let entry = self.open.remove(&number)?;
        for (sum, amount) in self.sum.iter_mut().zip(entry.charged.amounts()) {
            *sum -= u128::from(amount);
        }
        Some(entry)
    }

    /// Takes out one permit whose time is over. All have the same time, so the oldest ends first.
    #[inline]
    pub(in crate::limiters) fn close_late(&mut self, now: u64) -> Option<Entry> {
        let (&number, _) = self.open.first_key_value().filter(|(_, entry)| entry.ends_at <= now)?;
        self.close(number)
    }

    /// What is charged for work that a server may not have counted yet when it answered to the permit of this number. That
    /// one's own request and input are counted by then, its output is not.
    #[inline]
    pub(in crate::limiters) fn uncounted_at(&self, number: Option<u64>) -> [u128; 3] {
        let own =
            number.and_then(|number| self.open.get(&number)).map(|entry| entry.charged).unwrap_or_default();
        let [requests, input, output] = self.sum;
        [requests.saturating_sub(own.requests.into()), input.saturating_sub(own.input_tokens.into()), output]
    }

    /// When the time of that permit is over, as long as it is out.
    #[cfg(feature = "redis")]
    pub(in crate::limiters) fn end_of(&self, number: u64) -> Option<u64> {
        self.open.get(&number).map(|entry| entry.ends_at)
    }

    /// When the time of the next permit is over.
    #[inline]
    pub(in crate::limiters) fn next_end(&self) -> Option<u64> {
        self.open.values().next().map(|entry| entry.ends_at)
    }
}

/// What a permit has cost of which nobody says anything: a request was made, or else nobody who forgets to settle would
/// ever be limited.
#[inline]
pub(in crate::limiters) const fn unknown(charged: Cost) -> Cost {
    Cost::requests(charged.requests)
}
