//! The crate as its users see it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cached;
mod chain;
#[cfg(unix)]
mod command;
mod env;
#[cfg(unix)]
mod failures;
#[cfg(unix)]
mod file;
mod foreign;
#[cfg(target_os = "linux")]
mod memory;
mod redaction;
mod resolver;
mod scoped;
mod scrubber;

use secrets::SecretName;

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}
