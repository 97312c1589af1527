use std::fmt;

use crate::types::Message;

use super::{Envelope, JsonError};

/// A whole message that is not of the type asked for. It was made and billed, and is inside.
///
/// Example: [`Error`](crate::Error).
pub struct OutputError {
    problem: OutputProblem,
    source: Option<JsonError>,
    message: Box<Message>,
    envelope: Envelope,
}

/// What is wrong with a message that should be of a type.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputProblem {
    /// The model declined to answer.
    Refused,
    /// The message ends before the value does: `max_tokens` or the context window was used up.
    Cut,
    /// There is no text in it; the model may want a tool called.
    Missing,
    /// The text is no JSON, or not of the type.
    Invalid {
        /// Where in the value, such as `items[2].price`; empty for the value itself.
        path: String,
    },
}

impl OutputError {
    pub(crate) fn new(problem: OutputProblem, message: Message, envelope: Envelope) -> Self {
        Self { problem, source: None, message: Box::new(message), envelope }
    }

    pub(crate) fn because(self, source: Option<JsonError>) -> Self {
        Self { source, ..self }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &OutputProblem {
        &self.problem
    }

    /// The message as it came, usage included.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message as it came, to keep.
    #[must_use]
    pub fn into_message(self) -> Message {
        *self.message
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.envelope.request_id()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.envelope.attempts
    }
}

/// Names the message without its content, which does not belong into logs.
impl fmt::Debug for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputError")
            .field("problem", &self.problem)
            .field("source", &self.source)
            .field("message", &self.message.id)
            .field("envelope", &self.envelope)
            .finish()
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            OutputProblem::Refused => {
                f.write_str("the model declined to answer; its message is in `message()`, ask otherwise")?;
            }
            OutputProblem::Cut => f.write_str(
                "the reply ends before its value does; raise `max_tokens`, what there is of it is in `message()`",
            )?,
            OutputProblem::Missing => {
                f.write_str("the reply has no text to read a value from; its message is in `message()`")?;
            }
            OutputProblem::Invalid { path } if path.is_empty() => {
                f.write_str("the reply is not of the type asked for; its message is in `message()`")?;
            }
            OutputProblem::Invalid { path } => {
                write!(f, "the reply is not of the type asked for at `{path}`; its message is in `message()`")?;
            }
        }
        write!(f, "{}", self.envelope)
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
