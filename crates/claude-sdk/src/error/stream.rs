use std::fmt;

use crate::{apart::Apart, stream::ProtocolError, types::Message};

use super::{ApiError, Envelope, JsonError};

/// A stream that began and did not end as it should.
///
/// Example: [`MessageStream`](crate::MessageStream).
pub struct StreamError {
    kind: Kind,
    partial: Option<Apart<Message>>,
    envelope: Envelope,
}

#[derive(Debug)]
enum Kind {
    Truncated,
    Api(Box<ApiError>),
    Protocol(ProtocolError),
    Json(JsonError),
    Transport(transport::Error),
}

impl StreamError {
    pub(crate) fn truncated(partial: Option<Message>, envelope: Envelope) -> Self {
        Self { kind: Kind::Truncated, partial: partial.map(apart), envelope }
    }

    pub(crate) fn api(error: ApiError, partial: Option<Message>, envelope: Envelope) -> Self {
        Self { kind: Kind::Api(Box::new(error)), partial: partial.map(apart), envelope }
    }

    pub(crate) fn protocol(error: ProtocolError, partial: Option<Message>, envelope: Envelope) -> Self {
        Self { kind: Kind::Protocol(error), partial: partial.map(apart), envelope }
    }

    pub(crate) fn json(error: &serde_json::Error, partial: Option<Message>, envelope: Envelope) -> Self {
        Self { kind: Kind::Json(error.into()), partial: partial.map(apart), envelope }
    }

    pub(crate) fn transport(error: transport::Error, partial: Option<Message>, envelope: Envelope) -> Self {
        Self { kind: Kind::Transport(error), partial: partial.map(apart), envelope }
    }

    /// What had arrived when the stream broke, usage included; it is not the whole message.
    #[must_use]
    pub fn partial(&self) -> Option<&Message> {
        self.partial.as_deref()
    }

    /// Whether the stream ended, cleanly or not, before its `message_stop`.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        match &self.kind {
            Kind::Truncated => true,
            Kind::Transport(error) => error.kind() != transport::ErrorKind::Protocol,
            Kind::Api(_) | Kind::Protocol(_) | Kind::Json(_) => false,
        }
    }

    /// The `error` event that ended the stream, where one did.
    #[must_use]
    pub fn api_error(&self) -> Option<&ApiError> {
        match &self.kind {
            Kind::Api(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn is_retryable(&self) -> bool {
        match &self.kind {
            Kind::Truncated => true,
            Kind::Transport(error) => error.is_retryable(),
            Kind::Api(error) => error.is_retryable(),
            Kind::Protocol(_) | Kind::Json(_) => false,
        }
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.envelope.request_id.as_deref()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.envelope.attempts
    }
}

fn apart(message: Message) -> Apart<Message> {
    Apart::new(Box::new(message))
}

/// Names the message without its content, which does not belong into logs.
impl fmt::Debug for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamError")
            .field("kind", &self.kind)
            .field("partial", &self.partial.as_ref().map(|message| &message.id))
            .field("envelope", &self.envelope)
            .finish()
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Truncated => f.write_str(
                "the stream ended before the message did; what arrived is in `partial()`, send the request again",
            )?,
            Kind::Transport(_) if !self.is_truncated() => f.write_str("the stream is not a usable event stream; check the base URL, and what stands between")?,
            Kind::Transport(error) if !error.is_retryable() => f.write_str(
                "the stream cannot be read; what arrived is in `partial()`, the cause says what to do",
            )?,
            Kind::Transport(_) => f.write_str(
                "the connection broke before the message ended; what arrived is in `partial()`, send the request again",
            )?,
            Kind::Api(_) => f.write_str("the service ended the stream with an error; what arrived is in `partial()`, the cause says what to do")?,
            Kind::Protocol(_) => f.write_str("the stream's events came in an impossible order; send the request again, and check what stands between")?,
            Kind::Json(_) => f.write_str("an event of the stream is not the JSON it should be; send the request again, and check what stands between")?,
        }
        write!(f, "{}", self.envelope)
    }
}

impl std::error::Error for StreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Truncated => None,
            Kind::Api(error) => Some(error),
            Kind::Protocol(error) => Some(error),
            Kind::Json(error) => Some(error),
            Kind::Transport(error) => Some(error),
        }
    }
}
