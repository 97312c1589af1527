//! What the crate promises, seen from outside.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod answer;
mod flow;
mod life;
mod props;
mod purity;
mod redaction;
mod rig;
mod sim;
mod trouble;
mod wire;
