//! What calls take, use and run into: the [`Metrics`] seam, and where it can lead.
//!
//! Nothing is measured until a client is told to; then one line does it:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use claude_sdk::{Client, metrics::{Measurement, Metrics}, types::{MessageRequest, Model}};
//!
//! /// Prints how long calls take.
//! #[derive(Debug)]
//! struct Printer;
//!
//! impl Metrics for Printer {
//!     fn record(&self, measurement: &Measurement<'_>) {
//!         if let Measurement::Call { labels, took, error, .. } = measurement {
//!             println!("{} {took:?} {}", labels.operation, error.unwrap_or("ok"));
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = mock_server::MockServer::start().await?;
//! # let (key, base_url) = (server.api_key().to_owned(), server.base_url());
//! let client = Client::builder().api_key(key).base_url(base_url).metrics(Printer).build()?;
//! client.messages().create(&MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is measured where, and under which names it is exported, is in `docs/metrics.md`.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use http::StatusCode;

mod current;
mod instruments;
mod labels;
mod meter;
mod models;
mod operation;
#[cfg(any(feature = "metrics", feature = "otel"))]
mod points;
#[cfg(any(feature = "metrics", feature = "otel"))]
mod prepared;
mod renewals;
#[cfg(any(feature = "metrics", feature = "otel"))]
mod series;
#[cfg(any(feature = "metrics", feature = "otel"))]
pub mod sinks;

pub(crate) use current::Call;
pub use instruments::{INSTRUMENTS, Instrument};
pub use labels::Labels;
pub(crate) use meter::{Kind, Measured, Meter, Meters};
pub(crate) use operation::operation;
pub(crate) use renewals::Renewals;

/// Takes in what a client measures; swap in your own to send it anywhere.
///
/// It is called in the midst of calls, by many tasks at once: it must be quick and must not block.
///
/// Example: [`metrics`](crate::metrics).
pub trait Metrics: fmt::Debug + Send + Sync + 'static {
    /// Takes note of `measurement`.
    fn record(&self, measurement: &Measurement<'_>);
}

impl<T: Metrics + ?Sized> Metrics for Arc<T> {
    fn record(&self, measurement: &Measurement<'_>) {
        (**self).record(measurement);
    }
}

/// Tells `metrics`, which are somebody else's code: where they panic they have not heard, and no call, renewal or destructor
/// notices.
fn tell(metrics: &dyn Metrics, measurement: &Measurement<'_>) {
    if catch_unwind(AssertUnwindSafe(|| metrics.record(measurement))).is_err() {
        tracing::error!("the metrics panicked; mend them, their message is on standard error");
    }
}

/// One thing that was measured.
///
/// Errors and reasons are words of which there are few, such as `rate_limit_error`, `timeout` or `dns`: the API's own
/// names of errors, and for failures without an answer what went wrong.
///
/// Example: [`metrics`](crate::metrics).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Measurement<'a> {
    /// A call is over: once for each, however it ended. A stream is over when it has been read to its end.
    Call {
        /// Which call it was.
        labels: &'a Labels,
        /// From its beginning, waits and retries included.
        took: Duration,
        /// What it failed with; `cancelled` where its future or its stream was dropped.
        error: Option<&'static str>,
        /// The status of its last answer, where there was one.
        status: Option<StatusCode>,
        /// What a message has used, or a part of one that was cut short.
        used: Option<Tokens>,
        /// Of a stream that went well the output tokens over the time from its first content to its end, as fast as it was
        /// read; not where that took no time.
        tokens_per_second: Option<f64>,
    },
    /// The head of an attempt's answer has come.
    Headers {
        /// Which call it was.
        labels: &'a Labels,
        /// From when the attempt was sent, after the wait for a permit and a credential. A call that has waited for nothing
        /// is sent when it begins.
        took: Duration,
        /// The answer's status.
        status: StatusCode,
    },
    /// The first content of a stream has come.
    FirstToken {
        /// Which call it was.
        labels: &'a Labels,
        /// From the call's beginning, waits and retries included.
        took: Duration,
    },
    /// A call is sent again.
    Retry {
        /// Which call it was.
        labels: &'a Labels,
        /// What the attempt before came to.
        reason: &'static str,
    },
    /// An attempt was answered with a 429, or with a stream that begins with one.
    RateLimited {
        /// Which call it was.
        labels: &'a Labels,
    },
    /// A permit of the client's own limiter was not to be had at once.
    LimiterWait {
        /// Which call it was.
        labels: &'a Labels,
        /// How long it took, whether or not there was one in the end.
        took: Duration,
    },
    /// A credential was renewed, or got for the first time; or that failed.
    Refresh {
        /// What it failed with: `invalid_grant` and `no_answer` where a person has to log in again, else `failed`.
        error: Option<&'static str>,
    },
}

#[cfg(any(feature = "metrics", feature = "otel"))]
impl<'a> Measurement<'a> {
    fn labels(&self) -> Option<&'a Labels> {
        match *self {
            Self::Call { labels, .. }
            | Self::Headers { labels, .. }
            | Self::FirstToken { labels, .. }
            | Self::Retry { labels, .. }
            | Self::RateLimited { labels }
            | Self::LimiterWait { labels, .. } => Some(labels),
            Self::Refresh { .. } => None,
        }
    }
}

/// How many tokens a message has used.
///
/// Example: [`metrics`](crate::metrics).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tokens {
    /// Read, and neither written to nor read from the cache.
    pub input: u64,
    /// Generated.
    pub output: u64,
    /// Written to the cache.
    pub cache_write: u64,
    /// Read from the cache.
    pub cache_read: u64,
}

impl Tokens {
    /// All of the input, whether or not the cache had a part in it.
    #[must_use]
    pub fn all_input(&self) -> u64 {
        self.input.saturating_add(self.cache_write).saturating_add(self.cache_read)
    }
}
