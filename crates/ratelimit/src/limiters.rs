//! The limiters that come with the crate.

#[cfg(feature = "governor")]
mod governor;
mod local;
mod unlimited;

#[cfg(feature = "governor")]
pub use governor::{Governor, GovernorBuilder};
pub use local::{Local, LocalBuilder};
pub use unlimited::Unlimited;
