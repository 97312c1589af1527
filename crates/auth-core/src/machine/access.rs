//! Who may have a token, and whether a newer one is needed.

use std::time::{Duration, SystemTime};

use super::{Access, Health, Lease, Reason, TokenMachine, policy::Windows};

impl TokenMachine {
    /// Returns the lease, and until when (without end if `None`) [`access`](Self::access) gives it and wants nothing.
    ///
    /// A driver may keep both where many threads read them without a lock, as long as it asks anew after each input,
    /// and after the clock stepped back behind `now`. `None` is: ask `access`.
    #[must_use]
    pub fn settled(&self, now: SystemTime) -> Option<(Lease, Option<SystemTime>)> {
        let lease = self.lease.as_ref()?;
        let advisory = self.windows().advisory;
        // Without the window's beginning there is nothing to promise.
        let until = match lease.expires_at() {
            Some(expiry) => Some(expiry.checked_sub(advisory)?),
            None => None,
        };
        (until.is_none_or(|until| now < until) && !self.wanted).then(|| (lease.clone(), until))
    }

    pub(super) fn access_without_lease(&mut self, now: SystemTime) -> Access {
        if self.leaving.is_some() {
            return Access::LoginRequired(Reason::NoTokens);
        }
        if self.storing.unpublished {
            return Access::Pending;
        }
        match &self.health {
            Health::Dead(reason) => return Access::LoginRequired(*reason),
            Health::Misconfigured(failure) => return Access::Failed(failure.clone()),
            Health::Well | Health::BackingOff(..) => {}
        }
        match self.snapshot() {
            None => return Access::LoginRequired(Reason::NoTokens),
            Some(snapshot) if snapshot.refresh_token.is_none() => {
                return Access::LoginRequired(Reason::NoRefreshToken);
            }
            Some(_) => {}
        }
        self.wanted = true;
        match &self.health {
            Health::BackingOff(failure, deadline) if self.flight.is_none() => match deadline.pending(now) {
                Some(until) => {
                    let wait = until.duration_since(now).unwrap_or_default();
                    Access::Failed(failure.with_retry_after(wait))
                }
                None => Access::Pending,
            },
            _ => Access::Pending,
        }
    }

    pub(super) fn windows(&self) -> Windows {
        let lifetime = self
            .held
            .as_ref()
            .and_then(|held| held.snapshot.expires_at?.duration_since(held.obtained_at?).ok());
        self.policy.windows(lifetime)
    }

    pub(super) fn can_refresh(&self) -> bool {
        matches!(self.health, Health::Well | Health::BackingOff(..))
            && self.snapshot().is_some_and(|snapshot| snapshot.refresh_token.is_some())
    }

    /// Tells whether the newest tokens have no lease with enough time left.
    pub(super) fn needs_refresh(&self, now: SystemTime) -> bool {
        match &self.lease {
            // The lease, if there is one, is of the tokens before.
            _ if self.storing.unpublished => false,
            Some(lease) => is_within(lease, self.windows().advisory, now),
            None => self.held.is_some(),
        }
    }

    /// Tells whether something is under way that will end a wait without the help of a clock.
    pub(super) fn answer_is_near(&self, now: SystemTime) -> bool {
        let in_flight = self.flight.as_ref().is_some_and(|flight| !self.is_superseded(flight));
        self.storing.unpublished || in_flight || (self.wanted && self.backing_off(now).is_none())
    }
}

pub(super) fn is_within(lease: &Lease, window: Duration, now: SystemTime) -> bool {
    lease.expires_at().is_some_and(|expiry| now.checked_add(window).is_none_or(|then| then >= expiry))
}
