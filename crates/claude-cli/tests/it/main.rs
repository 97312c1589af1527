//! `claudectl` as its users meet it: as a process, against the mock server over TCP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests"
)]

mod bad_input;
mod claudectl;
mod messages;
mod mock;
mod quickstart;
mod slow_server;
