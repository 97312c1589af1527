//! A streamed reply: its events as types, and the message they add up to.
//!
//! [`Event::parse`] makes an event of a server-sent event's name and data; the [`Accumulator`] makes a
//! [`Message`](crate::types::Message) of events, and knows whether the stream came to its end.
//!
//! ```
//! use claude_sdk::stream::{Accumulator, Event};
//!
//! let sent = [
//!     ("message_start", r#"{"type": "message_start", "message": {"id": "msg_1", "role": "assistant",
//!         "model": "claude-opus-5-5", "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}}"#),
//!     ("content_block_start", r#"{"index": 0, "content_block": {"type": "text", "text": ""}}"#),
//!     ("content_block_delta", r#"{"index": 0, "delta": {"type": "text_delta", "text": "Hello"}}"#),
//!     ("content_block_stop", r#"{"index": 0}"#),
//!     ("message_delta", r#"{"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}"#),
//!     ("message_stop", "{}"),
//! ];
//! let mut accumulator = Accumulator::new();
//! for (name, data) in sent {
//!     accumulator.push(&Event::parse(name, data)?)?;
//! }
//! assert_eq!(accumulator.finish()?.text(), "Hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accumulator;
mod decode;
mod delta;
mod error;
mod event;
mod oddity;
mod opening;
pub mod partial_json;
mod plain;

pub use accumulator::Accumulator;
pub use decode::{DecodeError, DecodeErrorKind, decode};
pub use delta::Delta;
pub use error::{ProtocolError, Truncated};
pub use event::Event;
pub use oddity::Oddity;
pub use partial_json::{CutString, NotJson};

pub(crate) use opening::FirstContent;
