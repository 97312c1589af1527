//! One trait for sending an HTTP request once, layers that wrap it, and decoders for what comes back.
//!
//! An [`HttpBackend`] makes one attempt. A layer ([`layers::Retry`], [`layers::Timeout`], [`layers::Trace`]) is a
//! backend that wraps a backend, so layers nest in any order and a stack of them is used like a single one.
//! Bodies are streamed ([`Body`]), [`sse`] and [`jsonl`] decode what they carry, and all waiting goes through a
//! [`Clock`], so that a test holds the time.
//!
//! It is not an HTTP client with cookies, redirects or content negotiation, and it knows nothing of any one
//! service: no authorization, no rate limits, no JSON.
//!
//! # Example
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::Duration};
//! use bytes::Bytes;
//! use transport::{Clock, HttpBackend, SystemClock, backends::Reqwest, layers::{Backoff, Retry, Timeout}};
//!
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock);
//! let backend = Reqwest::builder().build()?;
//! let backend = Timeout::new(backend, Arc::clone(&clock)).headers(Duration::from_secs(30));
//! let seed = 7; // from the caller's source of randomness
//! let backend = Retry::new(backend, Arc::new(Backoff::new()), clock, seed);
//!
//! let request = http::Request::get("https://example.com/").body(Bytes::new())?;
//! let response = backend.send(request).await?;
//! println!("{}", response.status());
//! let page = response.into_body().collect(1 << 20).await?;
//! println!("{} bytes", page.len());
//! # Ok(())
//! # }
//! ```
//!
//! # Plugging in your own
//!
//! Implement [`HttpBackend`] for another client, [`Clock`] for another source of time, or
//! [`RetryPolicy`](layers::RetryPolicy) for another rule about what is sent again. Each is small and object safe:
//!
//! ```
//! use transport::{Body, Error, HttpBackend, Request, Response};
//!
//! /// Answers every request with the same word.
//! #[derive(Debug)]
//! struct Parrot;
//!
//! #[async_trait::async_trait]
//! impl HttpBackend for Parrot {
//!     async fn send(&self, _request: Request) -> Result<Response, Error> {
//!         Ok(Response::new(Body::from("hello")))
//!     }
//! }
//! ```
//!
//! A backend of your own can be checked with `test_util::contract::check`.
//!
//! # Features
//!
//! - `reqwest` (default): `backends::Reqwest`, with rustls and ring.
//! - `decompress`: [`layers::Decode`] asks for gzip, br and zstd, and decodes them.
//! - `hyper`: `backends::Hyper`, the same without reqwest: fewer parts, and https proxies only.
//! - `http2`: both speak HTTP/2 where a server offers it.
//! - `replay`: `backends::Recorder` and `backends::Player`, exchanges recorded once and repeated offline.
//! - `tower`: `backends::Tower` makes a backend of a tower service, `backends::BackendService` the other way round.
//! - `test-util`: `SimClock`, and fakes and mocks for the traits in `test_util`.

mod backend;
pub mod backends;
mod body;
mod clock;
mod error;
mod extensions;
pub mod jsonl;
pub mod layers;
mod patience;
mod race;
#[cfg(feature = "test-util")]
mod sim_clock;
pub mod sse;
#[cfg(feature = "test-util")]
pub mod test_util;
mod upload;

pub use backend::{HttpBackend, Request, Response, Sending};
pub use body::Body;
pub use clock::{Clock, SystemClock};
pub use error::{Error, ErrorKind, Reach, TimeoutKind};
pub use extensions::{Attempt, Attempts, Deadline, HeadersTimeout, MaxRetries, Replayable};
pub use patience::Patience;
#[cfg(feature = "test-util")]
pub use sim_clock::SimClock;
pub use upload::Upload;
