//! One key: what is left of its limits, the permits that are out, and who waits.

use std::{sync::Arc, task::Waker, time::Duration};

use super::{
    adapted::Adapted,
    book::Book,
    line::{Line, share},
    meter::Meter,
    seat::{News, Seat},
};
use crate::{
    Adaptive, Cost, Decision, Dimension, Key, Limits, Observation,
    bucket::Bucket,
    moment::{FOREVER, nanos},
};

/// How long to wait before asking again where nobody knows: for a permit to be given back.
pub(super) const SOME_TIME: u64 = 100_000_000; // ns

/// Everything about one key. All times are in nanoseconds.
#[derive(Debug)]
pub(super) struct Lane {
    meters: [Meter; 3],
    concurrency: Option<u32>,
    adapted: Option<Adapted>,
    /// How long a permit may be out.
    lease: u64,
    closed_until: u64,
    /// The permit whose reply is the newest word of the server.
    newest: Option<u64>,
    pub(super) book: Book,
    pub(super) line: Line,
}

/// Where and by how much a cost is too large.
#[derive(Debug, Clone, Copy)]
pub(in crate::limiters) struct Misfit {
    pub(super) dimension: Dimension,
    pub(super) asked: u64,
    pub(super) capacity: u64,
}

impl Lane {
    #[inline]
    pub(super) fn new(limits: &Limits, adaptive: Option<Adaptive>, lease: u64, now: u64) -> Self {
        Self {
            meters: limits.rates().map(|ceiling| Meter::new(ceiling, now)),
            concurrency: limits.seats(),
            adapted: adaptive.map(Adapted::new),
            lease,
            closed_until: 0,
            newest: None,
            book: Book::default(),
            line: Line::default(),
        }
    }

    /// Brings everything up to `now`.
    #[inline]
    pub(super) fn advance(&mut self, now: u64) {
        for bucket in self.buckets() {
            bucket.refill(now);
        }
        while let Some(entry) = self.book.close_late(now) {
            self.correct(entry.charged, entry.assumed);
        }
    }

    /// Decides about a newcomer; only [`Decision::Admit`] charges. Call [`advance`](Self::advance) first.
    #[inline]
    pub(super) fn decide(&mut self, now: u64, key: &Key, cost: Cost) -> Decision {
        if let Some(Misfit { dimension, capacity, .. }) = self.misfit(cost) {
            return Decision::TooLarge { dimension, capacity };
        }
        if self.line.is_empty() && self.has(now, cost) {
            self.charge(cost);
            return Decision::Admit;
        }
        Decision::Wait(Duration::from_nanos(self.wait(now, key, cost)))
    }

    /// Decides about a newcomer who wants a permit, and opens its account.
    #[inline]
    pub(super) fn admit(&mut self, now: u64, number: u64, cost: Cost) -> bool {
        let is_admitted = self.line.is_empty() && self.has_room() && self.has(now, cost);
        if is_admitted {
            self.open(now, number, cost);
        }
        is_admitted
    }

    /// How long a newcomer of this key would wait, as far as can be told; never zero.
    #[inline]
    pub(super) fn wait(&self, now: u64, key: &Key, cost: Cost) -> u64 {
        match self.least_wait(now, key, cost) {
            0 => SOME_TIME,
            wait => wait,
        }
    }

    /// How long a newcomer of this key would wait if all permits came back now.
    #[inline]
    pub(super) fn least_wait(&self, now: u64, key: &Key, cost: Cost) -> u64 {
        self.until(now, cost, self.line.ahead_of(key))
    }

    /// Puts somebody at the end of the line.
    #[inline]
    pub(super) fn join(&mut self, key: &Key, ticket: u64, cost: Cost) -> Arc<Seat> {
        let rates = self.meters.each_ref().map(|meter| meter.bucket.as_ref().map(Bucket::rate));
        self.line.join(key, ticket, cost, share(rates, cost))
    }

    /// How long whoever is in front waits, if that is the holder of `ticket` and all permits came back now.
    #[inline]
    pub(super) fn front_wait(&mut self, now: u64, ticket: u64) -> Option<u64> {
        let (_, front) = self.line.front().filter(|(front, _)| *front == ticket)?;
        let cost = front.cost;
        Some(self.until(now, cost, [0; 3]))
    }

    /// When a permit that is lost comes back.
    #[inline]
    pub(super) fn next_end(&self, now: u64) -> u64 {
        self.book.next_end().map_or(FOREVER, |end| end.saturating_sub(now))
    }

    /// Serves everybody who can be served now, in their order, and returns whom to wake.
    #[inline]
    pub(super) fn serve(&mut self, now: u64, next_number: &mut u64) -> Vec<Waker> {
        self.advance(now);
        let mut wakers = Vec::new();
        while let Some((_, front)) = self.line.front() {
            let (cost, seat) = (front.cost, Arc::clone(&front.seat));
            let news = if let Some(misfit) = self.misfit(cost) {
                News::TooLarge(misfit)
            } else if self.has_room() && self.has(now, cost) {
                let number = *next_number;
                *next_number += 1;
                self.open(now, number, cost);
                News::Granted(number)
            } else {
                wakers.extend(seat.tell(News::Look));
                break;
            };
            self.line.serve();
            wakers.extend(seat.tell(news));
        }
        wakers
    }

    /// Notes what a permit has cost if nobody says more; one that was given up as late is charged for it now.
    #[inline]
    pub(super) fn assume(&mut self, number: u64, before: Cost, cost: Cost) {
        if !self.book.assume(number, cost) {
            self.correct(before, cost);
        }
    }

    /// Closes the account of a permit. One that is no longer open was given up as late: then all that it did cost beyond
    /// what was assumed is charged now.
    #[inline]
    pub(super) fn settle(&mut self, number: u64, assumed: Cost, actual: Option<Cost>) {
        let charged = self.book.close(number).map_or(assumed, |entry| entry.charged);
        self.correct(charged, actual.unwrap_or(assumed));
    }

    /// Takes note of what the server said to one of so many who share its limits.
    #[inline]
    pub(super) fn hear(&mut self, now: u64, seen: &Observation, parts: u64) {
        if let Some(retry_after) = seen.retry_after {
            self.closed_until = self.closed_until.max(now.saturating_add(nanos(retry_after)));
        }
        let is_newest = seen.permit.is_some() && seen.permit >= self.newest;
        if is_newest {
            self.newest = seen.permit;
        }
        if let Some(adapted) = &mut self.adapted {
            adapted.hear(seen);
        }
        let windows = seen.windows().into_iter().zip(self.book.uncounted_at(seen.permit));
        for (meter, (window, uncounted)) in self.meters.iter_mut().zip(windows) {
            if let Some(window) = window {
                meter.hear(now, window, parts, is_newest, uncounted);
            }
        }
    }

    /// Why `cost` can never be admitted, if it cannot.
    #[inline]
    pub(super) fn misfit(&self, cost: Cost) -> Option<Misfit> {
        let mut dimensions = Dimension::ALL.into_iter().zip(&self.meters).zip(cost.amounts());
        dimensions.find_map(|((dimension, meter), asked)| {
            let bucket = meter.bucket.as_ref().filter(|bucket| !bucket.can_hold(asked))?;
            Some(Misfit { dimension, asked, capacity: bucket.rate().burst() })
        })
    }

    /// When the lane is as good as new, if nothing more is admitted; `None` while somebody waits or holds a permit.
    #[inline]
    pub(super) fn idle_at(&self) -> Option<u64> {
        let full_at = self.meters.iter().filter_map(|meter| meter.bucket.as_ref()).map(Bucket::full_at).max();
        let is_used = self.book.len() > 0 || !self.line.is_empty();
        (!is_used).then(|| full_at.unwrap_or(0).max(self.closed_until))
    }

    /// Whether one more permit may be out.
    #[inline]
    fn has_room(&self) -> bool {
        self.concurrency.is_none_or(|most| self.book.len() < most as usize)
            && self.adapted.as_ref().is_none_or(|adapted| self.book.len() < adapted.limit())
    }

    #[inline]
    fn has(&self, now: u64, cost: Cost) -> bool {
        let mut meters = self.meters.iter().zip(cost.amounts());
        let has =
            |(meter, amount): (&Meter, u64)| meter.bucket.as_ref().is_none_or(|bucket| bucket.has(amount));
        self.closed_until <= now && meters.all(has)
    }

    /// Charges for a permit and notes that it is out.
    #[inline]
    fn open(&mut self, now: u64, number: u64, cost: Cost) {
        self.charge(cost);
        self.book.open(number, cost, now.saturating_add(self.lease));
        if let Some(adapted) = &mut self.adapted {
            adapted.give(number, self.book.len());
        }
    }

    #[inline]
    fn charge(&mut self, cost: Cost) {
        for (meter, amount) in self.meters.iter_mut().zip(cost.amounts()) {
            if let Some(bucket) = &mut meter.bucket {
                bucket.take(amount);
            }
        }
    }

    #[inline]
    fn correct(&mut self, charged: Cost, actual: Cost) {
        let amounts = charged.amounts().into_iter().zip(actual.amounts());
        for (meter, (charged, actual)) in self.meters.iter_mut().zip(amounts) {
            if let Some(bucket) = &mut meter.bucket {
                bucket.correct(charged, actual);
            }
        }
    }

    #[inline]
    fn until(&self, now: u64, cost: Cost, ahead: [u128; 3]) -> u64 {
        let amounts = cost.amounts().into_iter().zip(ahead);
        let waits = self.meters.iter().zip(amounts).filter_map(|(meter, (amount, ahead))| {
            let bucket = meter.bucket.as_ref()?;
            Some(bucket.until(ahead.saturating_add(u128::from(bucket.wanted(amount)))))
        });
        waits.max().unwrap_or(0).max(self.closed_until.saturating_sub(now))
    }

    fn buckets(&mut self) -> impl Iterator<Item = &mut Bucket> {
        self.meters.iter_mut().filter_map(|meter| meter.bucket.as_mut())
    }
}
