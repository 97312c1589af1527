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
mod doctor;
mod env;
mod for_programs;
mod home;
mod hygiene;
mod limits;
mod login;
mod mail;
mod messages;
mod mock;
mod mock_page;
mod monitor;
mod monitor_page;
#[cfg(feature = "otlp")]
mod otlp;
mod person;
mod profiles;
mod quickstart;
mod remarks;
mod resources;
mod secrets;
mod sessions;
mod slow_server;
mod vault;
