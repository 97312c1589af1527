//! The limiter of requests alone.

mod keys;
mod limits;
mod line;
mod props;

use std::{num::NonZeroU32, sync::Arc};

use ratelimit::{limiters::Governor, test_util::ManualTimer};

fn non_zero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// One request per second and `burst` at once.
fn one_per_second(burst: u32, timer: &Arc<ManualTimer>) -> Governor {
    Governor::per_minute(non_zero(60)).burst(non_zero(burst)).build(Arc::clone(timer)).unwrap()
}
