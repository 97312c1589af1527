//! What can go wrong, and who decides.

/// `SplitMix64`: small, seeded, good enough to choose what goes wrong.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()]
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Faults {
    /// Losses that leave open whether the request arrived.
    pub(super) lost: bool,
    /// Failures that certainly leave the refresh token alone, or that answer with an error.
    pub(super) busy: bool,
    pub(super) store: bool,
    pub(super) revocations: bool,
    /// A user logs in anew though nothing is wrong.
    pub(super) logins: bool,
    pub(super) logouts: bool,
    /// The clock is set back.
    pub(super) clock: bool,
    /// The clock is not the server's, and answers tell.
    pub(super) skew: bool,
}

pub(super) const NONE: Faults = Faults {
    lost: false,
    busy: false,
    store: false,
    revocations: false,
    logins: false,
    logouts: false,
    clock: false,
    skew: false,
};

pub(super) const ALL: Faults = Faults {
    lost: true,
    busy: true,
    store: true,
    revocations: true,
    logins: true,
    logouts: true,
    clock: true,
    skew: true,
};
