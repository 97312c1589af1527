//! What is asked of a key, and what is answered, in the whole numbers that the script takes.

use std::time::Duration;

use crate::{Dimension, Limits};

/// The largest rate and the largest burst that the script counts exactly; what is larger counts as this.
pub(crate) const MOST: u64 = 100_000_000;

/// The script, as the server runs it.
pub(crate) const SCRIPT: &str = include_str!("script.lua");

/// The longest time that is told to the script.
const LONGEST: u64 = 1_000_000_000_000; // µs

/// One call of the script.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Who asks, as the server has named it; 0 as long as it has not.
    pub(crate) client: i64,
    /// The number of the batch of corrections, 0 where there is none.
    pub(crate) batch: i64,
    pub(crate) correction: [i64; 3],
    /// How many permits of this process are out.
    pub(crate) held: i64,
    pub(crate) limits: Limits,
    pub(crate) lease: Duration,
    /// How long the server could not be asked.
    pub(crate) away: Duration,
    /// How long ago this process has asked last.
    pub(crate) idle: Option<Duration>,
    /// How far ahead others may have been admitted for this one to get in line.
    pub(crate) horizon: Duration,
    /// What is wanted, and how long may be waited for it.
    pub(crate) wanted: Option<([u64; 3], Duration)>,
    /// How long nobody is to be admitted.
    pub(crate) closed: Duration,
    /// What the service has left.
    pub(crate) remaining: [Option<u64>; 3],
    /// The limits that the service has told.
    pub(crate) told: [Option<u64>; 3],
    /// How long ago that was asked of it.
    pub(crate) told_before: Option<Duration>,
    /// The last admission, if whoever it was for has gone away before its time came.
    pub(crate) undo: i64,
}

impl Question {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            client: 0,
            batch: 0,
            correction: [0; 3],
            held: 0,
            limits,
            lease: Duration::ZERO,
            away: Duration::ZERO,
            idle: None,
            horizon: Duration::ZERO,
            wanted: None,
            closed: Duration::ZERO,
            remaining: [None; 3],
            told: [None; 3],
            told_before: None,
            undo: 0,
        }
    }

    /// The arguments of the script, in its order.
    pub(crate) fn arguments(&self) -> [i64; 31] {
        let (costs, patience) = self.wanted.unwrap_or_default();
        let mut arguments = [0; 31];
        let head = [
            self.client,
            self.batch,
            self.held,
            self.limits.concurrency.unwrap_or(0).into(),
            micros(self.lease),
            micros(self.away),
            self.idle.map_or(-1, micros),
            micros(self.horizon),
            micros(patience),
            self.wanted.is_some().into(),
            micros(self.closed),
            self.told_before.map_or(-1, micros),
            self.undo,
        ];
        let said = self.remaining.into_iter().zip(self.told);
        let tail = self.limits.rates().into_iter().zip(costs).zip(self.correction).zip(said);
        let tail = tail.flat_map(|(((rate, cost), correction), (remaining, told))| {
            let (rate, burst) = match rate {
                Some(rate) => (whole(rate.amount()), whole(rate.burst())),
                None => (-1, 0),
            };
            let told = told.map_or(-1, |limit| whole(limit.min(MOST)));
            [rate, burst, whole(cost), correction, remaining.map_or(-1, whole), told]
        });
        for (place, argument) in arguments.iter_mut().zip(head.into_iter().chain(tail)) {
            *place = argument;
        }
        arguments
    }
}

/// What the script answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) client: i64,
    pub(crate) verdict: Verdict,
    /// Which admission at this key was the last one.
    pub(crate) number: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Charged, for this long from now.
    Admitted(Duration),
    /// Not charged: it would take `wait`, and asking is of use again after `again`.
    Later { wait: Duration, again: Duration },
    /// Not charged: so many permits are out as there may be.
    Full,
    /// Not charged: it never fits, because the service has told a lower limit.
    TooLarge { dimension: Dimension, capacity: u64 },
}

impl From<[i64; 5]> for Answer {
    fn from([status, wait, again, client, number]: [i64; 5]) -> Self {
        let micros = |count: i64| Duration::from_micros(count.try_into().unwrap_or(0));
        let verdict = match status {
            0 => Verdict::Admitted(micros(wait)),
            1 => Verdict::Later { wait: micros(wait), again: micros(again) },
            2 => Verdict::Full,
            _ => {
                let place = usize::try_from(wait - 1).unwrap_or(0);
                let dimension = Dimension::ALL.get(place).copied().unwrap_or(Dimension::Requests);
                Verdict::TooLarge { dimension, capacity: again.try_into().unwrap_or(0) }
            }
        };
        Self { client, verdict, number }
    }
}

/// Times are rounded up: nobody is let in too early by what a microsecond cannot say.
fn micros(duration: Duration) -> i64 {
    let micros = duration.as_nanos().div_ceil(1_000);
    i64::try_from(micros).unwrap_or(i64::MAX).min(LONGEST.cast_signed())
}

/// An amount, which is of no more interest beyond an hour of the largest rate.
fn whole(amount: u64) -> i64 {
    amount.min(61 * MOST).cast_signed()
}
