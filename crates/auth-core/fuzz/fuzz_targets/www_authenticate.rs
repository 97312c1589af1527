//! `WWW-Authenticate`, which any server that is asked for anything can send.
//!
//! Each line of the input is the value of one header.
//!
//! - What is read is no more than what was sent, and reading takes linear time: a short input is repeated until it is
//!   long enough for anything slower to run into the time limit.
//! - Challenges that are written down again are read as the same challenges.
//! - A missing scope is one that the server named, never the token, and fit to be shown.
#![no_main]
#![allow(clippy::expect_used, reason = "a panic is how a target fails")]

use auth_core::{Challenge, MissingScope, ScopeSet};
use auth_core_fuzz::assert_printable;
use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};
use libfuzzer_sys::fuzz_target;

/// The access token that was sent; `dictionaries/www_authenticate` has it.
const TOKEN: &str = "canary/at+1";
/// A lossy reading turns one byte into this many.
const REPLACEMENT: usize = '\u{fffd}'.len_utf8();
/// An input no longer than this is repeated until it is as long as `LONG`.
const SHORT: usize = 8;
const LONG: usize = 64 * 1024;

fuzz_target!(|data: &[u8]| {
    let headers = values(&data.split(|byte| *byte == b'\n').collect::<Vec<_>>());
    let challenges = read(&headers);
    let again = values(&[written(&challenges).as_bytes()]);
    assert_eq!(read(&again), challenges, "written as {again:?}");
    missing(&headers);
    if (1..=SHORT).contains(&data.len()) {
        read(&values(&[&data.repeat(LONG / data.len())]));
    }
});

fn values(lines: &[&[u8]]) -> HeaderMap {
    let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
    values.map(|value| (WWW_AUTHENTICATE, value)).collect()
}

fn read(headers: &HeaderMap) -> Vec<Challenge> {
    let challenges = Challenge::read(headers);
    let sent: usize = headers.values().map(HeaderValue::len).sum();
    let read: usize = challenges.iter().map(length).sum();
    assert!(read <= sent * REPLACEMENT, "{read} bytes were read of {sent}");
    challenges
}

fn length(challenge: &Challenge) -> usize {
    let parameters: usize = challenge.params().map(|(name, value)| name.len() + value.len()).sum();
    challenge.scheme().len().max(1) + challenge.token68().map_or(0, str::len) + parameters
}

/// Writes challenges as RFC 9110 section 11.6.1 has them.
fn written(challenges: &[Challenge]) -> String {
    let written = challenges.iter().map(|challenge| {
        let token68 = challenge.token68().map(str::to_owned);
        let quoted = |value: &str| value.replace('\\', r"\\").replace('"', r#"\""#);
        let parameters = challenge.params().map(|(name, value)| format!("{name}=\"{}\"", quoted(value)));
        let what = token68.into_iter().chain(parameters).collect::<Vec<_>>().join(", ");
        format!("{} {what}", challenge.scheme())
    });
    written.collect::<Vec<_>>().join(", ")
}

fn missing(headers: &HeaderMap) {
    let granted = ScopeSet::parse("user:profile");
    let Some(missing) = MissingScope::read(headers, &granted, &TOKEN.into()) else { return };
    let named = Challenge::read(headers)
        .into_iter()
        .find(|challenge| challenge.is_bearer() && challenge.param("error") == Some("insufficient_scope"))
        .expect("nobody says that a scope is missing");
    let named = ScopeSet::parse(named.param("scope").unwrap_or_default());
    assert!(missing.required().is_subset(&named) && missing.required().iter().count() <= 64);
    assert!(missing.required().iter().all(|scope| scope.len() <= 256 && !scope.contains(TOKEN)));
    assert!(granted.is_subset(&missing.wanted()) && missing.missing().is_subset(missing.required()));
    assert_printable(&missing.to_string());
}
