//! How much may go on at once, found out by trying.

use crate::{Adaptive, Observation};

/// One permit, in the unit that the limit is kept in.
const ONE: u64 = 1 << 16;
/// From how many times the usual time on recent replies are slow.
const SLOW: u64 = 2;
/// How many replies it takes to know what is usual.
const ENOUGH: u32 = 16;

/// The limit as it stands: a bit more with each good reply, much less with a bad one.
#[derive(Debug)]
pub(super) struct Adapted {
    limit: u64,
    most: u64,
    /// The latest permit, and the latest one that had the limit reached.
    latest: Option<u64>,
    reached: Option<u64>,
    /// Whichever permit was the latest when the limit was lowered last: a burst that goes wrong lowers it once.
    lowered_after: Option<u64>,
    /// How long replies take of late and in the long run, and how many there were.
    recent: u64, // ns
    usual: u64, // ns
    replies: u32,
}

impl Adapted {
    #[inline]
    pub(super) fn new(settings: Adaptive) -> Self {
        let (start, most) = settings.bounds();
        let (limit, most) = (ONE * u64::from(start), ONE * u64::from(most));
        Self {
            limit,
            most,
            latest: None,
            reached: None,
            lowered_after: None,
            recent: 0,
            usual: 0,
            replies: 0,
        }
    }

    /// How many permits may be out.
    #[inline]
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.limit / ONE).unwrap_or(usize::MAX)
    }

    /// Takes note of a permit, with which so many are out.
    #[inline]
    pub(super) fn give(&mut self, number: u64, out: usize) {
        self.latest = Some(number);
        if out >= self.limit() {
            self.reached = Some(number);
        }
    }

    /// Takes note of a reply.
    #[inline]
    pub(super) fn hear(&mut self, seen: &Observation) {
        let is_slow = seen.took.is_some_and(|took| self.is_slow(crate::moment::nanos(took)));
        if seen.is_refused || is_slow {
            // An answer to what was asked before the limit was lowered says nothing about the lower one.
            if seen.permit.is_some() && seen.permit > self.lowered_after {
                self.limit = if seen.is_refused { self.limit / 2 } else { self.limit / 10 * 9 }.max(ONE);
                self.lowered_after = self.latest;
            }
        } else if seen.permit.is_some() && seen.permit <= self.reached {
            // As many good replies as may be out at once make room for one more, if that many were wanted.
            self.limit = (self.limit + ONE * ONE / self.limit).min(self.most);
        }
    }

    /// Takes note of how long a reply took, and says whether replies have become slow. What lasts becomes usual.
    #[inline]
    fn is_slow(&mut self, took: u64) -> bool {
        self.replies = self.replies.saturating_add(1);
        self.recent = mean(self.recent, took, u64::from(self.replies.min(8)));
        self.usual = mean(self.usual, took, u64::from(self.replies.min(256)));
        self.replies > ENOUGH && self.recent > self.usual.saturating_mul(SLOW)
    }
}

/// A mean in which `new` weighs one part of `parts`.
#[inline]
fn mean(old: u64, new: u64, parts: u64) -> u64 {
    old - old / parts + new / parts
}
