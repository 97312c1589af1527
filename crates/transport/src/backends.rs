//! Backends that come with this crate.

#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod failure;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(any(feature = "hyper", feature = "reqwest", feature = "tower"))]
mod incoming;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod outgoing;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod proxies;
#[cfg(feature = "replay")]
mod replay;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod tls;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "hyper")]
pub use self::hyper::{Hyper, HyperBuilder};
#[cfg(feature = "replay")]
pub use self::replay::{CassetteError, Mismatch, Player, Recorder};
#[cfg(feature = "reqwest")]
pub use self::reqwest::{Reqwest, ReqwestBuilder};
#[cfg(any(feature = "hyper", feature = "reqwest"))]
pub use self::tls::BuildError;
#[cfg(feature = "tower")]
pub use self::tower::{BackendService, Tower};
