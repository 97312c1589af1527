//! The routes of the API, one handle per resource.

mod messages;
mod models;
mod organization;
mod raw;

pub use messages::{MessageStream, Messages, TextStream};
pub use models::Models;
pub use organization::Organization;
pub use raw::{Raw, RawRequest};
