//! A rate limiter whose decisions are data: how much, how long to wait, or never.
//!
//! The seam is [`RateLimiter`]: ask before the work with [`acquire`](RateLimiter::acquire), say afterwards what
//! it really cost with [`Permit::settle`], and pass on what the server said with
//! [`observe`](RateLimiter::observe). Four limiters come with it: [`limiters::Local`] (requests, tokens and how much
//! goes on at once, in one process), `limiters::Redis` (the same for many machines), `limiters::Governor` (requests
//! alone) and [`limiters::Unlimited`] (nobody waits).
//!
//! # What it is not
//!
//! It knows no HTTP, no header names and no retries, and it never reads a clock by itself: time comes from a
//! [`Timer`].
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use ratelimit::{Cost, Key, Limits, RateLimiter, TokioTimer, limiters::Local};
//!
//! let limits = Limits::default().with_requests(50).with_input_tokens(30_000).with_output_tokens(8_000);
//! let limiter = Local::limited_to(limits).build(TokioTimer::new());
//!
//! let estimate = Cost::requests(1).with_input_tokens(1_500).with_output_tokens(1_000);
//! let permit = limiter.acquire(Key::from("team-a/large"), estimate, Duration::from_secs(5)).await?;
//! // … the work …
//! permit.settle(Cost::requests(1).with_input_tokens(1_200).with_output_tokens(300));
//! # Ok(())
//! # }
//! ```
//!
//! # Your own limiter
//!
//! Implement one method. [`Permit::new`] takes what is to happen when the work is over.
//!
//! ```
//! use std::{
//!     sync::{Arc, atomic::{AtomicUsize, Ordering}},
//!     time::Duration,
//! };
//!
//! use ratelimit::{Cost, Error, Key, Permit, RateLimiter};
//!
//! /// At most `most` at a time; whoever comes later is told to come back in a second.
//! #[derive(Debug)]
//! struct AtATime { most: usize, running: Arc<AtomicUsize> }
//!
//! #[async_trait::async_trait]
//! impl RateLimiter for AtATime {
//!     async fn acquire(&self, _: Key, _: Cost, max_wait: Duration) -> Result<Permit, Error> {
//!         let entered = self.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, |running| {
//!             (running < self.most).then_some(running + 1)
//!         });
//!         if entered.is_err() {
//!             return Err(Error::WouldWait { wait: Duration::from_secs(1), max_wait });
//!         }
//!         let running = Arc::clone(&self.running);
//!         Ok(Permit::new(move |_actual| { running.fetch_sub(1, Ordering::AcqRel); }))
//!     }
//! }
//! ```
//!
//! # Features
//!
//! - `fast-clock`: `FastTimer`, for whoever decides millions of times a second.
//! - `governor`: `limiters::Governor`, one dimension by the crate of that name.
//! - `redis`: `limiters::Redis`, limits that processes on many machines share.
//! - `test-util`: `test_util`, with a timer that is moved by hand, a limiter that records, mocks, and the contract
//!   every limiter keeps.

mod adaptive;
mod bucket;
mod cost;
mod error;
mod key;
mod limiter;
pub mod limiters;
mod limits;
mod moment;
mod observation;
mod permit;
#[cfg(feature = "test-util")]
pub mod test_util;
mod timer;

pub use adaptive::Adaptive;
pub use cost::{Cost, Dimension};
pub use error::Error;
pub use key::{Key, Priority};
pub use limiter::{Decision, RateLimiter};
pub use limits::{Limits, Rate};
pub use observation::{Observation, Window};
pub use permit::Permit;
#[cfg(feature = "fast-clock")]
pub use timer::FastTimer;
pub use timer::{Timer, TokioTimer};
