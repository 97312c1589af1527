//! What the attribute `tool` writes into other people's crates refers to these; they are no part of the API.

pub use async_trait::async_trait;
pub use serde;
pub use serde_json::Value;
