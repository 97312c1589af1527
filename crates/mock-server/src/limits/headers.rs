//! The headers by which a reply tells the state of the limits.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

use super::buckets::Level;
use crate::time::{Clock, Dates, rfc3339, rounded_up};

/// Limit, remaining and reset of: requests, the tighter kind of token, input tokens, output tokens.
const HEADERS: [[HeaderName; 3]; 4] = [
    [
        HeaderName::from_static("anthropic-ratelimit-requests-limit"),
        HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
        HeaderName::from_static("anthropic-ratelimit-requests-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-tokens-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-input-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-input-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-input-tokens-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-output-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-output-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-output-tokens-reset"),
    ],
];

/// Writes the twelve headers for requests, input and output.
pub(super) fn write(
    [requests, input, output]: [Level; 3],
    now: Duration,
    clock: &Clock,
    dates: &mut Dates,
    headers: &mut HeaderMap,
) {
    let tightest = if input.share <= output.share { input } else { output };
    headers.reserve(24);
    for ([limit, remaining, reset], level) in HEADERS.iter().zip([requests, tightest, input, output]) {
        headers.insert(limit, level.per_minute.into());
        headers.insert(remaining, level.remaining.into());
        let full_at = clock.wall(now.saturating_add(level.until_full));
        if let Some(full_at) = dates.header(rounded_up(full_at), || rfc3339(full_at)) {
            headers.insert(reset, full_at);
        }
    }
}
