//! The crate as its users see it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod chain;
mod env;
#[cfg(unix)]
mod file;
mod foreign;
mod redaction;

use secrets::SecretName;

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}
