//! A whole stream that somebody has kept: a capture, a recording.

use transport::sse;

use super::accumulator::Accumulator;
use super::error::{ProtocolError, Truncated};
use super::event::Event;
use crate::types::{ErrorBody, Message};

/// Reads the bytes of a streamed reply, as they came over the network, into the message they add up to.
///
/// ```
/// use claude_sdk::stream::{DecodeErrorKind, decode};
///
/// let capture = b"event: message_start\n\
///     data: {\"message\": {\"id\": \"msg_1\", \"role\": \"assistant\", \"model\": \"m\", \"content\": [],\
///     \"usage\": {\"input_tokens\": 9, \"output_tokens\": 1}}}\n\n";
/// let error = decode(capture).unwrap_err();
/// assert!(matches!(error.kind, DecodeErrorKind::Truncated));
/// assert_eq!(error.partial.unwrap().usage.input_tokens, 9);
/// ```
///
/// # Errors
///
/// The bytes are not a whole message; what there is of it is inside.
#[inline]
pub fn decode(capture: &[u8]) -> Result<Message, DecodeError> {
    let mut decoder = sse::Decoder::new();
    let mut accumulator = Accumulator::new();
    let mut events = 0;
    let mut rest = capture;
    let kind = loop {
        match next(&mut decoder, &mut rest, &mut accumulator) {
            Ok(true) => events += 1,
            Ok(false) => break DecodeErrorKind::Truncated,
            Err(kind) => break kind,
        }
    };
    let failed = !matches!(kind, DecodeErrorKind::Truncated);
    match accumulator.finish() {
        Ok(message) if !failed => Ok(message),
        Ok(message) => Err(DecodeError { events, partial: Some(Box::new(message)), kind }),
        Err(Truncated { partial }) => Err(DecodeError { events, partial: partial.map(Box::new), kind }),
    }
}

/// Adds the next event; `false` where there is none.
fn next(
    decoder: &mut sse::Decoder,
    rest: &mut &[u8],
    accumulator: &mut Accumulator,
) -> Result<bool, DecodeErrorKind> {
    let Some(event) = decoder.next_event(rest).map_err(DecodeErrorKind::Events)? else { return Ok(false) };
    match Event::parse(event.name, event.data).map_err(DecodeErrorKind::Json)? {
        Event::Error(body) => Err(DecodeErrorKind::Api(Box::new(body))),
        event => accumulator.push(&event).map(|()| true).map_err(DecodeErrorKind::Protocol),
    }
}

/// A capture that is not a whole message.
///
/// Example: [`Accumulator`](crate::stream::Accumulator).
#[derive(Debug, thiserror::Error)]
#[error("the capture is not a whole message: it is good for {events} events, and then: {kind}")]
#[non_exhaustive]
pub struct DecodeError {
    /// How many events there were before it went wrong.
    pub events: usize,
    /// What there is of the message; `None` if it had not begun.
    pub partial: Option<Box<Message>>,
    /// What went wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a capture.
///
/// Example: [`Accumulator`](crate::stream::Accumulator).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// It ends before the message does.
    #[error("it ends before `message_stop`")]
    Truncated,
    /// The service gave up on the reply.
    #[error("the service ended it with {}: {}", .0.error.kind, .0.error.message)]
    Api(Box<ErrorBody>),
    /// An event cannot follow the ones before it.
    #[error("{0}")]
    Protocol(ProtocolError),
    /// An event is not the JSON it should be.
    #[error("the data of the next event are not what they should be ({0})")]
    Json(serde_json::Error),
    /// It is no event stream.
    #[error("{0}")]
    Events(sse::DecodeError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "event: message_start\ndata: {\"message\": {\"id\": \"msg_1\", \"role\": \"assistant\", \
        \"model\": \"m\", \"content\": [], \"usage\": {\"input_tokens\": 9, \"output_tokens\": 1}}}\n\n";
    const STOP: &str = "event: message_stop\ndata: {}\n\n";

    fn fails(capture: &str) -> DecodeError {
        decode(capture.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_whole_capture_is_its_message() {
        let message =
            decode(format!(": a comment\n\n{START}{STOP}event: late\ndata: 1\n\n").as_bytes()).unwrap();
        assert_eq!(message.id, "msg_1");
    }

    #[test]
    fn what_is_wrong_with_a_capture_is_said_with_what_there_is() {
        assert!(matches!(fails("").kind, DecodeErrorKind::Truncated));
        let cut = fails(START);
        assert!(matches!(cut.kind, DecodeErrorKind::Truncated) && cut.events == 1 && cut.partial.is_some());
        assert!(matches!(fails(STOP).kind, DecodeErrorKind::Protocol(ProtocolError::NotStarted)));
        assert!(matches!(
            fails(&format!("{START}event: message_stop\ndata: x\n\n")).kind,
            DecodeErrorKind::Json(_)
        ));
        let error = "event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \
            \"message\": \"Overloaded\"}}\n\n";
        let refused = fails(&format!("{START}{error}{STOP}"));
        assert_eq!(
            refused.to_string(),
            "the capture is not a whole message: it is good for 1 events, and then: \
             the service ended it with overloaded_error: Overloaded"
        );
        assert!(refused.partial.is_some());
    }
}
