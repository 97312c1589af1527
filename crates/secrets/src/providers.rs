//! The providers that come with the crate.

#[cfg(feature = "cached")]
mod cached;
mod chain;
#[cfg(feature = "command")]
mod command;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "keyring")]
mod keyring;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod scoped;
#[cfg(feature = "vault")]
pub mod vault;

#[cfg(feature = "redis")]
pub use self::redis::Redis;
#[cfg(feature = "env")]
pub use crate::env::Env;
#[cfg(feature = "cached")]
pub use cached::{Cached, Entry};
pub use chain::Chain;
#[cfg(feature = "command")]
pub use command::Command;
#[cfg(feature = "file")]
pub use file::File;
#[cfg(feature = "keyring")]
pub use keyring::Keyring;
pub use memory::Memory;
pub use scoped::Scoped;
#[cfg(feature = "vault")]
pub use vault::Vault;
