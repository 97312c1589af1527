//! The routes of the API, one handle per resource.

mod messages;
mod models;

pub use messages::{MessageStream, Messages, TextStream};
pub use models::Models;
