//! Backends that wrap a backend: each does one thing to every request that passes through it.

mod backoff;
mod breaker;
mod budget;
mod class;
mod decode;
mod intercept;
mod opening;
mod retry;
mod timeout;
mod trace;

pub use backoff::{Backoff, retry_after};
pub use breaker::{Breaker, Open};
pub use budget::Budget;
pub use class::{Class, Strain};
pub use decode::Decode;
pub use intercept::{Intercept, Middleware, Next};
pub use opening::{Judge, Opening, Opinion};
pub use retry::{Outcome, Retry, RetryPolicy, Verdict};
pub use timeout::Timeout;
pub use trace::Trace;
