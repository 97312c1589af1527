//! Server-sent events, as the WHATWG HTML standard defines them (section 9.2.6).
//!
//! [`Decoder`] turns bytes into events and does no input or output; [`Events`] runs it over a [`Body`](crate::Body).

mod decoder;
mod events;
mod text;

pub use decoder::{DecodeError, Decoder, Event};
pub use events::Events;
pub use text::Text;
