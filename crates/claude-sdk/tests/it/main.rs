//! The facade as its user meets it: against a server over TCP, on a clock that the test holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod batch_job;
mod batches;
#[cfg(feature = "blocking")]
mod blocking;
mod calls;
#[cfg(feature = "test-util")]
mod cancel;
mod classes;
mod cleartext;
#[cfg(feature = "test-util")]
mod contract;
mod crowd;
mod discovery;
#[cfg(feature = "test-util")]
mod estimates;
mod failing_store;
mod failures;
mod faults;
mod federation;
#[cfg(unix)]
mod file_safety;
mod files;
mod history;
mod lists;
mod login;
mod login_device;
mod login_ways;
mod logout;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(all(feature = "metrics", feature = "otel"))]
mod metric_sinks;
mod metrics;
mod middleware;
mod options;
mod oracle;
mod patience;
mod profile;
mod redaction;
#[cfg(all(feature = "refresher", target_os = "linux"))]
mod refresher;
mod renewal;
mod resolution;
mod rig;
mod routes;
mod session;
mod skills;
mod spans;
mod store;
mod stream_faults;
mod streams;
#[cfg(feature = "schema")]
mod structured;
mod swap;
mod tee;
mod tool_runner;
