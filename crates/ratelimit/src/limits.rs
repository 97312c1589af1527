//! What may be spent.

/// What may be spent in a minute, and how much may go on at once.
///
/// A dimension that is left out is not limited, or by what the server says of it, where a limiter listens to that.
///
/// ```
/// use ratelimit::{Limits, Rate};
///
/// let limits = Limits::default()
///     .with_requests(Rate::per_minute(50).with_burst(5))
///     .with_input_tokens(30_000)
///     .with_output_tokens(8_000)
///     .with_concurrency(10);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many requests.
    pub requests: Option<Rate>,
    /// How many tokens may be sent.
    pub input_tokens: Option<Rate>,
    /// How many tokens may be received.
    pub output_tokens: Option<Rate>,
    /// How many permits may be out at once; none counts as one.
    pub concurrency: Option<u32>,
}

impl Limits {
    /// Sets how many requests there may be.
    #[must_use]
    pub fn with_requests(self, rate: impl Into<Rate>) -> Self {
        Self { requests: Some(rate.into()), ..self }
    }

    /// Sets how many tokens may be sent.
    #[must_use]
    pub fn with_input_tokens(self, rate: impl Into<Rate>) -> Self {
        Self { input_tokens: Some(rate.into()), ..self }
    }

    /// Sets how many tokens may be received.
    #[must_use]
    pub fn with_output_tokens(self, rate: impl Into<Rate>) -> Self {
        Self { output_tokens: Some(rate.into()), ..self }
    }

    /// Sets how many permits may be out at once; at least one.
    #[must_use]
    #[inline]
    pub fn with_concurrency(self, most: u32) -> Self {
        Self { concurrency: Some(most.max(1)), ..self }
    }

    /// How many permits may be out at once, which is at least one.
    #[inline]
    pub(crate) fn seats(&self) -> Option<u32> {
        self.concurrency.map(|most| most.max(1))
    }

    /// The rates, in the order of [`Dimension::ALL`](crate::Dimension::ALL).
    pub(crate) const fn rates(&self) -> [Option<Rate>; 3] {
        [self.requests, self.input_tokens, self.output_tokens]
    }
}

/// So much a minute, and so much at once after a quiet time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_minute: u64,
    burst: u64,
}

impl Rate {
    /// Makes a rate whose whole minute's worth may come at once.
    #[must_use]
    pub const fn per_minute(amount: u64) -> Self {
        Self { per_minute: amount, burst: amount }
    }

    /// Sets how much may come at once.
    #[must_use]
    pub const fn with_burst(self, burst: u64) -> Self {
        Self { burst, ..self }
    }

    /// How much comes back each minute.
    #[must_use]
    pub const fn amount(self) -> u64 {
        self.per_minute
    }

    /// How much may come at once.
    #[must_use]
    pub const fn burst(self) -> u64 {
        self.burst
    }

    /// The lesser of both, in rate and in burst.
    #[inline]
    pub(crate) fn and(self, other: Self) -> Self {
        Self { per_minute: self.per_minute.min(other.per_minute), burst: self.burst.min(other.burst) }
    }
}

impl From<u64> for Rate {
    #[inline]
    fn from(amount: u64) -> Self {
        Self::per_minute(amount)
    }
}
