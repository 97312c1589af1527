//! What is not as it should be in a stream that is a message all the same.

use std::fmt;

/// Something in a stream that is kept as it came, because it is not what it should be.
///
/// ```
/// use claude_sdk::stream::{Accumulator, Event};
///
/// let events = [
///     ("message_start", r#"{"message": {"id": "msg_1", "role": "assistant", "model": "m", "content": [],
///         "usage": {"input_tokens": 3, "output_tokens": 1}}}"#),
///     ("content_block_start", r#"{"index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "n", "input": {}}}"#),
///     ("content_block_delta", r#"{"index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"a\": oops"}}"#),
///     ("content_block_stop", r#"{"index": 0}"#),
/// ];
/// let mut message = Accumulator::new();
/// for (name, data) in events {
///     message.push(&Event::parse(name, data)?)?;
/// }
/// assert_eq!(message.oddities()[0].to_string(), "the arguments of the call in block 0 are no JSON; they are kept as text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// The arguments of a call are no JSON, or not all of it: its `input` is the text.
    #[non_exhaustive]
    Input {
        /// The place of the block in the message.
        index: usize,
    },
    /// A block is of a type that is known here and not of its shape: it is kept as it came, and nothing of it is read.
    #[non_exhaustive]
    Block {
        /// What does not fit, such as "`content[0].text` is a number, not a string".
        misfit: String,
    },
    /// What was to be added to a block is not known here, or not of its shape: it is left out. Of a block the first is noted.
    #[non_exhaustive]
    Delta {
        /// The place of the block in the message.
        index: usize,
        /// What does not fit, such as "`delta.text` is a number, not a string".
        misfit: String,
    },
    /// What the message has cost was told in another shape than expected; what was told before stays.
    #[non_exhaustive]
    Usage {
        /// The member of `usage`; `None` where it is `usage` itself.
        member: Option<&'static str>,
    },
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { index } => {
                write!(f, "the arguments of the call in block {index} are no JSON; they are kept as text")
            }
            Self::Block { misfit } => write!(f, "{misfit}; the block is kept as it came, unread"),
            Self::Delta { index, misfit } => {
                write!(f, "something for block {index} was left out: {misfit}")
            }
            Self::Usage { member } => {
                let dot = if member.is_some() { "." } else { "" };
                let member = member.unwrap_or_default();
                write!(
                    f,
                    "`usage{dot}{member}` has another shape than expected; what was counted before stays"
                )
            }
        }
    }
}
