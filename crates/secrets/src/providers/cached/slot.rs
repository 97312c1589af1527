//! The place of one secret: what is held, and whether somebody asks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use crate::{Error, Secret, Timer};

/// How long a provider that failed is left alone: at first, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Slot {
    /// For those who need not ask the state.
    current: ArcSwapOption<Held>,
    state: Mutex<State>,
    pub(super) changed: Notify,
}

struct Held {
    secret: Arc<Secret>,
    renew_at: Duration,
    until: Duration,
}

#[derive(Default)]
struct State {
    asking: bool,
    /// Counts how often it was told to forget: an answer to a question from before is not kept.
    epoch: u64,
    failures: u32,
    not_before: Duration,
    last: Option<Outcome>,
}

/// What came of a question.
#[derive(Clone)]
pub(super) enum Outcome {
    Found { secret: Arc<Secret>, renew_at: Duration, until: Duration },
    Missing,
    Failed(Error),
}

impl From<Outcome> for Result<Option<Arc<Secret>>, Error> {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Found { secret, .. } => Ok(Some(secret)),
            Outcome::Missing => Ok(None),
            Outcome::Failed(error) => Err(error),
        }
    }
}

/// What a caller does next.
pub(super) enum Look {
    Done(Outcome),
    /// Asks, and has this meanwhile.
    Ask {
        epoch: u64,
        meanwhile: Option<Arc<Secret>>,
    },
    Wait,
}

impl Slot {
    pub(super) fn ready(&self, timer: &dyn Timer) -> Option<Arc<Secret>> {
        let held = self.current.load();
        let held = held.as_ref()?;
        (timer.now() < held.renew_at).then(|| Arc::clone(&held.secret))
    }

    /// `waited`: whether the caller has seen a question end since it came.
    pub(super) fn look(&self, now: Duration, waited: bool) -> Look {
        let mut state = self.state();
        let held = self.current.load_full().filter(|held| now < held.until);
        let may_ask = !state.asking && now >= state.not_before;
        if let Some(Held { secret, renew_at, until }) = held.as_deref() {
            if now < *renew_at || !may_ask {
                let (secret, renew_at, until) = (Arc::clone(secret), *renew_at, *until);
                return Look::Done(Outcome::Found { secret, renew_at, until });
            }
            state.asking = true;
            return Look::Ask { epoch: state.epoch, meanwhile: Some(Arc::clone(secret)) };
        }
        match &state.last {
            _ if state.asking => return Look::Wait,
            Some(outcome) if waited => return Look::Done(outcome.clone()),
            Some(outcome @ Outcome::Failed(_)) if !may_ask => return Look::Done(outcome.clone()),
            _ => {}
        }
        state.asking = true;
        Look::Ask { epoch: state.epoch, meanwhile: None }
    }

    pub(super) fn settle(&self, epoch: u64, outcome: Outcome, now: Duration) {
        let mut state = self.state();
        state.asking = false;
        state.last = None;
        if epoch == state.epoch {
            state.failures =
                if matches!(outcome, Outcome::Failed(_)) { state.failures.saturating_add(1) } else { 0 };
            state.not_before = match &outcome {
                Outcome::Failed(_) => now.saturating_add(pause(state.failures)),
                Outcome::Found { .. } | Outcome::Missing => Duration::ZERO,
            };
            match &outcome {
                Outcome::Found { secret, renew_at, until } => {
                    let held = Held { secret: Arc::clone(secret), renew_at: *renew_at, until: *until };
                    self.current.store(Some(Arc::new(held)));
                }
                Outcome::Missing => self.current.store(None),
                // Whoever comes at the end of what is held asks once more.
                Outcome::Failed(_) => {
                    let until =
                        self.current.load().as_ref().map(|held| held.until).filter(|until| now < *until);
                    state.not_before = until.map_or(state.not_before, |until| until.min(state.not_before));
                }
            }
            state.last = Some(outcome);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.epoch = state.epoch.wrapping_add(1);
        state.last = None;
        state.not_before = Duration::ZERO;
        self.current.store(None);
    }

    pub(super) fn failure(&self) -> Option<Error> {
        match &self.state().last {
            Some(Outcome::Failed(error)) => Some(error.clone()),
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(failures: u32) -> Duration {
    PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST_PAUSE)
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::test_util::ManualTimer;

    #[test]
    fn a_kept_secret_is_read_while_somebody_holds_the_lock() {
        let slot = Slot::default();
        let end = Duration::from_secs(1);
        let held = Held { secret: Arc::new("canary".to_owned().into()), renew_at: end, until: end };
        slot.current.store(Some(Arc::new(held)));
        let _state = slot.state();
        assert!(slot.ready(&ManualTimer::new()).is_some());
    }
}
