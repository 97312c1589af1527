//! What one process knows of a key.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Mutex as Wire, Notify};

use super::{
    question::{MOST, Question},
    queue::Queue,
};
use crate::{
    Cost, Limits, Observation, Rate,
    limiters::local::{book::Book, meter::not_quite},
    moment::nanos,
};

/// How often a process that holds permits is heard of.
const HEARTBEAT: u64 = 5_000_000_000; // ns
/// The longest that a key is closed in other processes.
const AN_HOUR: u64 = 3_600_000_000_000; // ns

/// One key, as one process sees it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) key: Arc<str>,
    pub(super) limits: Limits,
    /// Whether blocks are taken: how much goes on at once has to be something for each process.
    pub(super) is_leased: bool,
    /// Those who wait in this process.
    pub(super) queue: Queue,
    /// Whoever holds it asks the server: one question at a time, so that batches have an order.
    pub(super) wire: Arc<Wire<()>>,
    /// Tells those who rest that there may be news.
    pub(super) changed: Notify,
    books: Mutex<Books>,
}

/// All times are in nanoseconds of the limiter's timer.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) client: i64,
    pub(super) book: Book,
    /// What was lent to this process and is not spent yet.
    pub(super) block: [i64; 3],
    /// Corrections that no batch has yet.
    pending: [i64; 3],
    /// The batch that was sent, until an answer comes.
    sent: Option<[i64; 3]>,
    batch: i64,
    /// The admission for a later time that nobody waits for any more.
    undo: i64,
    undone: i64,
    /// Whether the server counts the permits, and whether it counts other ones than there are.
    is_counted: bool,
    is_stale: bool,
    pub(super) closed_until: u64,
    close: bool,
    remaining: [Option<u64>; 3],
    /// The limits that the service has told, by which permit's reply, and when that permit was given.
    told: [Option<u64>; 3],
    told_by: Option<u64>,
    told_at: Option<u64>,
    /// Whether the server has not heard of them yet.
    is_told_anew: bool,
    pub(super) rests_until: u64,
    pub(super) asked_at: Option<u64>,
    pub(super) used_at: u64,
    /// How much of the time without a server it has been told of.
    pub(super) told_away: u64,
    /// The outage at whose beginning the share was emptied.
    pub(super) emptied_in: u64,
}

impl Account {
    pub(super) fn new(key: Arc<str>, limits: Limits, is_leased: bool, told_away: u64) -> Self {
        let is_counted = limits.concurrency.is_some() && !is_leased;
        let books = Mutex::new(Books { is_counted, told_away, ..Books::default() });
        let (queue, wire, changed) = (Queue::default(), Arc::default(), Notify::new());
        Self { key, limits, is_leased, queue, wire, changed, books }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Begins a question: with all that the server has not heard yet.
    pub(super) fn question(&mut self, now: u64, limits: Limits, lease: Duration, away: u64) -> Question {
        let mut question = Question::new(limits);
        // Who has no name has no permits, and so nothing to correct.
        if self.sent.is_none() && self.pending != [0; 3] && self.client != 0 {
            self.batch += 1;
            self.sent = Some(std::mem::take(&mut self.pending));
            self.undone = std::mem::take(&mut self.undo);
        }
        if let Some(sent) = self.sent {
            (question.batch, question.correction) = (self.batch, sent);
            question.undo = self.undone;
        }
        question.client = self.client;
        question.held = self.counted();
        question.lease = lease;
        question.away = Duration::from_nanos(away.saturating_sub(self.told_away));
        question.idle = self.asked_at.map(|at| Duration::from_nanos(now.saturating_sub(at)));
        if self.close {
            question.closed = Duration::from_nanos(self.closed_until.saturating_sub(now).min(AN_HOUR));
        }
        question.remaining = self.remaining;
        question.told = self.told;
        question.told_before = self.told_at.map(|at| Duration::from_nanos(now.saturating_sub(at)));
        question
    }

    /// Notes that the question was answered.
    pub(super) fn answered(&mut self, asked: u64, question: &Question, client: i64, away: u64) {
        self.client = client;
        if question.batch == self.batch {
            self.sent = None;
        }
        if question.closed > Duration::ZERO {
            self.close = false;
        }
        if self.remaining == question.remaining {
            self.remaining = [None; 3];
        }
        self.is_stale &= question.held != self.counted();
        self.is_told_anew &= self.told != question.told;
        self.asked_at = Some(asked);
        self.told_away = away;
    }

    /// How many permits the server should count.
    fn counted(&self) -> i64 {
        if self.is_counted { self.book.len().try_into().unwrap_or(i64::MAX) } else { 0 }
    }

    /// Whether there is something to tell.
    pub(super) fn has_news(&self, now: u64) -> bool {
        let is_lent = self.counted() > 0 && self.asked_at.is_none_or(|at| now > at.saturating_add(HEARTBEAT));
        is_lent
            || self.is_stale
            || self.close
            || self.is_told_anew
            || self.sent.is_some()
            || self.pending != [0; 3]
            || self.remaining != [None; 3]
    }

    pub(super) fn is_idle(&self, now: u64) -> bool {
        !self.has_news(now) && self.book.len() == 0 && self.block == [0; 3]
    }

    pub(super) fn open(&mut self, now: u64, number: u64, cost: Cost, ends_at: u64) {
        self.used_at = now;
        self.book.open(number, cost, ends_at);
    }

    /// Notes that nobody waits any more for what was admitted for a later time.
    pub(super) const fn undo(&mut self, admission: i64) {
        self.undo = admission;
    }

    /// Closes a permit, and says by how much the charge was wrong: above zero something comes back.
    pub(super) fn settle(&mut self, number: u64, assumed: Cost, actual: Option<Cost>) -> [i64; 3] {
        let closed = self.book.close(number);
        self.is_stale |= self.is_counted && closed.is_some();
        let charged = closed.map_or(assumed, |entry| entry.charged);
        difference(charged, actual.unwrap_or(assumed))
    }

    /// Gives up the permits whose time is over.
    pub(super) fn close_late(&mut self, now: u64) -> [i64; 3] {
        let mut sum = [0_i64; 3];
        while let Some(entry) = self.book.close_late(now) {
            self.is_stale |= self.is_counted;
            add(&mut sum, difference(entry.charged, entry.assumed));
        }
        sum
    }

    pub(super) fn assume(&mut self, number: u64, before: Cost, cost: Cost) -> [i64; 3] {
        if self.book.assume(number, cost) { [0; 3] } else { difference(before, cost) }
    }

    /// Charges or gives back, at the server.
    pub(super) fn correct(&mut self, correction: [i64; 3]) {
        add(&mut self.pending, correction);
    }

    /// Takes note of what the service said; `lease` is how long each permit may be out.
    pub(super) fn hear(&mut self, now: u64, seen: &Observation, lease: u64) {
        if let Some(retry_after) = seen.retry_after {
            let until = now.saturating_add(nanos(retry_after));
            if until > self.closed_until {
                (self.closed_until, self.close) = (until, true);
            }
        }
        for (lowest, window) in self.remaining.iter_mut().zip(seen.windows()) {
            let heard = window.and_then(|window| window.remaining);
            *lowest = (*lowest).into_iter().chain(heard).min();
        }
        let limits =
            seen.windows().map(|window| window.and_then(|window| window.limit).filter(|limit| *limit > 0));
        if let Some(number) = seen.permit.filter(|_| seen.permit >= self.told_by && limits != [None; 3]) {
            self.told_by = Some(number);
            self.told_at = Some(self.book.end_of(number).map_or(now, |end| end.saturating_sub(lease)));
            for (told, limit) in self.told.iter_mut().zip(limits) {
                self.is_told_anew |= limit.is_some() && limit != *told;
                *told = limit.or(*told);
            }
        }
    }

    /// The limits, as far as they have not been lowered by what the service has told this process.
    pub(super) fn lowered(&self, limits: &Limits) -> Limits {
        let [requests, input, output] = self.told;
        let lower = |rate: Option<Rate>, told: Option<u64>| match told {
            Some(told) => rate.map(|rate| rate.and(Rate::per_minute(told).with_burst(not_quite(told)))),
            None => rate,
        };
        Limits {
            requests: lower(limits.requests, requests),
            input_tokens: lower(limits.input_tokens, input),
            output_tokens: lower(limits.output_tokens, output),
            concurrency: limits.concurrency,
        }
    }
}

pub(super) fn add(sum: &mut [i64; 3], more: [i64; 3]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.saturating_add(more).clamp(-LARGEST, LARGEST);
    }
}

/// No correction is larger than what the deepest debt and the largest burst can be apart.
const LARGEST: i64 = 61 * MOST.cast_signed();

fn difference(charged: Cost, actual: Cost) -> [i64; 3] {
    let mut difference = [0; 3];
    let amounts = charged.amounts().into_iter().zip(actual.amounts());
    for (difference, (charged, actual)) in difference.iter_mut().zip(amounts) {
        let [charged, actual] = [charged, actual].map(|amount| i64::try_from(amount).unwrap_or(i64::MAX));
        *difference = (charged - actual).clamp(-LARGEST, LARGEST);
    }
    difference
}
