//! Several limits at once in one process, counted exactly.

use std::{
    collections::{BTreeMap, HashMap},
    hint,
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    task::Waker,
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    Adaptive, Cost, Decision, Error, Key, Limits, Observation, Permit, RateLimiter, Timer,
    moment::{FOREVER, nanos},
    permit::Ledger,
};

mod adapted;
pub(super) mod book;
mod lane;
pub(super) mod line;
pub(super) mod meter;
mod place;
pub(super) mod seat;
mod turns;

use lane::{Lane, Misfit};
use place::{Place, Step};

const MAX_KEYS: usize = 1024;
const LEASE: Duration = Duration::from_mins(10);
/// For how many turns of a loop to leave a lock alone that somebody has: ten microseconds at first. In that time the other
/// thread decides a hundred times, with everything in its own cache; that is faster for both than a decision each in turn.
const PAUSES: [u32; 3] = [1024, 2048, 4096];

/// Requests, tokens sent, tokens received and how much goes on at once, per key and in this process.
///
/// A cost is charged in every dimension or in none. For every stretch of time, what is admitted is at most the burst plus
/// the rate times the stretch, exactly: the counting is in whole numbers, without a remainder.
///
/// - [`Permit::settle`] charges the difference to what the work really cost, once: what was not used comes back, and what
///   was used beyond the estimate is a debt, paid back by waiting before anybody is admitted (an hour at the most).
/// - A permit that is dropped has cost what was [assumed](Permit::assume), or its requests and no tokens, and the rest comes
///   back. The same happens when it has been out longer than [`lease`](LocalBuilder::lease); if it is settled after all, what it cost
///   beyond that is charged then.
/// - Whoever waits stands in line: those of one tenant in the order they came, tenants by turns ([`Key::with_tenant`]), and
///   a higher priority before a lower one ([`Key::with_priority`]), which gets its part all the same. A wait that is too
///   long is refused before it begins, as far as it is known.
/// - It listens to the server ([`Observation`]). `retry_after` closes the key until then, however long it is. Limits that
///   were set are ceilings: the server's word lowers them and never raises them. Where none was set
///   ([`Local::listening`]) the server's own limit is adopted, and its changes. What the server has left is the most that
///   is left here, too; the reply to the latest permit may also say that there is more than was thought.
/// - It keeps a bounded number of keys ([`LocalBuilder::max_keys`]). Keys that are idle are forgotten first; while none
///   is, new keys wait for one.
#[derive(Debug, Clone)]
pub struct Local(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: Limits,
    special: HashMap<Arc<str>, Limits>,
    adaptive: Option<Adaptive>,
    parts: u32,
    lease: u64, // ns
    max_keys: usize,
    timer: Arc<dyn Timer>,
    lanes: Mutex<Lanes>,
}

/// All keys by their names, and the number the next permit or ticket gets.
#[derive(Debug, Default)]
struct Lanes {
    /// Few keys are used at a time, so comparing a name or two is faster than hashing one.
    by_name: BTreeMap<Arc<str>, Lane>,
    next_number: u64,
}

impl Local {
    /// Begins a limiter of `limits` for every key.
    #[inline]
    pub fn limited_to(limits: Limits) -> LocalBuilder {
        LocalBuilder {
            limits,
            special: HashMap::new(),
            adaptive: None,
            parts: 1,
            lease: LEASE,
            max_keys: MAX_KEYS,
        }
    }

    /// Begins a limiter that has no limits but those that the server tells.
    #[inline]
    pub fn listening() -> LocalBuilder {
        Self::limited_to(Limits::default())
    }

    /// Decides about `cost` now, without waiting; only [`Decision::Admit`] charges it, for good.
    ///
    /// Those who wait in [`acquire`](RateLimiter::acquire) come first. How many permits are out is not asked: without a
    /// permit, nobody could say when this is over.
    #[inline]
    pub fn try_acquire(&self, key: &Key, cost: Cost) -> Decision {
        let now = self.0.now();
        let mut lanes = self.0.lock();
        let decision = self.0.on_lane(&mut lanes, key, now, |lane, _| {
            lane.advance(now);
            lane.decide(now, key, cost)
        });
        decision.unwrap_or_else(|| Decision::Wait(Duration::from_nanos(lanes.until_a_key_is_idle(now))))
    }
}

#[async_trait]
impl RateLimiter for Local {
    #[inline]
    async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error> {
        let deadline = self.0.now().saturating_add(nanos(max_wait));
        let mut place = Place::new(&self.0, &key, cost);
        let number = loop {
            match place.step(deadline) {
                Step::Granted(number) => break number,
                Step::Wait(wait) => place.rest(wait).await,
                Step::GiveUp(wait) => return Err(Error::WouldWait { wait, max_wait }),
                Step::TooLarge(Misfit { dimension, asked, capacity }) => {
                    return Err(Error::TooLarge { dimension, asked, capacity });
                }
            }
        };
        drop(place);
        Ok(Permit::of(Arc::<Shared>::clone(&self.0), key, number, book::unknown(cost)))
    }

    #[inline]
    fn observe(&self, key: &Key, seen: &Observation) {
        self.0.change(key, |lane, now| lane.hear(now, seen, self.0.parts.into()));
    }
}

/// The settings of a [`Local`].
#[derive(Clone, Debug)]
#[must_use = "call `build`"]
pub struct LocalBuilder {
    limits: Limits,
    special: HashMap<Arc<str>, Limits>,
    adaptive: Option<Adaptive>,
    parts: u32,
    lease: Duration,
    max_keys: usize,
}

impl LocalBuilder {
    /// Sets other limits for one key.
    pub fn limits_of(mut self, key: impl Into<Key>, limits: Limits) -> Self {
        self.special.insert(Arc::clone(key.into().parts().0), limits);
        self
    }

    /// Finds out for each key how much may go on at once, below the concurrency that was set; off when it is not set.
    pub const fn adaptive(mut self, adaptive: Adaptive) -> Self {
        self.adaptive = Some(adaptive);
        self
    }

    /// Says that so many processes share what the server tells, and that this is one of them: it takes its part of it, and of
    /// each change. Limits that are set are for this process alone, whatever the others do.
    pub const fn one_of(mut self, parts: NonZeroU32) -> Self {
        self.parts = parts.get();
        self
    }

    /// Sets how long a permit may be out before it counts as lost; ten minutes when it is not set.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how many keys are kept; 1024 when it is not set.
    pub const fn max_keys(mut self, max_keys: NonZeroUsize) -> Self {
        self.max_keys = max_keys.get();
        self
    }

    /// Makes the limiter, with a full burst for every key; time and waiting come from `timer`.
    #[must_use]
    pub fn build(self, timer: impl Timer) -> Local {
        let Self { limits, special, adaptive, parts, lease, max_keys } = self;
        let (lease, timer, lanes) = (nanos(lease), Arc::new(timer), Mutex::default());
        Local(Arc::new(Shared { limits, special, adaptive, parts, lease, max_keys, timer, lanes }))
    }
}

impl Shared {
    /// Does something on the key's lane, which is opened where there is none; `None` while there is no room for it.
    fn on_lane<T>(
        &self,
        lanes: &mut Lanes,
        key: &Key,
        now: u64,
        act: impl FnOnce(&mut Lane, &mut u64) -> T,
    ) -> Option<T> {
        let Lanes { by_name, next_number } = lanes;
        if let Some(lane) = by_name.get_mut(key.as_str()) {
            return Some(act(lane, next_number));
        }
        if by_name.len() >= self.max_keys {
            by_name.retain(|_, lane| lane.idle_at().is_none_or(|at| at > now));
        }
        if by_name.len() >= self.max_keys {
            return None;
        }
        let (name, _) = key.parts();
        let limits = self.special.get(name).unwrap_or(&self.limits);
        let lane = by_name
            .entry(Arc::clone(name))
            .or_insert_with(|| Lane::new(limits, self.adaptive, self.lease, now));
        Some(act(lane, next_number))
    }

    /// Changes something about a key, and serves whom that lets in. Without room for the key nothing happens, but without
    /// room it is not admitted either.
    fn change(&self, key: &Key, change: impl FnOnce(&mut Lane, u64)) {
        let mut lanes = self.lock();
        let now = self.now();
        let wakers = self.on_lane(&mut lanes, key, now, |lane, next_number| {
            lane.advance(now);
            change(lane, now);
            lane.serve(now, next_number)
        });
        drop(lanes);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    #[inline]
    fn now(&self) -> u64 {
        nanos(self.timer.now())
    }

    /// Tries again at growing distances before the thread is put to sleep, which takes much longer than a decision.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        for pause in PAUSES {
            match self.lanes.try_lock() {
                Ok(lanes) => return lanes,
                Err(TryLockError::Poisoned(error)) => return error.into_inner(),
                Err(TryLockError::WouldBlock) => (0..pause).for_each(|_| hint::spin_loop()),
            }
        }
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    #[inline]
    fn until_a_key_is_idle(&self, now: u64) -> u64 {
        let soonest = self.by_name.values().filter_map(Lane::idle_at).min();
        soonest.map_or(lane::SOME_TIME, |at| at.saturating_sub(now)).clamp(lane::SOME_TIME, FOREVER)
    }
}

impl Ledger for Shared {
    #[inline]
    fn assume(&self, key: &Key, number: u64, before: Cost, cost: Cost) {
        if let Some(lane) = self.lock().by_name.get_mut(key.as_str()) {
            lane.assume(number, before, cost);
        }
    }

    #[inline]
    fn settle(&self, key: &Key, number: u64, assumed: Cost, actual: Option<Cost>) {
        self.change(key, |lane, _| lane.settle(number, assumed, actual));
    }
}
