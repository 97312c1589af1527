//! How a stream can fail to be a message.

use std::fmt;

use crate::types::Message;

/// An event came that cannot follow the ones before it: the stream is not to be trusted any further.
///
/// Example: [`Accumulator`](crate::stream::Accumulator).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A message began inside another.
    #[error("a second message began in the stream")]
    SecondStart,
    /// Something came before the beginning of the message.
    #[error("an event of a message came before the message began")]
    NotStarted,
    /// A block began at a place that is not the next.
    #[error("block {index} began where block {expected} was to come")]
    OutOfOrder {
        /// The place given.
        index: usize,
        /// The next place.
        expected: usize,
    },
    /// Something was added to a block that had not begun.
    #[error("an event belongs to block {index}, which has not begun")]
    UnknownBlock {
        /// The place given.
        index: usize,
    },
    /// Something was added to a block that was complete.
    #[error("an event belongs to block {index}, which is complete")]
    ClosedBlock {
        /// The place given.
        index: usize,
    },
    /// Something was added to a block that has no place for it.
    #[error("block {index} cannot take a `{delta}`")]
    Mismatch {
        /// The place given.
        index: usize,
        /// The type of the delta.
        delta: String,
    },
}

/// The stream ended before the message did.
///
/// Example: [`Accumulator`](crate::stream::Accumulator).
#[derive(Clone, PartialEq, thiserror::Error)]
#[error("the stream ended before the message did; what arrived is in `partial`")]
#[non_exhaustive]
pub struct Truncated {
    /// What had arrived, usage included; `None` if the message had not begun.
    ///
    /// The arguments of a tool call that was cut are text: see
    /// [`ToolUseBlock::incomplete_input`](crate::types::ToolUseBlock::incomplete_input).
    pub partial: Option<Message>,
}

/// Names the message without its content, which does not belong into logs.
impl fmt::Debug for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partial = self.partial.as_ref().map(|message| &message.id);
        f.debug_struct("Truncated").field("partial", &partial).finish_non_exhaustive()
    }
}
