//! How early, how often: the numbers of the machine.

use std::time::{Duration, SystemTime};

/// When a token is refreshed and how failures are spaced.
///
/// Use struct update syntax: `Policy { jitter, ..Policy::default() }`.
#[derive(Debug, Clone)]
pub struct Policy {
    /// With this much left, whoever asks gets the old lease and a refresh begins (default 120 s).
    ///
    /// Never more than half of a token's life, so that a short token is not refreshed at every request.
    pub advisory: Duration,
    /// With this much left, whoever asks waits for a refresh that can still succeed (default 30 s).
    ///
    /// Never more than a quarter of a token's life.
    pub mandatory: Duration,
    /// Added to `advisory` and to every wait, there at most the wait itself once more, so that many clients do not act
    /// at once (default 0).
    ///
    /// The driver draws it at random once per machine, from zero to half a minute say; the machine has no randomness of
    /// its own.
    pub jitter: Duration,
    /// The wait after a first failure (default 1 s); it doubles with each further one.
    pub backoff_base: Duration,
    /// The longest wait of our own (default 60 s); a server's `Retry-After` may be longer, up to a day.
    pub backoff_cap: Duration,
    /// How often a refresh token is sent again when an exchange got no answer at all (default 1).
    ///
    /// A server may take the second sending of a used token for theft and end the login. One prompt repetition falls
    /// into the grace period many servers have; more trade that risk for patience with a network that loses answers.
    pub resends: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            advisory: Duration::from_secs(120),
            mandatory: Duration::from_secs(30),
            jitter: Duration::ZERO,
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(60),
            resends: 1,
        }
    }
}

impl Policy {
    /// Returns the advisory and mandatory windows of a token that lives this long; `None` is without end.
    #[must_use]
    pub fn windows(&self, lifetime: Option<Duration>) -> Windows {
        let lifetime = lifetime.unwrap_or(Duration::MAX);
        Windows {
            advisory: self.advisory.saturating_add(self.jitter).min(lifetime / 2),
            mandatory: self.mandatory.min(lifetime / 4),
        }
    }

    /// Returns the wait after the nth failure in a row, counted from 1.
    #[must_use]
    pub fn backoff(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.jittered(self.backoff_base.saturating_mul(doubled).min(self.backoff_cap))
    }

    /// Returns the wait with the jitter on top, never below it.
    #[must_use]
    pub fn jittered(&self, wait: Duration) -> Duration {
        wait.saturating_add(self.jitter.min(wait))
    }
}

/// The ends of a token's life in which it is renewed; [`Policy::windows`] gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// With this much left, it is still used while it is renewed.
    pub advisory: Duration,
    /// With this much left, a renewal that can still succeed is waited for.
    pub mandatory: Duration,
}

/// A time before which something is not done, and the time that was set.
///
/// A clock that steps back makes the deadline void instead of far away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    set_at: SystemTime,
    until: SystemTime,
}

impl Deadline {
    pub(super) fn after(wait: Duration, now: SystemTime) -> Self {
        Self { set_at: now, until: now.checked_add(wait).unwrap_or(now) }
    }

    /// Returns the deadline if it is still to come: never a time in the past.
    pub(super) fn pending(self, now: SystemTime) -> Option<SystemTime> {
        (self.set_at <= now && now < self.until).then_some(self.until)
    }
}
