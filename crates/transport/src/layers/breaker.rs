//! Leaving a server alone that answers nobody.

mod health;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

pub(super) use self::health::Health;

/// A circuit breaker: after ten failures in a row it lets nothing through but a probe from time to time, until one
/// succeeds.
///
/// A failure is one that [may pass](super::Class::AfterDelay) and is not this client's doing: no connection, no answer in time, a
/// status from 500 on. A 429 is none, and neither is a 400: who says that is up. Failures count as a row while less than
/// ten seconds lie between one and the next.
///
/// The first probe goes after a second, the next ones after two and then every four. A probe that takes long does not
/// keep the next one from going, because an answer may rightly take minutes.
///
/// One breaker is for one origin and one credential. Clones share what they know. The numbers are explained in
/// `docs/decisions/0021-circuit-breaker.md`.
#[derive(Clone)]
pub struct Breaker(Arc<Mutex<Circuit>>);

/// Why nothing was sent: the circuit breaker of this client is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the last {failures} attempts have failed, so this client lets only a probe through from time to time"
)]
#[non_exhaustive]
pub struct Open {
    /// How many attempts have failed in a row.
    pub failures: u32,
    /// When the next one is let through.
    pub until: SystemTime,
}

struct Circuit {
    failures: u32,
    last_failure: SystemTime,
    /// When the next probe may go; `None` while the breaker is closed.
    next_probe: Option<SystemTime>,
    pause: Duration,
    /// Counts openings and closings, so that an attempt from before does not speak about after.
    generation: u64,
}

/// Leave to make one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    generation: u64,
    /// Whether it goes through an open breaker.
    pub(super) is_probe: bool,
}

impl Breaker {
    /// Makes a closed one.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Circuit {
            failures: 0,
            last_failure: SystemTime::UNIX_EPOCH,
            next_probe: None,
            pause: FIRST_PAUSE,
            generation: 0,
        })))
    }

    /// Tells whether it lets only probes through, and when the next one may go.
    #[must_use]
    pub fn open(&self) -> Option<Open> {
        let circuit = self.circuit();
        circuit.next_probe.map(|until| Open { failures: circuit.failures, until })
    }

    /// Asks to make an attempt.
    pub(super) fn admit(&self, now: SystemTime) -> Result<Pass, Open> {
        let mut circuit = self.circuit();
        let generation = circuit.generation;
        let Some(next) = circuit.next_probe else { return Ok(Pass { generation, is_probe: false }) };
        // A clock that was set back must not lengthen the pause.
        let is_early = next.duration_since(now).is_ok_and(|left| left <= LONGEST_PAUSE && !left.is_zero());
        if is_early {
            return Err(Open { failures: circuit.failures, until: next });
        }
        circuit.next_probe = Some(now + circuit.pause);
        circuit.pause = (circuit.pause * 2).min(LONGEST_PAUSE);
        Ok(Pass { generation, is_probe: true })
    }

    /// Leave for an attempt where nothing is in its way, whatever the time.
    #[inline]
    pub(super) fn closed(&self) -> Option<Pass> {
        let circuit = self.circuit();
        circuit.next_probe.is_none().then_some(Pass { generation: circuit.generation, is_probe: false })
    }

    /// Tells that the attempt was a success.
    #[inline]
    pub(super) fn succeeded(&self, pass: Pass) {
        let mut circuit = self.circuit();
        if pass.generation == circuit.generation {
            circuit.is_up();
        }
    }

    /// Tells how the attempt ended.
    pub(super) fn record(&self, pass: Pass, health: Health, now: SystemTime) {
        let mut circuit = self.circuit();
        match health {
            _ if pass.generation != circuit.generation => {}
            Health::Up => circuit.is_up(),
            Health::Down => circuit.is_down(now),
            Health::Unknown => {}
        }
    }

    #[inline]
    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circuit {
    fn is_up(&mut self) {
        self.failures = 0;
        if self.next_probe.take().is_some() {
            self.generation += 1;
            tracing::debug!("the circuit breaker closes");
        }
    }

    fn is_down(&mut self, now: SystemTime) {
        let is_row = now.duration_since(self.last_failure).is_ok_and(|gap| gap < ROW);
        self.failures = if is_row { self.failures.saturating_add(1) } else { 1 };
        self.last_failure = now;
        if self.failures >= FAILURES && self.next_probe.is_none() {
            self.generation += 1;
            self.next_probe = Some(now + FIRST_PAUSE);
            self.pause = FIRST_PAUSE * 2;
            tracing::warn!(failures = self.failures, "the circuit breaker opens");
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("open", &self.open()).finish()
    }
}

/// How many failures in a row open it.
const FAILURES: u32 = 10;
/// Failures further apart are no row.
const ROW: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000 + milliseconds)
    }

    fn attempt(breaker: &Breaker, health: Health, now: SystemTime) {
        breaker.record(breaker.admit(now).unwrap(), health, now);
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new();
        for _ in 0..FAILURES {
            attempt(&breaker, Health::Down, at(0));
        }
        breaker
    }

    #[test]
    fn ten_failures_in_a_row_open_it_and_nine_do_not() {
        let breaker = Breaker::new();
        for health in [Health::Down, Health::Up] {
            for _ in 1..FAILURES {
                attempt(&breaker, health, at(0));
            }
        }
        for _ in 1..FAILURES {
            attempt(&breaker, Health::Down, at(0));
            attempt(&breaker, Health::Unknown, at(0));
        }
        assert_eq!(breaker.open(), None);
        attempt(&breaker, Health::Down, at(0));
        assert_eq!(breaker.open(), Some(Open { failures: FAILURES, until: at(1_000) }));
        assert_eq!(breaker.admit(at(999)), Err(Open { failures: FAILURES, until: at(1_000) }));
    }

    #[test]
    fn failures_far_apart_are_no_row() {
        let breaker = Breaker::new();
        for number in 0..1_000 {
            attempt(&breaker, Health::Down, at(10_000 * number));
        }
        assert_eq!(breaker.open(), None);
    }

    #[test]
    fn one_probe_goes_at_a_time_and_ever_fewer() {
        let breaker = opened();
        let mut probes = Vec::new();
        for now in 0..20_000 {
            if let Ok(pass) = breaker.admit(at(now)) {
                assert!(pass.is_probe);
                breaker.record(pass, Health::Down, at(now));
                probes.push(now);
            }
        }
        assert_eq!(probes, [1_000, 3_000, 7_000, 11_000, 15_000, 19_000]);
    }

    #[test]
    fn a_probe_that_succeeds_closes_it() {
        let breaker = opened();
        attempt(&breaker, Health::Up, at(1_000));
        assert_eq!(breaker.open(), None);
        assert!(!breaker.admit(at(1_000)).unwrap().is_probe);
    }

    #[test]
    fn a_probe_that_never_comes_back_does_not_keep_it_open() {
        let breaker = opened();
        let _lost = breaker.admit(at(1_000)).unwrap();
        assert!(breaker.admit(at(2_999)).is_err());
        attempt(&breaker, Health::Up, at(3_000));
        assert_eq!(breaker.open(), None);
    }

    #[test]
    fn an_attempt_from_before_says_nothing_about_after() {
        let breaker = Breaker::new();
        let old = breaker.admit(at(0)).unwrap();
        for _ in 0..FAILURES {
            attempt(&breaker, Health::Down, at(0));
        }
        breaker.record(old, Health::Up, at(10));
        assert!(breaker.open().is_some(), "it was sent before the outage");

        let probe = breaker.admit(at(1_000)).unwrap();
        breaker.record(probe, Health::Up, at(1_000));
        for _ in 0..FAILURES {
            breaker.record(old, Health::Down, at(1_001));
            breaker.record(probe, Health::Down, at(1_001));
        }
        assert_eq!(breaker.open(), None, "they were sent before the recovery");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let breaker = opened();
        let day_before = at(0) - Duration::from_secs(86_400);
        assert!(breaker.admit(day_before).unwrap().is_probe);
    }
}
