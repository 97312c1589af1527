//! What the service says about its rate limits, in the headers of each answer.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use ratelimit::{Observation, Window};
use serde::Serialize;

use crate::instant;

mod classes;
mod organization;
mod reported;

pub use classes::ModelClasses;
pub use organization::OrganizationLimits;

pub(crate) use reported::Reported;

const PREFIX: &str = "anthropic-ratelimit-";

/// The limits an answer reported (API documentation: rate limits, response headers).
///
/// A `None` was not reported. The instants of the wire are turned into waits at the time the answer came.
///
/// ```
/// use claude_sdk::{Client, types::{MessageRequest, Model}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// client.messages().create(&MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("Hello!")).await?;
/// let requests = client.limits().requests;
/// println!("{:?} of {:?} requests are left; all of them in {:?}", requests.remaining, requests.limit, requests.reset_after);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RateLimits {
    /// Requests per minute.
    pub requests: Limit,
    /// Input and output tokens together, by the most restrictive limit in force.
    pub tokens: Limit,
    /// Uncached input tokens per minute.
    pub input_tokens: Limit,
    /// Output tokens per minute.
    pub output_tokens: Limit,
}

/// One limit of [`RateLimits`].
///
/// Example: [`RateLimits`](crate::RateLimits).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Limit {
    /// How much the limit allows in all.
    pub limit: Option<u64>,
    /// How much of it is left.
    pub remaining: Option<u64>,
    /// How long until it is whole again; zero where that instant has passed.
    #[serde(rename = "reset_after_seconds", serialize_with = "seconds")]
    pub reset_after: Option<Duration>,
}

impl RateLimits {
    /// Reads the `anthropic-ratelimit-*` headers of an answer that came at `now`; unreadable values count as absent.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, now: SystemTime) -> Self {
        let mut limits = Self::default();
        // One look at each header: asking for twelve names costs more than a whole call without them.
        for (name, value) in headers {
            let name = name.as_str().strip_prefix(PREFIX);
            if let (Some(name), Ok(text)) = (name, value.to_str()) {
                limits.set(name, text.trim(), now);
            }
        }
        limits
    }

    /// Takes over what the header of this name says, its prefix left out, in an answer that came at `now`.
    fn set(&mut self, name: &str, text: &str, now: SystemTime) {
        let Some((dimension, what)) = name.rsplit_once('-') else { return };
        let limit = match dimension {
            "requests" => &mut self.requests,
            "tokens" => &mut self.tokens,
            "input-tokens" => &mut self.input_tokens,
            "output-tokens" => &mut self.output_tokens,
            _ => return,
        };
        match what {
            "limit" => limit.limit = text.parse().ok(),
            "remaining" => limit.remaining = text.parse().ok(),
            "reset" => {
                limit.reset_after =
                    instant::read(text).map(|at| at.duration_since(now).unwrap_or(Duration::ZERO));
            }
            _ => {}
        }
    }

    /// Whether the answer reported nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn observation(&self, retry_after: Option<Duration>, permit: Option<u64>) -> Observation {
        let mut seen = Observation::default().with_permit(permit);
        seen.requests = self.requests.window();
        seen.input_tokens = self.input_tokens.window();
        seen.output_tokens = self.output_tokens.window();
        seen.retry_after = retry_after;
        seen
    }
}

impl Limit {
    fn window(self) -> Option<Window> {
        if self == Self::default() {
            return None;
        }
        let mut window = Window::default();
        window.limit = self.limit;
        window.remaining = self.remaining;
        window.reset_after = self.reset_after;
        Some(window)
    }
}

fn seconds<S: serde::Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn reported_limits_are_read_and_instants_become_waits() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_798_761_600);
        let limits = RateLimits::from_headers(
            &headers(&[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2027-01-01T00:00:30Z"),
                ("anthropic-ratelimit-output-tokens-reset", "2026-01-01T00:00:00+01:00"),
            ]),
            now,
        );
        let requests =
            Limit { limit: Some(50), remaining: Some(49), reset_after: Some(Duration::from_secs(30)) };
        assert_eq!(limits.requests, requests);
        assert_eq!(limits.output_tokens.reset_after, Some(Duration::ZERO), "a past instant is no wait");
        assert_eq!(limits.tokens, Limit::default());
    }

    #[test]
    fn unreadable_headers_count_as_absent() {
        let limits = RateLimits::from_headers(
            &headers(&[
                ("anthropic-ratelimit-requests-limit", "many"),
                ("anthropic-ratelimit-requests-reset", "soon"),
                ("anthropic-ratelimit-requests-remaining", "-1"),
            ]),
            SystemTime::UNIX_EPOCH,
        );
        assert!(limits.is_empty());
    }
}
