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
#[cfg(feature = "http2")]
mod http2;
mod journal;
#[cfg(feature = "script")]
mod knobs;
mod limits;
mod login;
mod oauth;
mod pages;
#[cfg(feature = "script")]
mod play;
mod script;
mod server;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod workload;
