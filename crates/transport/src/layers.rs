//! Backends that wrap a backend: each does one thing to every request that passes through it.

mod backoff;
mod intercept;
mod retry;
mod timeout;
mod trace;

pub use backoff::{Backoff, retry_after};
pub use intercept::{Intercept, Middleware, Next};
pub use retry::{Outcome, Retry, RetryPolicy, Verdict};
pub use timeout::Timeout;
pub use trace::Trace;
