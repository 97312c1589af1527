//! The routes of the API, one handle per resource.

mod messages;
mod models;
mod raw;

pub use messages::{MessageStream, Messages, TextStream};
pub use models::Models;
pub use raw::{Raw, RawRequest};
