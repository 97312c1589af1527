//! The limiters that come with the crate.

#[cfg(feature = "governor")]
mod governor;
mod unlimited;

#[cfg(feature = "governor")]
pub use governor::{Governor, GovernorBuilder};
pub use unlimited::Unlimited;
