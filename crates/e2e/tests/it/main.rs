//! Our parts against other people's: the official SDKs, a real proxy, a real OAuth server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod browser;
mod chromium;
mod doctor;
mod fleet;
mod flood;
mod grants;
mod keyring;
mod left;
mod limits;
mod mitmproxy;
mod monitor;
mod network;
mod nginx;
mod oauth_server;
mod official_calls;
mod official_list;
mod official_sdks;
mod official_streams;
mod pages;
mod proxy;
mod redis;
mod resource_tests;
mod schemas;
mod starved;
mod vault;
mod webhooks;

use std::path::PathBuf;

use e2e::Tools;

fn tools() -> Tools {
    Tools::beside(env!("CARGO_TARGET_TMPDIR"))
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(name)
}
