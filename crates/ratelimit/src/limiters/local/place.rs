//! Somebody who asks, from the question to the permit.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};

use super::{
    Shared,
    lane::{Lane, Misfit},
    seat::{News, Seat},
};
use crate::{Cost, Key};

/// Somebody's place in the line of a key, given up when it is dropped.
pub(super) struct Place<'a> {
    shared: &'a Shared,
    key: &'a Key,
    cost: Cost,
    /// The ticket, and where its holder is told.
    seat: Option<(u64, Arc<Seat>)>,
}

pub(super) enum Step {
    /// Go ahead with the permit of this number.
    Granted(u64),
    /// Rest this long, or until you are told.
    Wait(Duration),
    GiveUp(Duration),
    TooLarge(Misfit),
}

impl<'a> Place<'a> {
    #[inline]
    pub(super) fn new(shared: &'a Shared, key: &'a Key, cost: Cost) -> Self {
        Self { shared, key, cost, seat: None }
    }

    /// Takes what was asked for, or stands in line for it if it can come before the deadline.
    #[inline]
    pub(super) fn step(&mut self, deadline: u64) -> Step {
        let (step, wakers) = match self.seat.clone() {
            None => self.ask(deadline),
            Some((ticket, seat)) => self.look(ticket, &seat, deadline),
        };
        wakers.into_iter().for_each(Waker::wake);
        step
    }

    /// Waits for news, `wait` at the most.
    #[inline]
    pub(super) async fn rest(&self, wait: Duration) {
        let mut sleep = self.shared.timer.sleep(wait);
        poll_fn(|context| match &self.seat {
            Some((_, seat)) if seat.poll(context).is_ready() => Poll::Ready(()),
            _ => sleep.as_mut().poll(context),
        })
        .await;
    }

    /// A newcomer's first question.
    #[inline]
    fn ask(&mut self, deadline: u64) -> (Step, Vec<Waker>) {
        let (shared, key, cost) = (self.shared, self.key, self.cost);
        let mut lanes = shared.lock();
        let now = shared.now();
        let asked = shared.on_lane(&mut lanes, key, now, |lane, next_number| {
            lane.advance(now);
            if let Some(misfit) = lane.misfit(cost) {
                return (Step::TooLarge(misfit), Vec::new());
            }
            let number = *next_number;
            if lane.admit(now, number, cost) {
                *next_number += 1;
                return (Step::Granted(number), Vec::new());
            }
            if deadline <= now || now.saturating_add(lane.least_wait(now, key, cost)) > deadline {
                return (give_up(lane.wait(now, key, cost)), Vec::new());
            }
            *next_number += 1;
            let may_overtake = !lane.line.is_empty();
            let seat = lane.join(key, number, cost);
            self.seat = Some((number, Arc::clone(&seat)));
            if may_overtake && lane.front_wait(now, number).is_some() {
                return see(lane, now, next_number, (number, &seat), deadline);
            }
            (rest(lane, now, number, deadline), Vec::new())
        });
        let (step, wakers) = asked.unwrap_or_else(|| match lanes.until_a_key_is_idle(now) {
            wait if now.saturating_add(wait) > deadline => (give_up(wait), Vec::new()),
            wait => (Step::Wait(Duration::from_nanos(wait)), Vec::new()),
        });
        if let Step::Granted(_) = step {
            self.seat = None;
        }
        (step, wakers)
    }

    /// Somebody in line looks what has become of them.
    #[inline]
    fn look(&mut self, ticket: u64, seat: &Seat, deadline: u64) -> (Step, Vec<Waker>) {
        let (shared, key, cost) = (self.shared, self.key, self.cost);
        let mut lanes = shared.lock();
        let now = shared.now();
        let looked = shared.on_lane(&mut lanes, key, now, |lane, next_number| {
            let (step, mut wakers) = see(lane, now, next_number, (ticket, seat), deadline);
            if let Step::GiveUp(_) = step {
                lane.line.leave(key, ticket);
                wakers.extend(lane.serve(now, next_number));
                return (give_up(lane.wait(now, key, cost)), wakers);
            }
            (step, wakers)
        });
        // A lane with a line is never forgotten.
        let (step, wakers) = looked.unwrap_or_else(|| (give_up(1), Vec::new()));
        if !matches!(step, Step::Wait(_)) {
            self.seat = None;
        }
        (step, wakers)
    }
}

/// Serves whoever can be served, and says what has become of the holder of `ticket`.
#[inline]
fn see(
    lane: &mut Lane,
    now: u64,
    next_number: &mut u64,
    (ticket, seat): (u64, &Seat),
    deadline: u64,
) -> (Step, Vec<Waker>) {
    let wakers = lane.serve(now, next_number);
    let step = match seat.take() {
        Some(News::Granted(number)) => Step::Granted(number),
        Some(News::TooLarge(misfit)) => Step::TooLarge(misfit),
        Some(News::Look) | None => rest(lane, now, ticket, deadline),
    };
    (step, wakers)
}

/// How long the holder of `ticket` rests: only whoever is in front watches the time, everybody else is told.
#[inline]
fn rest(lane: &mut Lane, now: u64, ticket: u64, deadline: u64) -> Step {
    let left = deadline.saturating_sub(now);
    let wait = match lane.front_wait(now, ticket) {
        // It waits for a permit to come back, or for the time of a lost one to end.
        Some(0) => lane.next_end(now),
        Some(wait) if wait > left => return give_up(wait),
        // What a lost permit gives back may be enough.
        Some(wait) => wait.min(lane.next_end(now)),
        None => left,
    };
    if left == 0 { give_up(wait) } else { Step::Wait(Duration::from_nanos(wait.clamp(1, left))) }
}

#[inline]
fn give_up(wait: u64) -> Step {
    Step::GiveUp(Duration::from_nanos(wait))
}

impl Drop for Place<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some((ticket, seat)) = self.seat.take() else { return };
        self.shared.change(self.key, |lane, _| match seat.take() {
            Some(News::Granted(number)) => lane.settle(number, Cost::default(), None),
            _ => lane.line.leave(self.key, ticket),
        });
    }
}
