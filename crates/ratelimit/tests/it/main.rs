//! The crate as its users see it. Time is held: no test waits for real.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod foreign;
mod governor;
mod keys;
mod line;
mod permit;
mod props;
mod timer;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use ratelimit::{Cost, Key, limiters::Governor, test_util::ManualTimer};

const SECOND: Duration = Duration::from_secs(1);
const NANO: Duration = Duration::from_nanos(1);

fn non_zero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// One request per second and `burst` at once.
fn one_per_second(burst: u32, timer: &Arc<ManualTimer>) -> Governor {
    Governor::per_minute(non_zero(60)).burst(non_zero(burst)).build(Arc::clone(timer)).unwrap()
}

fn key() -> Key {
    Key::from("team/model")
}

fn requests(requests: u32) -> Cost {
    Cost::requests(requests)
}
