//! The line of those who wait for one key in one process: whoever is first in it asks the server, for all others stand behind.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use crate::{
    Cost, Key,
    limiters::local::{
        line::Line,
        seat::{News, Seat},
    },
};

/// In the order in which [`Local`](crate::limiters::Local) serves: priorities first, and tenants by turns.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    line: Line,
    next_ticket: u64,
}

/// The first place, which goes to the next one when it is dropped.
#[derive(Debug)]
pub(super) struct First<'a>(&'a Queue);

/// A place further back, given up when it is dropped.
struct Standing<'a> {
    queue: &'a Queue,
    key: &'a Key,
    ticket: u64,
    seat: Arc<Seat>,
    /// It has left the line, and has the first place.
    is_called: bool,
}

impl Queue {
    /// The first place, if nobody has it.
    pub(super) fn try_first(&self) -> Option<First<'_>> {
        let was_taken = std::mem::replace(&mut self.lock().is_taken, true);
        (!was_taken).then(|| First(self))
    }

    /// Waits for the first place. `share` says how much of the limits the cost takes, by which tenants take turns.
    pub(super) async fn first(&self, key: &Key, cost: Cost, share: u64) -> First<'_> {
        let Some(mut standing) = self.stand(key, cost, share) else { return First(self) };
        poll_fn(|context| standing.seat.poll(context)).await;
        standing.is_called = true;
        First(self)
    }

    /// A place in the line; `None` where the first one was free, and is taken now.
    fn stand<'a>(&'a self, key: &'a Key, cost: Cost, share: u64) -> Option<Standing<'a>> {
        let mut state = self.lock();
        if !state.is_taken {
            state.is_taken = true;
            return None;
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let seat = state.line.join(key, ticket, cost, share);
        drop(state);
        Some(Standing { queue: self, key, ticket, seat, is_called: false })
    }

    fn pass_on(&self) {
        let mut state = self.lock();
        let seat = state.line.front().map(|(_, waiter)| Arc::clone(&waiter.seat));
        let waker = if let Some(seat) = seat {
            state.line.serve();
            // As long as this is locked, nobody leaves the line.
            seat.tell(News::Granted(0))
        } else {
            state.is_taken = false;
            None
        };
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        if self.is_called {
            return;
        }
        let mut state = self.queue.lock();
        if self.seat.take().is_none() {
            state.line.leave(self.key, self.ticket);
            return;
        }
        drop(state);
        self.queue.pass_on();
    }
}
