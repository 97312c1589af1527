//! The crate as its users see it. Time is held: no test waits for real.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod fleet;
mod foreign;
#[cfg(feature = "governor")]
mod governor;
mod local;
mod permit;
mod timer;

use std::time::Duration;

use ratelimit::{Cost, Key};

const SECOND: Duration = Duration::from_secs(1);
const NANO: Duration = Duration::from_nanos(1);

fn key() -> Key {
    Key::from("team/model")
}

fn requests(requests: u32) -> Cost {
    Cost::requests(requests)
}
