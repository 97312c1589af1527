//! The one place of this workspace that reads the operating system's randomness.
#![expect(clippy::disallowed_methods, reason = "this file owns randomness; everything else is told")]

use crate::error::{ConfigError, Error};

/// Fills an array with bytes from the operating system.
///
/// # Errors
///
/// [`ConfigError::Entropy`] where the system has no randomness to give: nothing safe can be done without it.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ConfigError::Entropy)?;
    Ok(bytes)
}

/// A seed for jitter.
///
/// # Errors
///
/// As [`bytes`].
pub(crate) fn seed() -> Result<u64, Error> {
    bytes().map(u64::from_le_bytes)
}
