//! The limiters that come with the crate.

#[cfg(feature = "governor")]
mod governor;
mod local;
#[cfg(any(feature = "governor", feature = "redis"))]
mod race;
#[cfg(feature = "redis")]
pub mod redis;
mod unlimited;

#[cfg(feature = "governor")]
pub use governor::{Governor, GovernorBuilder};
pub use local::{Local, LocalBuilder};
#[cfg(feature = "redis")]
pub use redis::Redis;
pub use unlimited::Unlimited;
