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
#[cfg(feature = "scrubber-layer")]
mod scrubber_layer;

use mock_server::leaks;
use secrets::SecretName;

fn name(text: &str) -> SecretName {
    // Nearly every test names a secret: whatever it makes anybody log is searched.
    leaks::listen();
    SecretName::new(text).unwrap()
}
