//! How much may go on at once where nobody knows.

/// A limit of what goes on at once that is found by trying: it grows by one with each round of good replies and falls by half
/// when the server refuses ([`Observation::is_refused`](crate::Observation::is_refused)), by a tenth when replies take twice
/// as long as usual ([`Observation::took`](crate::Observation::took)).
///
/// A server that limits how fast its use may grow is asked a little more each time, and not everything at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adaptive {
    start: u32,
    most: u32,
}

impl Adaptive {
    /// Begins with this many at once, at least one.
    #[must_use]
    #[inline]
    pub fn starting_at(start: u32) -> Self {
        Self { start: start.max(1), most: 1_000.max(start) }
    }

    /// Sets how many it may become; 1,000 when it is not set.
    #[must_use]
    #[inline]
    pub fn up_to(self, most: u32) -> Self {
        let most = most.max(1);
        Self { start: self.start.min(most), most }
    }

    /// Where it starts and where it ends.
    pub(crate) const fn bounds(self) -> (u32, u32) {
        (self.start, self.most)
    }
}
