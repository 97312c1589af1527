//! Requests per minute in one process, counted by the `governor` crate, whose types stay in this file.

use std::{
    collections::{BTreeMap, HashMap},
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::governor::{
    Quota,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{NotKeyed, StateStore},
};
use async_trait::async_trait;
use tokio::sync::Notify;

use crate::{
    Cost, Decision, Dimension, Error, Key, Observation, Permit, RateLimiter, Timer,
    limiters::race::first,
    moment::{FOREVER, nanos},
};

const MINUTE: u64 = 60_000_000_000; // ns
const MAX_KEYS: usize = 1024;

/// Requests per minute and key, with a burst, in this process only.
///
/// For every stretch of time, what is admitted under one key is at most the burst plus the rate times the
/// stretch. Requests are spaced by whole nanoseconds, rounded up, so the real rate is a shade below the one asked
/// for (by less than one part in a million up to 60,000 requests per minute) and never above it.
///
/// - Whoever waits stands in line per key: a later request does not delay an earlier one, and a wait that is too
///   long is known, and refused, before it begins.
/// - A spent request is spent: [`Permit::settle`] gives nothing back, and tokens are not counted.
/// - Of an [`Observation`] only `retry_after` is used: it closes the key until then, for those in line as well.
///   However long it is, it is obeyed; cap it before if the server is not trusted.
/// - It keeps a bounded number of keys ([`GovernorBuilder::max_keys`]). Keys that are idle are forgotten first;
///   while none is, new keys wait for one.
#[derive(Debug)]
pub struct Governor {
    quota: Quota,
    /// How long it takes to earn one request.
    interval: u64, // ns
    burst: u32,
    max_keys: usize,
    timer: Arc<dyn Timer>,
    lanes: Mutex<Lanes>,
    /// Tells those in line that somebody has left it.
    left: Notify,
}

impl Governor {
    /// Begins a limiter of `rate` requests per minute, all of which may come at once.
    pub const fn per_minute(rate: NonZeroU32) -> GovernorBuilder {
        GovernorBuilder { rate, burst: rate, max_keys: MAX_KEYS }
    }

    /// Decides about `cost` now, without waiting; only [`Decision::Admit`] charges it.
    ///
    /// Those who already wait in [`acquire`](RateLimiter::acquire) come first.
    pub fn try_acquire(&self, key: &Key, cost: Cost) -> Decision {
        self.decide(&mut self.lock(), key, cost.requests, None)
    }

    /// Decides for the holder of `ticket`, or for a newcomer at the end of the line.
    fn decide(&self, lanes: &mut Lanes, key: &Key, requests: u32, ticket: Option<u64>) -> Decision {
        if requests > self.burst {
            return Decision::TooLarge { dimension: Dimension::Requests, capacity: self.burst.into() };
        }
        let now = self.now();
        let Some(lane) = self.lane(lanes, key, now) else {
            return Decision::Wait(Duration::from_nanos(self.until_a_key_is_idle(lanes, now)));
        };
        let Some(cells) = NonZeroU32::new(requests) else {
            return wait_or_admit(lane.closed_until.saturating_sub(now));
        };
        let earned_at = lane
            .arrival
            .get()
            .saturating_add(self.interval.saturating_mul(lane.ahead_of(ticket) + u64::from(requests)))
            .saturating_sub(self.interval.saturating_mul(self.burst.into()));
        let wait = earned_at.max(lane.closed_until).saturating_sub(now);
        if wait > 0 {
            return wait_or_admit(wait);
        }
        // There is enough for everyone ahead and for this one: taking it now delays nobody.
        lane.told.set(now);
        match lane.cells.check_n(cells) {
            Ok(Ok(())) => Decision::Admit,
            Ok(Err(until)) => Decision::Wait(until.wait_time_from(now.into())),
            Err(most) => Decision::TooLarge { dimension: Dimension::Requests, capacity: most.0.into() },
        }
    }

    /// Finds the key's lane or opens one; `None` while there is no room for it.
    fn lane<'a>(&self, lanes: &'a mut Lanes, key: &Key, now: u64) -> Option<&'a mut Lane> {
        if !lanes.by_name.contains_key(key.as_str()) && lanes.by_name.len() >= self.max_keys {
            lanes.by_name.retain(|_, lane| !lane.is_idle(now));
            if lanes.by_name.len() >= self.max_keys {
                return None;
            }
        }
        Some(lanes.by_name.entry(Arc::clone(key.parts().0)).or_insert_with(|| Lane::new(self.quota)))
    }

    fn until_a_key_is_idle(&self, lanes: &Lanes, now: u64) -> u64 {
        let soonest = lanes.by_name.values().map(Lane::idle_at).min().unwrap_or(now);
        soonest.saturating_sub(now).max(self.interval) // a lane with a line is not idle, whatever its time
    }

    fn now(&self) -> u64 {
        nanos(self.timer.now())
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RateLimiter for Governor {
    async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error> {
        let deadline = self.now().saturating_add(nanos(max_wait));
        let mut place = Place { limiter: self, key: &key, ticket: None };
        loop {
            match place.step(cost.requests, deadline) {
                Step::Admit => return Ok(Permit::free()),
                Step::Sleep(wait) => first(self.timer.sleep(wait), self.left.notified()).await,
                Step::GiveUp(wait) => return Err(Error::WouldWait { wait, max_wait }),
                Step::TooLarge { dimension, capacity } => {
                    return Err(Error::TooLarge { dimension, asked: cost.requests.into(), capacity });
                }
            }
        }
    }

    fn observe(&self, key: &Key, seen: &Observation) {
        let Some(retry_after) = seen.retry_after else { return };
        let mut lanes = self.lock();
        let now = self.now();
        // Without room for the key nothing is noted, but without room it is not admitted either.
        if let Some(lane) = self.lane(&mut lanes, key, now) {
            lane.closed_until = lane.closed_until.max(now.saturating_add(nanos(retry_after)));
        }
    }
}

/// The settings of a [`Governor`].
#[derive(Clone, Copy, Debug)]
#[must_use = "call `build`"]
pub struct GovernorBuilder {
    rate: NonZeroU32,
    burst: NonZeroU32,
    max_keys: usize,
}

impl GovernorBuilder {
    /// Sets how many requests may come at once after a quiet time; one minute's worth when it is not set.
    pub const fn burst(self, burst: NonZeroU32) -> Self {
        Self { burst, ..self }
    }

    /// Sets how many keys are kept; 1024 when it is not set.
    pub const fn max_keys(self, max_keys: NonZeroUsize) -> Self {
        Self { max_keys: max_keys.get(), ..self }
    }

    /// Makes the limiter, with a full burst for every key; time and waiting come from `timer`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] for a burst that would take longer than 146 years to come back.
    pub fn build(self, timer: impl Timer) -> Result<Governor, Error> {
        let interval = MINUTE.div_ceil(u64::from(self.rate.get()));
        let (burst, capacity) = (u64::from(self.burst.get()), FOREVER / interval);
        let too_large = Error::TooLarge { dimension: Dimension::Requests, asked: burst, capacity };
        if burst > capacity {
            return Err(too_large);
        }
        let Some(quota) = Quota::with_period(Duration::from_nanos(interval)) else { return Err(too_large) };
        Ok(Governor {
            quota: quota.allow_burst(self.burst),
            interval,
            burst: self.burst.get(),
            max_keys: self.max_keys,
            timer: Arc::new(timer),
            lanes: Mutex::default(),
            left: Notify::new(),
        })
    }
}

/// Governor's own limiter, told the time and holding its state in the open.
type Cells = ::governor::RateLimiter<NotKeyed, Shared, Shared, NoOpMiddleware<Nanos>>;

/// All keys, and the number the next one in any line gets.
#[derive(Debug, Default)]
struct Lanes {
    by_name: HashMap<Arc<str>, Lane>,
    next_ticket: u64,
}

/// One key: what governor counts, the server's own veto, and who waits.
#[derive(Debug)]
struct Lane {
    cells: Cells,
    arrival: Shared,
    told: Shared,
    closed_until: u64, // ns
    /// Ticket and requests of everyone who waits, first come first.
    line: BTreeMap<u64, u32>,
}

impl Lane {
    fn new(quota: Quota) -> Self {
        let (arrival, told) = (Shared::default(), Shared::default());
        let cells = Cells::new(quota, arrival.clone(), told.clone());
        Self { cells, arrival, told, closed_until: 0, line: BTreeMap::new() }
    }

    fn ahead_of(&self, ticket: Option<u64>) -> u64 {
        self.line.range(..ticket.unwrap_or(u64::MAX)).map(|(_, requests)| u64::from(*requests)).sum()
    }

    /// When the lane is as good as new, if nothing more is admitted.
    fn idle_at(&self) -> u64 {
        self.arrival.get().max(self.closed_until)
    }

    fn is_idle(&self, now: u64) -> bool {
        self.idle_at() <= now && self.line.is_empty()
    }
}

/// Nanoseconds that governor and the lane both see, always under the limiter's lock.
///
/// As governor's clock it holds the time of the current decision; governor is told, it does not look. As
/// governor's state it holds the key's theoretical arrival time, which the lane can then read without taking.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<AtomicU64>);

impl Shared {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, nanos: u64) {
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for Shared {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.get().into()
    }
}

impl StateStore for Shared {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, arrival) = decide(Some(self.get().into()))?;
        self.set(arrival.into());
        Ok(outcome)
    }
}

/// Someone's place in the line of a key, given up when it is dropped.
struct Place<'a> {
    limiter: &'a Governor,
    key: &'a Key,
    ticket: Option<u64>,
}

enum Step {
    Admit,
    Sleep(Duration),
    GiveUp(Duration),
    TooLarge { dimension: Dimension, capacity: u64 },
}

impl Place<'_> {
    /// Takes the requests, or stands in line for them if they come before the deadline.
    fn step(&mut self, requests: u32, deadline: u64) -> Step {
        let mut lanes = self.limiter.lock();
        let wait = match self.limiter.decide(&mut lanes, self.key, requests, self.ticket) {
            Decision::Wait(wait) => wait,
            Decision::Admit => {
                self.leave(&mut lanes);
                return Step::Admit;
            }
            Decision::TooLarge { dimension, capacity } => return Step::TooLarge { dimension, capacity },
        };
        if self.limiter.now().saturating_add(nanos(wait)) > deadline {
            return Step::GiveUp(wait);
        }
        if self.ticket.is_none() {
            let ticket = lanes.next_ticket;
            if let Some(lane) = lanes.by_name.get_mut(self.key.as_str()) {
                lane.line.insert(ticket, requests);
                lanes.next_ticket += 1;
                self.ticket = Some(ticket);
            }
        }
        Step::Sleep(wait)
    }

    fn leave(&mut self, lanes: &mut Lanes) {
        if let Some(ticket) = self.ticket.take()
            && let Some(lane) = lanes.by_name.get_mut(self.key.as_str())
        {
            lane.line.remove(&ticket);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.leave(&mut self.limiter.lock());
            self.limiter.left.notify_waiters();
        }
    }
}

fn wait_or_admit(wait: u64) -> Decision {
    if wait == 0 { Decision::Admit } else { Decision::Wait(Duration::from_nanos(wait)) }
}
