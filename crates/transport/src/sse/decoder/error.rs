//! What a decoder refuses.

/// A line or an event that is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A line has no end within the limit, which [`Decoder::max_line`](super::Decoder::max_line) sets.
    #[error("a line of the event stream is longer than {limit} bytes; check what sends it")]
    LineTooLong {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
    /// The data of one event adds up to more than the limit, which [`Decoder::max_event`](super::Decoder::max_event)
    /// sets.
    #[error("an event of the stream is larger than {limit} bytes; check what sends it")]
    EventTooLarge {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
}

/// How large lines and events may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) line: usize,
    pub(super) event: usize,
}
