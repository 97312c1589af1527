//! What the crate promises, seen from outside.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod advice;
mod answer;
mod api_error;
mod assertion;
mod challenge;
mod cleartext;
mod client_credentials;
mod clock;
mod device;
mod device_props;
mod federation;
mod flow;
mod life;
mod logout;
mod metadata;
mod props;
mod purity;
mod redaction;
mod revocation;
mod rfc;
mod rig;
mod scopes;
mod sim;
mod skew;
mod trouble;
mod wire;
