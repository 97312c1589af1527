//! What happened, and what follows from it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Response;

use super::{
    Event, ExchangeId, Failure, Health, Held, Lease, Reason, SendFailure, TokenMachine, Troubles,
    failure::{Cause, Verdict, verdict},
    policy::Deadline,
};
use crate::{ExchangeError, Snapshot, TokenSet};

/// A fresh lease that is refused within this time counts towards a backoff: a server that refuses every token must not
/// be asked for one after another.
const PROBATION: Duration = Duration::from_secs(60);

impl TokenMachine {
    pub(super) fn answered(
        &mut self,
        exchange: ExchangeId,
        sent_at: SystemTime,
        result: Result<Response<Bytes>, SendFailure>,
        now: SystemTime,
    ) {
        let Some(flight) = self.flight.take_if(|flight| flight.exchange == exchange) else { return };
        // A revocation may be answered by another server, with another clock.
        if let Ok(response) = &result
            && !flight.asked.is_revocation()
        {
            self.observe(response.headers(), sent_at, now);
        }
        // The tokens are as old as the question at the most: their life may have gone by in a sleep.
        let asked_at = sent_at.min(now);
        if self.leaving.is_some() {
            return self.left(&flight, result, asked_at, now);
        }
        if self.is_superseded(&flight) {
            return;
        }
        let result = match result {
            Ok(response) => self.read(&flight.asked, &response, asked_at),
            Err(SendFailure::NotSent) => {
                return self.back_off(Cause::Send(SendFailure::NotSent), Duration::ZERO, now);
            }
            Err(SendFailure::MaybeSent) => return self.no_answer(now),
        };
        match result {
            Ok(tokens) => self.refreshed(tokens, now),
            Err(error) => self.failed(error, now),
        }
    }

    pub(super) fn refreshed(&mut self, tokens: TokenSet, now: SystemTime) {
        let Some(held) = &self.held else { return };
        if tokens.empty_refresh_token {
            self.events.push_back(Event::EmptyRefreshToken);
        }
        let scopes = held.snapshot.scopes.as_ref().zip(tokens.scopes.as_ref());
        if let Some(change) = scopes.and_then(|(before, granted)| before.changed_to(granted)) {
            self.events.push_back(Event::ScopesChanged(change));
        }
        let next = held.snapshot.succeeded_by(tokens);
        self.spent.replace(held.snapshot.refresh_token.as_ref(), next.refresh_token.as_ref());
        self.hold(next, Some(now));
    }

    fn failed(&mut self, error: ExchangeError, now: SystemTime) {
        let verdict = verdict(&error);
        let asked_wait = error.retry_after().unwrap_or_default();
        let cause = Cause::Exchange(Arc::new(error));
        match verdict {
            Verdict::InvalidGrant => {
                self.die(Reason::InvalidGrant { maybe_consumed: self.troubles.doubtful });
            }
            Verdict::Misconfigured => {
                let failure = Failure::new(cause, None);
                self.events.push_back(Event::RefreshFailed(failure.clone()));
                self.health = Health::Misconfigured(failure);
                self.wanted = false;
            }
            Verdict::Doubtful if !self.troubles.doubtful => self.try_again_now(),
            Verdict::Garbled => {
                self.troubles.unanswered = self.troubles.unanswered.saturating_add(1);
                self.troubles.doubtful = true;
                if self.troubles.unanswered > self.policy.resends {
                    self.die(Reason::NoAnswer);
                } else {
                    self.back_off(cause, asked_wait, now);
                }
            }
            Verdict::Doubtful | Verdict::Later => self.back_off(cause, asked_wait, now),
        }
    }

    fn no_answer(&mut self, now: SystemTime) {
        self.troubles.unanswered = self.troubles.unanswered.saturating_add(1);
        self.troubles.doubtful = true;
        if self.troubles.unanswered > self.policy.resends {
            self.die(Reason::NoAnswer);
        } else if self.troubles.unanswered == 1 {
            self.try_again_now();
        } else {
            self.back_off(Cause::Send(SendFailure::MaybeSent), Duration::ZERO, now);
        }
    }

    fn try_again_now(&mut self) {
        self.troubles.doubtful = true;
        self.health = Health::Well;
        self.wanted = true;
    }

    fn back_off(&mut self, cause: Cause, at_least: Duration, now: SystemTime) {
        self.troubles.failures = self.troubles.failures.saturating_add(1);
        let wait = self.policy.backoff(self.troubles.failures).max(self.policy.jittered(at_least));
        let failure = Failure::new(cause, Some(wait));
        self.events.push_back(Event::RefreshFailed(failure.clone()));
        self.health = Health::BackingOff(failure, Deadline::after(wait, now));
        self.wanted = false;
    }

    fn die(&mut self, reason: Reason) {
        self.spent.add(self.held.as_ref().and_then(|held| held.snapshot.refresh_token.as_ref()));
        self.events.push_back(Event::LoginRequired(reason));
        self.health = Health::Dead(reason);
        self.wanted = false;
    }

    pub(super) fn rejected(&mut self, generation: u64, now: SystemTime) {
        let Some(held) = self.held.as_mut() else { return };
        if self.lease.take_if(|lease| lease.generation() == generation).is_none() {
            return;
        }
        self.events.push_back(Event::Rejected { generation });
        if held.snapshot.generation != generation {
            return;
        }
        held.rejected = true;
        let fresh =
            held.obtained_at.is_some_and(|at| now.duration_since(at).is_ok_and(|age| age < PROBATION));
        self.rejections = if fresh { self.rejections.saturating_add(1) } else { 1 };
        self.useless(self.rejections, Cause::Rejections, now);
    }

    /// Takes in a new lease that is over already: a computer has slept, or the server gives nothing better.
    fn stillborn(&mut self, now: SystemTime) {
        self.stillborn = self.stillborn.saturating_add(1);
        self.useless(self.stillborn, Cause::Stillborn, now);
    }

    /// Waits, from the second time in a row on, before one more exchange that may give nothing to use.
    fn useless(&mut self, times: u32, cause: Cause, now: SystemTime) {
        if times > 1 && self.can_refresh() {
            self.troubles.failures = times.saturating_sub(2);
            self.back_off(cause, Duration::ZERO, now);
        }
    }

    pub(super) fn stored(&mut self, generation: u64, ok: bool, now: SystemTime) {
        if self.storing.waiting.take_if(|waiting| *waiting == generation).is_none() {
            return;
        }
        let is_newest = self.snapshot().is_some_and(|snapshot| snapshot.generation == generation);
        if !ok {
            self.events.push_back(Event::StoreFailed { generation });
            if is_newest {
                self.storing.failures = self.storing.failures.saturating_add(1);
                self.storing.retry = Some(Deadline::after(self.policy.backoff(self.storing.failures), now));
            }
        } else if is_newest {
            self.storing.due = false;
            self.storing.failures = 0;
        }
        if is_newest && self.storing.unpublished && self.leaving.is_none() {
            self.storing.unpublished = false;
            self.publish();
            self.events.push_back(Event::Refreshed { generation });
            match &self.lease {
                Some(lease) if lease.is_valid_at(now) => self.stillborn = 0,
                _ => self.stillborn(now),
            }
        }
    }

    pub(super) fn adopt(&mut self, snapshot: Snapshot, now: SystemTime) {
        if !self.is_news(&snapshot, now) {
            return;
        }
        let generation = snapshot.generation.max(self.newest.saturating_add(1));
        let old = self.held.take().and_then(|held| held.snapshot.refresh_token);
        self.spent.replace(old.as_ref(), snapshot.refresh_token.as_ref());
        self.restore(Snapshot { generation, ..snapshot });
        if let Some(held) = &mut self.held {
            held.obtained_at = Some(now);
        }
        self.events.push_back(Event::Adopted { generation });
    }

    pub(super) fn doubt(&mut self, generation: u64) {
        let is_newest = self.snapshot().is_some_and(|snapshot| snapshot.generation == generation);
        self.troubles.doubtful |= is_newest;
    }

    pub(super) fn logged_in(&mut self, tokens: TokenSet, now: SystemTime) {
        let next = Snapshot { generation: self.newest.saturating_add(1), ..tokens.into() };
        if let Some(held) = &self.held {
            // Until the new ones are stored, the store still has those of the old login.
            self.spent.replace(Some(held.snapshot.key()), Some(next.key()));
        }
        self.lease = None;
        self.leaving = None;
        self.rejections = 0;
        self.stillborn = 0;
        self.hold(next, Some(now));
    }

    /// Tells whether a snapshot from the store is newer than ours.
    fn is_news(&self, theirs: &Snapshot, now: SystemTime) -> bool {
        if self.spent.contains(Some(theirs.key())) {
            return false;
        }
        let Some(held) = &self.held else { return true };
        let ours = &held.snapshot;
        if ours.has_tokens_of(theirs) {
            return false;
        }
        let longer = match (ours.expires_at, theirs.expires_at) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(ours), Some(theirs)) => theirs > ours,
        };
        if theirs.generation > ours.generation || longer {
            return true;
        }
        // Another process may have been given a shorter life, and a store need not keep generations. What is over here
        // cannot be worse there, unless it is the same login a step before.
        let is_over =
            held.rejected || matches!(self.health, Health::Dead(_)) || !Lease::of(ours).is_valid_at(now);
        is_over && !ours.has_key_of(theirs) && !(1..ours.generation).contains(&theirs.generation)
    }

    /// Makes these the newest tokens, to be stored before they are seen.
    pub(super) fn hold(&mut self, snapshot: Snapshot, obtained_at: Option<SystemTime>) {
        self.newest = self.newest.max(snapshot.generation);
        self.held = Some(Held { snapshot, obtained_at, rejected: false });
        self.wanted = false;
        self.health = Health::Well;
        self.troubles = Troubles::default();
        self.storing.due = true;
        self.storing.unpublished = true;
        self.storing.retry = None;
        self.storing.failures = 0;
    }

    pub(super) fn publish(&mut self) {
        self.lease = self.snapshot().map(Lease::of);
    }
}
