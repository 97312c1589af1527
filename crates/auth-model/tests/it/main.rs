//! The refresh protocol of `docs/architecture.md`: three processes, one login, one file with a lock, one server that
//! rotates refresh tokens; requests and answers get lost and processes are killed at every point.
//!
//! The processes run the real [`auth_core::TokenMachine`] ([`machines`]). What the driver in
//! `claude-sdk/src/credentials/oauth/driver.rs` does around it is written down once more, one step at a time
//! ([`protocol`]), with the ways to do it wrong beside it; [`properties`] says what must hold, and [`checks`] that it
//! does, and that each way to do it wrong is found.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod checks;
mod graph;
mod machines;
mod properties;
mod protocol;
mod world;
