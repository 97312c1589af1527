//! The providers that come with the crate.

mod chain;
#[cfg(feature = "file")]
mod file;
mod memory;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "redis")]
pub use self::redis::Redis;
#[cfg(feature = "env")]
pub use crate::env::Env;
pub use chain::Chain;
#[cfg(feature = "file")]
pub use file::File;
pub use memory::Memory;
