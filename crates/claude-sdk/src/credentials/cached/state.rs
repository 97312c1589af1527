//! What is known of a credential that can be had again, and what follows from it. Does nothing, and is told the time.

use std::time::{Duration, SystemTime};

use auth_core::Policy;

use crate::{
    credentials::{Credential, Grant},
    error::AuthError,
};

/// A fresh credential that is refused within this time counts towards a wait: a service that refuses every one must not
/// be served with one after another.
const PROBATION: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct State {
    policy: Policy,
    held: Option<Held>,
    /// How many credentials there were.
    generation: u64,
    turn: Turn,
    trouble: Option<Trouble>,
    /// How often the source failed since it last gave something.
    failures: u32,
    /// Fresh credentials refused in a row.
    rejections: u32,
}

/// The newest credential.
#[derive(Debug)]
struct Held {
    credential: Credential,
    expires_at: Option<SystemTime>,
    obtained_at: SystemTime,
    /// The latest time that was seen since; a clock that is behind it was set back.
    seen_at: SystemTime,
    rejected: bool,
}

/// Whether the source is being asked; at most once at a time.
#[derive(Debug, PartialEq)]
enum Turn {
    Idle,
    Wanted,
    Taken,
}

/// Why there is nothing, and until when it stays so.
#[derive(Debug)]
struct Trouble {
    error: AuthError,
    since: SystemTime,
    until: SystemTime,
}

/// The answer to "may I have a credential?".
#[derive(Debug)]
pub(super) enum Look {
    /// Yes, this one.
    Ready(Credential),
    /// Not yet: look again when something has changed.
    Pending,
    /// Not now.
    Failed(AuthError),
}

impl State {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            held: None,
            generation: 0,
            turn: Turn::Idle,
            trouble: None,
            failures: 0,
            rejections: 0,
        }
    }

    /// Answers whoever wants a credential, and remembers that somebody did.
    pub(super) fn look(&mut self, now: SystemTime) -> Look {
        if let Some(held) = &mut self.held {
            held.see(now);
        }
        let Some(held) = self.held.as_ref().filter(|held| held.is_good(now)) else {
            return match self.trouble(now) {
                Some(error) if self.turn != Turn::Taken => Look::Failed(error),
                _ => self.want(),
            };
        };
        let credential = held.credential.clone();
        let windows = self.policy.windows(held.lifetime());
        if !held.is_within(windows.advisory, now) {
            return Look::Ready(credential);
        }
        let is_pressing = held.is_within(windows.mandatory, now);
        if self.turn != Turn::Taken && self.trouble(now).is_some() {
            return Look::Ready(credential);
        }
        match self.want() {
            pending if is_pressing => pending,
            _ => Look::Ready(credential),
        }
    }

    /// Whether the source is to be asked now, by whoever calls this.
    pub(super) fn begins(&mut self) -> bool {
        let begins = self.turn == Turn::Wanted;
        if begins {
            self.turn = Turn::Taken;
        }
        begins
    }

    /// The source is not being asked any more, whatever came of it.
    pub(super) fn ended(&mut self) {
        self.turn = Turn::Idle;
    }

    /// The source has answered; tells whether with a credential that is good.
    pub(super) fn answered(&mut self, outcome: Result<Grant, AuthError>, now: SystemTime) -> bool {
        match outcome {
            Ok(grant) if grant.expires_at.is_some_and(|expiry| expiry <= now) => {
                let reason = "the source gave a token that has expired; check its clock and this machine's";
                self.fail(refused(reason), now);
            }
            Ok(Grant { credential, expires_at }) => {
                self.generation = self.generation.saturating_add(1);
                self.held = Some(Held {
                    credential: credential.with_generation(self.generation),
                    expires_at,
                    obtained_at: now,
                    seen_at: now,
                    rejected: false,
                });
                self.trouble = None;
                self.failures = 0;
            }
            Err(error) => self.fail(error, now),
        }
        self.trouble.is_none()
    }

    /// The service has refused the credential of this generation; an older one is no news.
    pub(super) fn rejected(&mut self, generation: u64, now: SystemTime) {
        let Some(held) = &mut self.held else { return };
        if held.rejected || held.credential.generation() != generation {
            return;
        }
        held.rejected = true;
        let fresh = now.duration_since(held.obtained_at).is_ok_and(|age| age < PROBATION);
        self.rejections = if fresh { self.rejections.saturating_add(1) } else { 1 };
        if self.rejections > 1 {
            self.failures = self.rejections.saturating_sub(2);
            self.fail(refused("the service refuses even fresh tokens; check what they may be used for"), now);
        }
    }

    /// The credential, and until when [`look`](Self::look) gives it and wants nothing.
    pub(super) fn settled(&self, now: SystemTime) -> Option<(Credential, Option<SystemTime>)> {
        let held = self.held.as_ref().filter(|held| held.is_good(now))?;
        let advisory = self.policy.windows(held.lifetime()).advisory;
        let until = match held.expires_at {
            Some(expiry) => Some(expiry.checked_sub(advisory).filter(|until| now < *until)?),
            None => None,
        };
        Some((held.credential.clone(), until))
    }

    fn want(&mut self) -> Look {
        if self.turn == Turn::Idle {
            self.turn = Turn::Wanted;
        }
        Look::Pending
    }

    fn fail(&mut self, error: AuthError, now: SystemTime) {
        self.failures = self.failures.saturating_add(1);
        let asked = self.policy.jittered(error.retry_after().unwrap_or_default());
        let wait = self.policy.backoff(self.failures).max(asked);
        let until = now.checked_add(wait).unwrap_or(now);
        self.trouble = Some(Trouble { error, since: now, until });
    }

    /// Why nothing is asked now, with the time that is left. A clock that was set back ends the wait.
    fn trouble(&self, now: SystemTime) -> Option<AuthError> {
        let Trouble { error, since, until } = self.trouble.as_ref()?;
        let left = until.duration_since(now).ok().filter(|left| !left.is_zero() && *since <= now)?;
        let mut error = error.clone();
        if let AuthError::Renewal { retry_after, .. } = &mut error {
            *retry_after = Some(left);
        }
        Some(error)
    }
}

impl Held {
    /// Looks at the clock: one that was set back takes the expiry along.
    fn see(&mut self, now: SystemTime) {
        if let Ok(back) = self.seen_at.duration_since(now) {
            let moved = |time: SystemTime| time.checked_sub(back).unwrap_or(time);
            self.expires_at = self.expires_at.map(moved);
            self.obtained_at = moved(self.obtained_at);
        }
        self.seen_at = now;
    }

    fn is_good(&self, now: SystemTime) -> bool {
        !self.rejected && self.expires_at.is_none_or(|expiry| now < expiry)
    }

    fn is_within(&self, window: Duration, now: SystemTime) -> bool {
        self.expires_at.is_some_and(|expiry| now.checked_add(window).is_none_or(|then| then >= expiry))
    }

    fn lifetime(&self) -> Option<Duration> {
        self.expires_at?.duration_since(self.obtained_at).ok()
    }
}

fn refused(reason: &str) -> AuthError {
    AuthError::Renewal { reason: reason.into(), retryable: true, retry_after: None }
}
