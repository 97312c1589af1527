//! Who waits, and who is next: priorities first, and within one of them tenants by turns.
//!
//! Each priority pays for what is served of it, a lower one more for the same, and whichever has paid least is next. So where
//! all of them wait all the time, sixteen parts are of high priority, four of normal and one of low: nobody starves. Whoever
//! is in front may only be overtaken by one of a higher priority that has not paid more, which is a share or so.

use std::sync::Arc;

use super::{
    seat::Seat,
    turns::{Turns, Waiter},
};
use crate::{Cost, Key, Priority, Rate};

/// Everybody who waits for one key.
#[derive(Debug, Default)]
pub(in crate::limiters) struct Line([Class; 3]);

/// Those who wait with one priority.
#[derive(Debug, Default)]
struct Class {
    turns: Turns,
    paid: u128,
}

/// How finely shares of the limits are told apart.
const WHOLE: u128 = 1 << 20;

/// How much of the limits a cost takes, by the dimension it takes the most of.
#[inline]
pub(in crate::limiters) fn share(rates: [Option<Rate>; 3], cost: Cost) -> u64 {
    let shares = rates
        .into_iter()
        .zip(cost.amounts())
        .filter_map(|(rate, amount)| (u128::from(amount) * WHOLE).checked_div(u128::from(rate?.burst())));
    u64::try_from(shares.max().unwrap_or(0)).unwrap_or(u64::MAX).max(1)
}

/// What a share costs, by priority.
const PRICES: [u128; 3] = [1, 4, 16];

impl Line {
    #[inline]
    pub(in crate::limiters) fn is_empty(&self) -> bool {
        self.0.iter().all(|class| class.turns.is_empty())
    }

    /// What has to be served for sure before a newcomer of this tenant and priority, unless somebody leaves.
    #[inline]
    pub(in crate::limiters) fn ahead_of(&self, key: &Key) -> [u128; 3] {
        self.class(key).turns.ahead_of(key)
    }

    #[inline]
    pub(in crate::limiters) fn join(&mut self, key: &Key, ticket: u64, cost: Cost, share: u64) -> Arc<Seat> {
        let seat = Arc::<Seat>::default();
        // A priority that nobody was waiting with has saved up nothing.
        let least = self.next().and_then(|next| self.0.get(next)).map(|class| class.paid);
        let class = self.class_mut(key);
        match least {
            Some(least) if class.turns.is_empty() => class.paid = class.paid.max(least),
            Some(_) => {}
            None => self.0.iter_mut().for_each(|class| class.paid = 0),
        }
        let class = self.class_mut(key);
        class.turns.join(key, ticket, Waiter { cost, share, seat: Arc::clone(&seat) });
        seat
    }

    /// Takes somebody out, whatever their place.
    #[inline]
    pub(in crate::limiters) fn leave(&mut self, key: &Key, ticket: u64) {
        self.class_mut(key).turns.leave(key, ticket);
    }

    /// Whoever is served next, and their ticket.
    #[inline]
    pub(in crate::limiters) fn front(&mut self) -> Option<(u64, &Waiter)> {
        let next = self.next()?;
        self.0.get_mut(next)?.turns.front()
    }

    /// Takes out whoever is in front, because they are served.
    #[inline]
    pub(in crate::limiters) fn serve(&mut self) {
        let Some(next) = self.next() else { return };
        if let (Some(class), Some(price)) = (self.0.get_mut(next), PRICES.get(next)) {
            class.paid += u128::from(class.turns.serve().unwrap_or_default()) * price;
        }
    }

    /// The priority that is next: of those who have paid the least, the highest.
    #[inline]
    fn next(&self) -> Option<usize> {
        let waiting = self.0.iter().enumerate().filter(|(_, class)| !class.turns.is_empty());
        waiting.min_by_key(|(_, class)| class.paid).map(|(place, _)| place)
    }

    #[inline]
    fn class(&self, key: &Key) -> &Class {
        let [high, normal, low] = &self.0;
        match key.priority() {
            Priority::High => high,
            Priority::Normal => normal,
            Priority::Low => low,
        }
    }

    #[inline]
    fn class_mut(&mut self, key: &Key) -> &mut Class {
        let [high, normal, low] = &mut self.0;
        match key.priority() {
            Priority::High => high,
            Priority::Normal => normal,
            Priority::Low => low,
        }
    }
}
