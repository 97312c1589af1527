//! The server as a client sees it, over TCP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod api;
mod client;
mod device;
mod fault;
mod journal;
mod limits;
mod login;
mod oauth;
mod pages;
mod script;
mod server;
mod stream;
mod workload;
