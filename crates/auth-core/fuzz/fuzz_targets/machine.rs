//! Any calls of a `TokenMachine` in any order: drivers, servers, stores, other processes and clocks, all of them odd.
//!
//! Each line of the input is one call; `run` is the list. What is asserted is what the page of `TokenMachine` promises,
//! by `World`, which sees the machine as its driver does. In the end the world becomes kind, and then a machine comes to
//! an end too: a token, a login that is needed, or a configuration that has to change.
#![no_main]
#![allow(clippy::panic, reason = "a panic is how a target fails")]

#[path = "machine/world.rs"]
mod world;

use std::time::Duration;

use auth_core::{Policy, SendFailure};
use auth_core_fuzz::{bare_server, server};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use libfuzzer_sys::fuzz_target;

use self::world::{Dates, World};

/// No more calls are made than this.
const CALLS: usize = 200;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    // Half of the servers have nowhere to give a token back.
    let (server, text) = match text.strip_prefix("bare\n") {
        Some(rest) => (bare_server(), rest),
        None => (server(), text),
    };
    let (policy, calls) = match text.strip_prefix("policy ") {
        Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
        None => ("", text),
    };
    let mut world = World::new(server, read_policy(policy));
    for call in calls.lines().take(CALLS) {
        run(&mut world, call);
    }
    world.settle();
});

/// Makes the call of one line; a line that says nothing is left out.
fn run(world: &mut World, call: &str) {
    let mut rest = call.chars();
    let word = rest.next().unwrap_or_default();
    let rest = rest.as_str();
    let number: i64 = rest.parse().unwrap_or_default();
    let count = number.unsigned_abs();
    match word {
        // Somebody wants a token; the driver does what is said until there is nothing more.
        'a' => drop(world.access()),
        'p' => world.drain(),
        // The clock goes on, is set back, or stands near a moment that matters.
        '+' => world.step(number),
        '-' => world.step(number.saturating_neg()),
        'w' => world.aim(world.wake_at(), number),
        'e' => world.aim(world.expiry(), number),
        // The exchange under way: fresh tokens, any answer, or none.
        'g' => world.grant(count),
        'r' => world.answer(Ok(answer(rest))),
        'l' => world.answer(Err(SendFailure::MaybeSent)),
        'n' => world.answer(Err(SendFailure::NotSent)),
        // When it was sent, so many seconds off; the server's clock, so many seconds ahead; any date; no date.
        't' => world.misdate(number),
        'c' => world.dates = Dates::Ahead(number),
        'h' => world.dates = HeaderValue::from_str(rest).map_or(Dates::None, Dates::Text),
        // An exchange that is over, as many exchanges ago.
        'o' => world.answer_again(count),
        // The store under way; and one that nobody asked for.
        's' => world.stored(true),
        'f' => world.stored(false),
        'S' => world.stored_other(count),
        // A server refuses the lease of so many generations ago; or of a generation.
        'x' => world.reject_ago(count),
        'X' => world.reject(count),
        // Another process stored tokens that live so many seconds; or the store holds what it held so many stores ago.
        'd' => world.adopt_fresh(number),
        'D' => world.adopt_old(count),
        // The user logged in, for so many seconds, with a refresh token and without.
        'i' => world.log_in(number, true),
        'I' => world.log_in(number, false),
        // The user logs out; what is stored is removed, or cannot be.
        'q' => world.log_out(),
        'm' => world.removed(true),
        'M' => world.removed(false),
        // A driver keeps the lease for so many seconds if it may.
        'k' => world.keep(count),
        _ => {}
    }
}

/// Reads `advisory mandatory jitter base cap resends`, in seconds; what is missing is as by default.
fn read_policy(text: &str) -> Policy {
    let Policy { advisory, mandatory, jitter, backoff_base, backoff_cap, resends, .. } = Policy::default();
    let mut words = text.split(' ').map(|word| word.parse::<u64>().ok());
    let mut seconds = |default| words.next().flatten().map_or(default, Duration::from_secs);
    Policy {
        advisory: seconds(advisory),
        mandatory: seconds(mandatory),
        jitter: seconds(jitter),
        backoff_base: seconds(backoff_base),
        backoff_cap: seconds(backoff_cap),
        resends: words.next().flatten().map_or(resends, |count| u32::try_from(count).unwrap_or(u32::MAX)),
    }
}

/// Reads `503 120 body`: a status, `Retry-After` or nothing, and the body.
fn answer(text: &str) -> Response<Bytes> {
    let (status, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (retry_after, body) = rest.split_once(' ').unwrap_or(("", rest));
    let mut answer = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *answer.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap_or_default();
    if let (false, Ok(value)) = (retry_after.is_empty(), HeaderValue::from_str(retry_after)) {
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    answer
}
