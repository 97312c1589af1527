//! Whether the server can be asked, and what is done while it cannot.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::server::Trouble;
use crate::limiters::Local;

/// What a limiter does while its server cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenGone {
    /// Each process goes on with its share of the limits, counted for itself.
    ///
    /// The shares are empty when the server goes, so that all of them together never admit more than the limits. A cost
    /// that is larger than a share's burst is [`Unavailable`](crate::Error::Unavailable).
    #[default]
    Share,
    /// Everything is admitted.
    Open,
    /// Nothing is admitted: [`Unavailable`](crate::Error::Unavailable).
    Closed,
}

/// The state of the server, as one process sees it.
#[derive(Debug)]
pub(super) struct Health {
    state: watch::Sender<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    outage: Option<Arc<Outage>>,
    /// How many outages there have been, and how long all that are over have lasted.
    number: u64,
    away: u64, // ns
}

/// A time in which the server cannot be asked.
#[derive(Debug)]
pub(super) struct Outage {
    pub(super) number: u64,
    pub(super) since: u64, // ns
    pub(super) why: Trouble,
    /// The key whose question failed: when it is answered again, the outage is over.
    pub(super) key: Arc<str>,
    pub(super) share: Local,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { state: watch::Sender::new(State::default()) }
    }

    pub(super) fn outage(&self) -> Option<Arc<Outage>> {
        self.state.borrow().outage.clone()
    }

    /// How long there was no server, all in all.
    pub(super) fn away(&self, now: u64) -> u64 {
        let state = self.state.borrow();
        let current = state.outage.as_ref().map_or(0, |outage| now.saturating_sub(outage.since));
        state.away.saturating_add(current)
    }

    /// The server did not answer a question that was asked at `since`.
    pub(super) fn fail(&self, since: u64, why: &Trouble, key: &Arc<str>, share: impl FnOnce() -> Local) {
        self.state.send_if_modified(|state| {
            if state.outage.is_some() {
                return false;
            }
            state.number += 1;
            let (number, why, key, share) = (state.number, why.clone(), Arc::clone(key), share());
            state.outage = Some(Arc::new(Outage { number, since, why, key, share }));
            true
        });
    }

    /// The server answers again.
    pub(super) fn recover(&self, now: u64) {
        self.state.send_if_modified(|state| {
            let Some(outage) = state.outage.take() else { return false };
            state.away = state.away.saturating_add(now.saturating_sub(outage.since));
            true
        });
    }

    /// Waits until this outage is over.
    pub(super) async fn end_of(&self, outage: &Outage) {
        let is_over = |state: &State| state.outage.as_ref().is_none_or(|now| now.number != outage.number);
        // The sender lives as long as `self`.
        let _ = self.state.subscribe().wait_for(is_over).await;
    }
}

/// How long to wait before the server is tried again.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
