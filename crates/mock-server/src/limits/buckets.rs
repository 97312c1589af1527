//! What one holder may do with one class of models.

use std::time::Duration;

use super::bucket::Bucket;
use super::{Limits, Refused};

/// A bucket for each thing that is counted by the minute.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) requests: Bucket,
    pub(super) input: Bucket,
    pub(super) output: Bucket,
}

/// How full a bucket is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) per_minute: u32,
    pub(super) remaining: u64,
    pub(super) until_full: Duration,
    /// The share of it that is full.
    pub(super) share: i128,
}

impl Buckets {
    pub(super) fn new(rule: &Limits) -> Self {
        let even = |count: Option<u32>| {
            let count = count.unwrap_or(u32::MAX);
            Bucket::new(count, count)
        };
        let requests = rule.requests.unwrap_or(u32::MAX);
        Self {
            requests: Bucket::new(requests, rule.burst.unwrap_or(requests)),
            input: even(rule.input),
            output: even(rule.output),
        }
    }

    pub(super) fn check(&mut self, now: Duration, input_tokens: u64) -> Result<(), Refused> {
        // Output is counted when it is known, so the bucket may be in debt: it has to be out of it first.
        let needs = [
            ("requests", &mut self.requests, 1),
            ("input tokens", &mut self.input, input_tokens),
            ("output tokens", &mut self.output, 1),
        ];
        for (name, bucket, needed) in needs {
            let wait = bucket.wait_for(now, needed);
            if !wait.is_zero() {
                let per_minute = bucket.per_minute;
                let message = format!(
                    "the limit of {per_minute} {name} a minute is reached: wait as long as retry-after says"
                );
                return Err(Refused { message, wait: Some(wait), code: None });
            }
        }
        Ok(())
    }

    /// How full they are: of requests, input and output.
    pub(super) fn levels(&mut self, now: Duration) -> [Level; 3] {
        [&mut self.requests, &mut self.input, &mut self.output].map(|bucket| {
            bucket.refill(now);
            Level {
                per_minute: bucket.per_minute,
                remaining: bucket.remaining(),
                until_full: bucket.until_full(),
                share: bucket.full_share(),
            }
        })
    }
}

impl Level {
    /// The one of two in which less is left.
    pub(super) fn tighter(self, other: Self) -> Self {
        let left = |level: &Self| (level.remaining, level.per_minute);
        if left(&other) < left(&self) { other } else { self }
    }
}
