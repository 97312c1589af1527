//! Token buckets in the manner of the API's rate limits: they are enforced, and every reply tells their state.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::time::{Clock, rfc3339};

/// A minute in nanoseconds, which is also how many units one token counts: a bucket of `n` a minute then
/// gains `n` units each nanosecond, and no rounding ever happens.
const MINUTE: i128 = 60_000_000_000;

/// Limit, remaining and reset of: requests, the tighter kind of token, input tokens, output tokens.
const HEADERS: [[&str; 3]; 4] = [
    [
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ],
    [
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
    ],
    [
        "anthropic-ratelimit-input-tokens-limit",
        "anthropic-ratelimit-input-tokens-remaining",
        "anthropic-ratelimit-input-tokens-reset",
    ],
    [
        "anthropic-ratelimit-output-tokens-limit",
        "anthropic-ratelimit-output-tokens-remaining",
        "anthropic-ratelimit-output-tokens-reset",
    ],
];

/// The limits in force for the organisation.
#[derive(Debug)]
pub(crate) struct Limits {
    requests: Bucket,
    input_tokens: Bucket,
    output_tokens: Bucket,
}

/// Why a request may not pass yet, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) message: String,
    pub(crate) wait: Duration,
}

impl Limits {
    /// Full buckets, by what they gain each minute. That of requests may hold less than a minute's worth.
    pub(crate) fn new(requests: (u32, Option<u32>), input_tokens: u32, output_tokens: u32) -> Self {
        let (requests, burst) = requests;
        Self {
            requests: Bucket::new(requests, burst.unwrap_or(requests)),
            input_tokens: Bucket::new(input_tokens, input_tokens),
            output_tokens: Bucket::new(output_tokens, output_tokens),
        }
    }

    /// Takes one request and its input tokens, or nothing at all.
    pub(crate) fn admit(&mut self, now: Duration, input_tokens: u64) -> Result<(), Refused> {
        // Output is counted when it is known, so the bucket may be in debt: it has to be out of it first.
        let needs = [
            ("requests", &mut self.requests, 1),
            ("input tokens", &mut self.input_tokens, input_tokens),
            ("output tokens", &mut self.output_tokens, 1),
        ];
        for (name, bucket, needed) in needs {
            let wait = bucket.wait_for(now, needed);
            if !wait.is_zero() {
                let per_minute = bucket.per_minute;
                let message = format!(
                    "the limit of {per_minute} {name} a minute is reached: wait as long as retry-after says"
                );
                return Err(Refused { message, wait });
            }
        }
        self.requests.take(1);
        self.input_tokens.take(input_tokens);
        Ok(())
    }

    /// Counts what was generated.
    pub(crate) fn spend_output(&mut self, tokens: u64) {
        self.output_tokens.take(tokens);
    }

    /// Writes the twelve headers that tell limits, what is left, and when each bucket is full again.
    pub(crate) fn write(&mut self, now: Duration, clock: &Clock, headers: &mut HeaderMap) {
        for bucket in [&mut self.requests, &mut self.input_tokens, &mut self.output_tokens] {
            bucket.refill(now);
        }
        let (input, output) = (&self.input_tokens, &self.output_tokens);
        let tightest = if input.full_share() <= output.full_share() { input } else { output };
        for ([limit, remaining, reset], bucket) in
            HEADERS.into_iter().zip([&self.requests, tightest, input, output])
        {
            headers.insert(limit, bucket.per_minute.into());
            headers.insert(remaining, bucket.remaining().into());
            let full_at = rfc3339(clock.wall(now.saturating_add(bucket.until_full())));
            if let Ok(full_at) = HeaderValue::try_from(full_at) {
                headers.insert(reset, full_at);
            }
        }
    }
}

/// A bucket that starts full and refills evenly.
#[derive(Debug)]
struct Bucket {
    per_minute: u32,
    /// How many tokens it holds.
    burst: u32,
    /// What is in it, in units of which a token has [`MINUTE`]. Negative: in debt.
    level: i128,
    at: Duration,
}

impl Bucket {
    fn new(per_minute: u32, burst: u32) -> Self {
        let (per_minute, burst) = (per_minute.max(1), burst.max(1));
        Self { per_minute, burst, level: i128::from(burst) * MINUTE, at: Duration::ZERO }
    }

    fn capacity(&self) -> i128 {
        i128::from(self.burst) * MINUTE
    }

    fn refill(&mut self, now: Duration) {
        let passed = i128::try_from(now.saturating_sub(self.at).as_nanos()).unwrap_or(i128::MAX);
        let gained = passed.saturating_mul(i128::from(self.per_minute));
        self.level = self.level.saturating_add(gained).min(self.capacity());
        self.at = self.at.max(now);
    }

    /// How long until `tokens` are there, or until the bucket is full where it can never hold as many.
    fn wait_for(&mut self, now: Duration, tokens: u64) -> Duration {
        self.refill(now);
        let needed = i128::from(tokens) * MINUTE;
        if needed > self.capacity() {
            return self.until(self.capacity()).max(Duration::from_secs(1));
        }
        self.until(needed)
    }

    fn until_full(&self) -> Duration {
        self.until(self.capacity())
    }

    fn until(&self, level: i128) -> Duration {
        let missing = (level - self.level).max(0);
        let per_nano = i128::from(self.per_minute);
        let nanos = missing / per_nano + i128::from(missing % per_nano > 0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn take(&mut self, tokens: u64) {
        self.level = self.level.saturating_sub(i128::from(tokens) * MINUTE);
    }

    fn remaining(&self) -> u64 {
        u64::try_from(self.level.max(0) / MINUTE).unwrap_or(u64::MAX)
    }

    /// How full it is, in millionths.
    fn full_share(&self) -> i128 {
        self.level.saturating_mul(1_000_000) / self.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_request_passes_again_exactly_when_the_wait_is_over() {
        let mut limits = Limits::new((7, None), 1000, 1000);
        for _ in 0..7 {
            limits.admit(NOW, 0).unwrap();
        }
        let wait = limits.admit(NOW, 0).unwrap_err().wait;
        assert!(limits.admit(wait - Duration::from_nanos(1), 0).is_err());
        limits.admit(wait, 0).unwrap();
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let mut limits = Limits::new((10, None), 5, 1000);
        assert!(limits.admit(NOW, 6).unwrap_err().message.contains("input tokens"));
        assert_eq!(limits.requests.remaining(), 10);
        limits.admit(NOW, 5).unwrap();
    }

    #[test]
    fn output_in_debt_holds_the_next_request_back() {
        let mut limits = Limits::new((1000, None), 1000, 60);
        limits.admit(NOW, 1).unwrap();
        limits.spend_output(90);
        let refused = limits.admit(NOW, 1).unwrap_err();
        assert_eq!(refused.wait, Duration::from_secs(31));
    }

    #[test]
    fn a_bucket_never_holds_more_than_a_minute() {
        let mut bucket = Bucket::new(3, 3);
        bucket.refill(Duration::MAX);
        assert_eq!(bucket.remaining(), 3);
        assert_eq!(bucket.until_full(), Duration::ZERO);
    }

    #[test]
    fn a_burst_is_what_comes_at_once_and_the_rate_is_the_same() {
        let mut limits = Limits::new((600, Some(2)), 1000, 1000);
        limits.admit(NOW, 0).unwrap();
        limits.admit(NOW, 0).unwrap();
        assert_eq!(limits.admit(NOW, 0).unwrap_err().wait, Duration::from_millis(100));
        limits.admit(Duration::from_millis(100), 0).unwrap();
    }

    #[test]
    fn time_that_goes_back_refills_nothing() {
        let mut bucket = Bucket::new(60, 60);
        bucket.refill(Duration::from_secs(10));
        bucket.take(60);
        bucket.refill(Duration::from_secs(1));
        assert_eq!(bucket.remaining(), 0);
        bucket.refill(Duration::from_secs(11));
        assert_eq!(bucket.remaining(), 1);
    }
}
