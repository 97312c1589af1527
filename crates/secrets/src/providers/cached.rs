//! Secrets that are kept for a while.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use fastrand::Rng;
use tokio::runtime::Handle;

use crate::{Error, ErrorKind, Secret, SecretName, SecretProvider, SystemTimer, Timer};

mod slot;

use slot::{Look, Outcome, Slot};

/// Keeps what a provider gives, and asks again before it runs out.
///
/// - While a secret is fresh nobody waits for anybody: [`Entry::ready`] reads it without a lock.
/// - One question serves all callers of a name. It is asked in a task of its own, so that a caller who goes away ends
///   nothing, and a provider that panics has failed and takes nobody with it.
/// - A secret that is [lent for a time](Secret::good_for) is asked for again after about two thirds of it, each cache at
///   a moment of its own; meanwhile the old one is given. One without a time is taken to be good for five minutes.
/// - While the provider fails, the old secret is given until its time is over, and then the provider's error. It is left
///   alone for a while that doubles with each failure, up to a minute. [`failure`](Self::failure) tells early.
/// - A secret that is gone is gone at once, when that is noticed: `None` is not kept.
///
/// Nobody asks, nothing is sent. It keeps a place for each name it was asked for: these are the program's own. Cloning
/// gives another handle to the same cache; it is used on a tokio runtime.
#[derive(Clone)]
pub struct Cached(Arc<Shared>);

struct Shared {
    source: Arc<dyn SecretProvider>,
    timer: Arc<dyn Timer>,
    life: Duration,
    draws: Mutex<Rng>,
    slots: ArcSwap<HashMap<SecretName, Arc<Slot>>>,
}

impl Cached {
    /// A cache over `source`. Any number will do as `seed`: caches with different ones do not ask in the same moment.
    #[must_use]
    pub fn new(source: impl SecretProvider, seed: u64) -> Self {
        Self::new_with(source, SystemTimer, LIFE, seed)
    }

    /// As [`new`](Self::new), with time taken from `timer`, and `life` for secrets whose provider does not tell.
    #[must_use]
    pub fn new_with(source: impl SecretProvider, timer: impl Timer, life: Duration, seed: u64) -> Self {
        Self(Arc::new(Shared {
            source: Arc::new(source),
            timer: Arc::new(timer),
            life,
            draws: Mutex::new(Rng::with_seed(seed)),
            slots: ArcSwap::default(),
        }))
    }

    /// The place of one secret, for those who read it often; nothing is asked yet.
    #[must_use]
    pub fn entry(&self, name: SecretName) -> Entry {
        let slot = self.slot(&name);
        Entry { shared: Arc::clone(&self.0), slot, name }
    }

    /// Asks for this secret anew when it is next needed: it was refused where it was used.
    pub fn forget(&self, name: &SecretName) {
        self.slot(name).forget();
    }

    /// Says why a secret could not be asked for again, while the old one may still be given.
    #[must_use]
    pub fn failure(&self, name: &SecretName) -> Option<Error> {
        self.slot(name).failure()
    }

    fn slot(&self, name: &SecretName) -> Arc<Slot> {
        if let Some(slot) = self.0.slots.load().get(name) {
            return Arc::clone(slot);
        }
        let new = Arc::new(Slot::default());
        self.0.slots.rcu(|slots| {
            let mut slots = HashMap::clone(slots);
            slots.entry(name.clone()).or_insert_with(|| Arc::clone(&new));
            slots
        });
        self.0.slots.load().get(name).map_or(new, Arc::clone)
    }
}

#[async_trait]
impl SecretProvider for Cached {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        let entry = self.entry(name);
        Ok(entry.get().await?.map(|secret| secret.duplicate()))
    }
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("source", &self.0.source).finish_non_exhaustive()
    }
}

/// The place of one secret in a [`Cached`].
#[derive(Clone)]
pub struct Entry {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    name: SecretName,
}

impl Entry {
    /// Returns the secret if it is here and fresh; it waits for nobody and takes no lock.
    #[must_use]
    pub fn ready(&self) -> Option<Arc<Secret>> {
        self.slot.ready(&*self.shared.timer)
    }

    /// Returns the secret, after asking for it if need be.
    ///
    /// # Errors
    ///
    /// The provider's, when there is no secret whose time is not over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect: a question that was begun goes on for the others.
    pub async fn get(&self) -> Result<Option<Arc<Secret>>, Error> {
        let mut waited = false;
        loop {
            // Registered before looking, so that an answer that comes in between is not missed.
            let changed = self.slot.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.slot.look(self.shared.timer.now(), waited) {
                Look::Done(outcome) => return outcome.into(),
                Look::Ask { epoch, meanwhile } => {
                    self.ask(epoch)?;
                    if let Some(secret) = meanwhile {
                        return Ok(Some(secret));
                    }
                }
                Look::Wait => {}
            }
            changed.await;
            waited = true;
        }
    }

    /// Asks in a task of its own, whose end, whatever it is, is told to all who wait.
    fn ask(&self, epoch: u64) -> Result<(), Error> {
        let asking = Asking { entry: self.clone(), epoch, asked_at: self.shared.timer.now(), answer: None };
        let Ok(runtime) = Handle::try_current() else {
            drop(asking);
            return Err(unanswered(&self.name, "it needs a tokio runtime"));
        };
        runtime.spawn(async move {
            let mut asking = asking;
            let answer = asking.entry.shared.source.get(asking.entry.name.clone()).await;
            asking.answer = Some(answer);
        });
        Ok(())
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A question that is settled when it is dropped: after its answer, after a panic, or with the runtime it ran on.
struct Asking {
    entry: Entry,
    epoch: u64,
    asked_at: Duration,
    answer: Option<Result<Option<Secret>, Error>>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let Entry { shared, slot, name } = &self.entry;
        let answer = self.answer.take();
        let outcome = match answer.unwrap_or_else(|| Err(unanswered(name, "the question was not answered"))) {
            Ok(Some(secret)) => {
                let life = secret.good_for().unwrap_or(shared.life);
                let draw = shared.draws.lock().unwrap_or_else(PoisonError::into_inner).f64();
                Outcome::Found {
                    secret: Arc::new(secret),
                    renew_at: self.asked_at.saturating_add(life.mul_f64(renewal(draw))),
                    until: self.asked_at.saturating_add(life),
                }
            }
            Ok(None) => Outcome::Missing,
            Err(error) => Outcome::Failed(error),
        };
        slot.settle(self.epoch, outcome, shared.timer.now());
    }
}

/// How long a secret is good whose provider does not tell.
const LIFE: Duration = Duration::from_secs(5 * 60);

/// The part of its life after which a secret is asked for again: two thirds, and up to a ninth more or less.
fn renewal(draw: f64) -> f64 {
    2.0 / 3.0 + (draw - 0.5) * 2.0 / 9.0
}

fn unanswered(name: &SecretName, why: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the secret {name}")).with_source(std::io::Error::other(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_thousand_caches_with_the_same_lease_no_second_sees_more_than_three_in_a_hundred() {
        let life = Duration::from_secs(300);
        let mut seconds = HashMap::new();
        for seed in 0..1000 {
            let at = life.mul_f64(renewal(Rng::with_seed(seed).f64()));
            assert!((166..=234).contains(&at.as_secs()), "{at:?}");
            *seconds.entry(at.as_secs()).or_insert(0) += 1;
        }
        let most = seconds.values().max().copied().unwrap();
        assert!(most <= 30, "{most} of 1000 in the same second");
    }
}
