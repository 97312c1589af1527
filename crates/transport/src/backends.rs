//! Backends that come with this crate.

#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(feature = "reqwest")]
pub use self::reqwest::{BuildError, Reqwest, ReqwestBuilder};
