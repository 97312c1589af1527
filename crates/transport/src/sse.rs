//! Server-sent events, as the WHATWG HTML standard defines them (section 9.2.6).
//!
//! [`Decoder`] turns bytes into events and does no input or output; [`Events`] runs it over a [`Body`](crate::Body).
//! Both lend events ([`EventRef`]), which costs no allocation and no copy; [`Events`] also gives [`Event`]s to keep.

mod decoder;
mod event;
mod events;
mod text;

pub use decoder::{DecodeError, Decoder};
pub use event::{Event, EventRef};
pub use events::Events;
pub use text::Text;
