//! JSON Lines: one JSON text to a line.
//!
//! [`Decoder`] cuts bytes into lines and does no input or output; [`Lines`] runs it over a [`Body`](crate::Body). What
//! stands in a line is not looked at: give it to a JSON parser, which refuses what is not UTF-8.

mod decoder;
mod lines;

pub use decoder::{Decoder, LineTooLong};
pub use lines::Lines;
