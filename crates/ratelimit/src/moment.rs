//! Times in nanoseconds since a timer's start.

use std::time::Duration;

/// The latest time that is told apart, 146 years: four of them still fit into 64 bits.
pub(crate) const FOREVER: u64 = u64::MAX / 4; // ns

pub(crate) fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos())).min(FOREVER)
}
