//! For tests: time that is moved by hand, a limiter that records, mocks, and the contract every limiter keeps.

mod contract;
mod fake;
mod mock;
mod time;
#[cfg(feature = "redis")]
pub mod twin;

pub use contract::contract;
pub use fake::{Acquired, Recorder};
pub use mock::{MockRateLimiter, MockTimer};
pub use time::ManualTimer;
