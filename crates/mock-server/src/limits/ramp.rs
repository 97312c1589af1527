//! How fast the rate of requests grows.

use std::time::Duration;

use super::Refused;

/// How long the spans are in which an acceleration is seen.
const SPAN: Duration = Duration::from_secs(10);

/// The requests of a span and of the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ramp {
    span: u128,
    count: u32,
    before: u32,
}

impl Ramp {
    /// After one more request, if a span does not have more than `most` beyond twice the one before.
    pub(super) fn and_one(self, now: Duration, most: Option<u32>) -> Result<Self, Refused> {
        let span = now.as_nanos() / SPAN.as_nanos();
        let (count, before) = match span.saturating_sub(self.span) {
            0 => (self.count, self.before),
            1 => (0, self.count),
            _ => (0, 0),
        };
        if most.is_some_and(|most| count >= before.saturating_mul(2).saturating_add(most)) {
            let into = u64::try_from(now.as_nanos() % SPAN.as_nanos()).unwrap_or_default();
            return Err(Refused {
                message: "the rate grows too fast: grow it step by step".to_owned(),
                wait: Some(SPAN.saturating_sub(Duration::from_nanos(into))),
                code: Some("ramp_limit_exceeded"),
            });
        }
        Ok(Self { span, count: count.saturating_add(1), before })
    }
}
