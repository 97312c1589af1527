//! The limiter of several dimensions.

mod adaptive;
mod crowd;
mod decisions;
mod hearing;
mod keys;
mod line;
mod oracle;
mod permits;

use std::sync::Arc;

use ratelimit::{Cost, Limits, Rate, limiters::Local, test_util::ManualTimer};

/// One request per second and `burst` at once.
fn one_per_second(burst: u64, timer: &Arc<ManualTimer>) -> Local {
    let limits = Limits::default().with_requests(Rate::per_minute(60).with_burst(burst));
    Local::limited_to(limits).build(Arc::clone(timer))
}

/// 60 requests, 600 tokens sent and 6,000 received each minute: one, ten and a hundred a second.
fn three(timer: &Arc<ManualTimer>) -> Local {
    let limits = Limits::default().with_requests(60).with_input_tokens(600).with_output_tokens(6_000);
    Local::limited_to(limits).build(Arc::clone(timer))
}

fn cost(requests: u32, input: u64, output: u64) -> Cost {
    Cost::requests(requests).with_input_tokens(input).with_output_tokens(output)
}
