//! Those who wait with one priority, and whose turn it is.
//!
//! Whoever waits for the same tenant is served in the order they came. Tenants take turns by deficit round robin: at each
//! turn a tenant may spend as much as the largest request that waits, and keeps what it has not used for its next turn.
//! Whoever's turn it is stays in front until it is served, so small requests cannot starve a large one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::seat::Seat;
use crate::{Cost, Key};

/// Everybody who waits for one key with one priority.
#[derive(Debug, Default)]
pub(in crate::limiters) struct Turns {
    queues: HashMap<Tenant, Queue>,
    /// Whose turn is next, by the number of the turn.
    turns: BTreeMap<u64, Tenant>,
    next_turn: u64,
    /// The largest share that waited since the line was last empty: with a smaller one, a turn may pass without anybody
    /// being served.
    largest: u64,
}

type Tenant = Option<Arc<str>>;

/// One who waits.
#[derive(Debug)]
pub(in crate::limiters) struct Waiter {
    pub(in crate::limiters) cost: Cost,
    /// How much of the limits it takes, by the dimension it takes the most of.
    pub(in crate::limiters) share: u64,
    pub(in crate::limiters) seat: Arc<Seat>,
}

/// Those who wait for one tenant, by their tickets.
#[derive(Debug)]
struct Queue {
    turn: u64,
    credit: u64,
    waiters: BTreeMap<u64, Waiter>,
    sum: [u128; 3],
}

impl Turns {
    #[inline]
    pub(in crate::limiters) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// What has to be served for sure before a newcomer of this tenant, unless somebody leaves.
    #[inline]
    pub(in crate::limiters) fn ahead_of(&self, key: &Key) -> [u128; 3] {
        self.queues.get(key.parts().1).map(|queue| queue.sum).unwrap_or_default()
    }

    #[inline]
    pub(in crate::limiters) fn join(&mut self, key: &Key, ticket: u64, waiter: Waiter) {
        self.largest = if self.is_empty() { waiter.share } else { self.largest.max(waiter.share) };
        let (turns, next_turn, largest) = (&mut self.turns, &mut self.next_turn, self.largest);
        let (_, tenant) = key.parts();
        let queue = self.queues.entry(tenant.clone()).or_insert_with(|| {
            let turn = *next_turn;
            *next_turn += 1;
            turns.insert(turn, tenant.clone());
            Queue { turn, credit: largest, waiters: BTreeMap::new(), sum: [0; 3] }
        });
        for (sum, amount) in queue.sum.iter_mut().zip(waiter.cost.amounts()) {
            *sum += u128::from(amount);
        }
        queue.waiters.insert(ticket, waiter);
    }

    /// Takes somebody out, whatever their place.
    #[inline]
    pub(in crate::limiters) fn leave(&mut self, key: &Key, ticket: u64) {
        self.remove(key.parts().1, ticket);
    }

    /// Whoever is served next, and their ticket; the same until somebody leaves or is served.
    #[inline]
    pub(in crate::limiters) fn front(&mut self) -> Option<(u64, &Waiter)> {
        self.pass_turns();
        let queue = self.queues.get(self.turns.values().next()?)?;
        queue.waiters.iter().next().map(|(ticket, waiter)| (*ticket, waiter))
    }

    /// Takes out whoever is in front, because they are served, and returns their share.
    #[inline]
    pub(in crate::limiters) fn serve(&mut self) -> Option<u64> {
        let tenant = self.turns.values().next().cloned()?;
        let queue = self.queues.get_mut(&tenant)?;
        let (&ticket, waiter) = queue.waiters.first_key_value()?;
        let share = waiter.share;
        queue.credit = queue.credit.saturating_sub(share);
        self.remove(&tenant, ticket);
        Some(share)
    }

    /// Passes the turn on until it is with a tenant that can pay for its first waiter. What a tenant gets as it passes
    /// pays for somebody at its next turn, so there is at most one pass for each who is served.
    #[inline]
    fn pass_turns(&mut self) {
        while let Some((&turn, tenant)) = self.turns.first_key_value() {
            let Some(queue) = self.queues.get_mut(tenant) else { return };
            let share = queue.waiters.values().next().map_or(0, |waiter| waiter.share);
            if queue.credit >= share {
                return;
            }
            queue.credit += self.largest;
            if queue.turn == turn && self.turns.len() > 1 {
                queue.turn = self.next_turn;
                let tenant = tenant.clone();
                self.turns.remove(&turn);
                self.turns.insert(self.next_turn, tenant);
                self.next_turn += 1;
            }
        }
    }

    #[inline]
    fn remove(&mut self, tenant: &Tenant, ticket: u64) {
        let Some(queue) = self.queues.get_mut(tenant) else { return };
        let Some(waiter) = queue.waiters.remove(&ticket) else { return };
        for (sum, amount) in queue.sum.iter_mut().zip(waiter.cost.amounts()) {
            *sum -= u128::from(amount);
        }
        if queue.waiters.is_empty() {
            self.turns.remove(&queue.turn);
            self.queues.remove(tenant);
        }
    }
}
