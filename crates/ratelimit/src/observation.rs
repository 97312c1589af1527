//! What a server said about its limits.

use std::time::Duration;

/// What a server said about its limits in one reply.
///
/// All of it is optional: servers leave things out. Times are durations from the moment the reply was read, so no
/// clock has to agree with the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The window that counts requests.
    pub requests: Option<Window>,
    /// The window that counts tokens sent.
    pub input_tokens: Option<Window>,
    /// The window that counts tokens received.
    pub output_tokens: Option<Window>,
    /// How long the server asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The server did not do the work because it has too much to do, or because somebody asks too much of it.
    pub is_refused: bool,
    /// How long the reply took.
    pub took: Option<Duration>,
    /// The [number](crate::Permit::number) of the permit that the reply is to: replies overtake each other, and what was
    /// asked for later is the newer word. Without it, a limiter takes the word for an old one.
    pub permit: Option<u64>,
}

impl Observation {
    /// Sets the window that counts requests.
    #[must_use]
    pub const fn with_requests(self, window: Window) -> Self {
        Self { requests: Some(window), ..self }
    }

    /// Sets the window that counts tokens sent.
    #[must_use]
    pub const fn with_input_tokens(self, window: Window) -> Self {
        Self { input_tokens: Some(window), ..self }
    }

    /// Sets the window that counts tokens received.
    #[must_use]
    pub const fn with_output_tokens(self, window: Window) -> Self {
        Self { output_tokens: Some(window), ..self }
    }

    /// Sets how long the server asked to be left alone.
    #[must_use]
    pub const fn with_retry_after(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// Sets whether the server refused for too much work.
    #[must_use]
    pub const fn with_refusal(self, is_refused: bool) -> Self {
        Self { is_refused, ..self }
    }

    /// Sets how long the reply took, where that is known.
    #[must_use]
    pub const fn with_time_taken(self, took: Option<Duration>) -> Self {
        Self { took, ..self }
    }

    /// Sets the number of the permit that the reply is to, where there is one.
    #[must_use]
    pub const fn with_permit(self, permit: Option<u64>) -> Self {
        Self { permit, ..self }
    }

    /// The windows, in the order of [`Dimension::ALL`](crate::Dimension::ALL).
    pub(crate) const fn windows(&self) -> [Option<Window>; 3] {
        [self.requests, self.input_tokens, self.output_tokens]
    }
}

/// One limit of the server, as it stood at one reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// How much the window holds when it is full.
    pub limit: Option<u64>,
    /// How much of it is left.
    pub remaining: Option<u64>,
    /// When it is full again, from now on; a time that had already passed is left out.
    pub reset_after: Option<Duration>,
}

impl Window {
    /// Sets how much the window holds when it is full.
    #[must_use]
    pub const fn with_limit(self, limit: u64) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Sets how much of the window is left.
    #[must_use]
    pub const fn with_remaining(self, remaining: u64) -> Self {
        Self { remaining: Some(remaining), ..self }
    }

    /// Sets when the window is full again, from now on.
    #[must_use]
    pub const fn with_reset_after(self, reset_after: Duration) -> Self {
        Self { reset_after: Some(reset_after), ..self }
    }
}
