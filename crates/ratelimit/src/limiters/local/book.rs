//! The permits that are out.

use std::collections::BTreeMap;

use crate::Cost;

/// What was charged for each permit that has not been settled yet, by its number.
#[derive(Debug, Default)]
pub(super) struct Book {
    open: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) charged: Cost,
    /// What it has cost if nobody says more.
    pub(super) assumed: Cost,
    pub(super) ends_at: u64,
}

impl Book {
    /// How many permits are out.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn open(&mut self, number: u64, charged: Cost, ends_at: u64) {
        self.open.insert(number, Entry { charged, assumed: unknown(charged), ends_at });
    }

    pub(super) fn assume(&mut self, number: u64, cost: Cost) {
        if let Some(entry) = self.open.get_mut(&number) {
            entry.assumed = cost;
        }
    }

    pub(super) fn close(&mut self, number: u64) -> Option<Entry> {
        self.open.remove(&number)
    }

    /// Takes out one permit whose time is over. All have the same time, so the oldest ends first.
    pub(super) fn close_late(&mut self, now: u64) -> Option<Entry> {
        let (&number, _) = self.open.first_key_value().filter(|(_, entry)| entry.ends_at <= now)?;
        self.close(number)
    }

    /// When the time of the next permit is over.
    pub(super) fn next_end(&self) -> Option<u64> {
        self.open.values().next().map(|entry| entry.ends_at)
    }
}

/// What a permit has cost of which nobody says anything: a request was made, or else nobody who forgets to settle would
/// ever be limited.
pub(super) const fn unknown(charged: Cost) -> Cost {
    Cost::requests(charged.requests)
}
