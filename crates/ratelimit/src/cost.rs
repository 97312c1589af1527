//! What a piece of work costs, and the dimensions it is counted in.

use std::fmt;

/// What a piece of work costs, in each dimension a limit may be set on.
///
/// Before the work it is an estimate, afterwards ([`Permit::settle`](crate::Permit::settle)) the truth. A
/// limiter ignores the dimensions it does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Cost {
    /// Requests, usually one.
    pub requests: u32,
    /// Tokens that are sent.
    pub input_tokens: u64,
    /// Tokens that are received.
    pub output_tokens: u64,
}

impl Cost {
    /// Makes a cost of `requests` requests and no tokens.
    #[must_use]
    pub const fn requests(requests: u32) -> Self {
        Self { requests, input_tokens: 0, output_tokens: 0 }
    }

    /// Sets the tokens that are sent.
    #[must_use]
    pub const fn with_input_tokens(self, input_tokens: u64) -> Self {
        Self { input_tokens, ..self }
    }

    /// Sets the tokens that are received.
    #[must_use]
    pub const fn with_output_tokens(self, output_tokens: u64) -> Self {
        Self { output_tokens, ..self }
    }

    /// The amounts, in the order of [`Dimension::ALL`].
    pub(crate) fn amounts(&self) -> [u64; 3] {
        [self.requests.into(), self.input_tokens, self.output_tokens]
    }
}

/// One of the things a limit is set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// [`Cost::requests`].
    Requests,
    /// [`Cost::input_tokens`].
    InputTokens,
    /// [`Cost::output_tokens`].
    OutputTokens,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 3] = [Self::Requests, Self::InputTokens, Self::OutputTokens];
}

/// The plural noun, as an error message wants it.
impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
            Self::InputTokens => "input tokens",
            Self::OutputTokens => "output tokens",
        })
    }
}
