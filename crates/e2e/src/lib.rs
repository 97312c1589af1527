//! What the tests against real third-party parts share: finding the parts, starting them, stopping them.
//!
//! It is not for publication and no test server of our own: that is `mock-server`. The tests are in `tests/it`; the
//! parts come from `cargo xtask test`, which installs them into the target folder ([`Tools`]).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! let mut command = std::process::Command::new("sh");
//! command.args(["-c", "echo ready; exec sleep 60"]);
//! let mut server = e2e::Process::start(command)?;
//! server.wait_for("ready", Duration::from_secs(10))?;
//! drop(server); // stops the process and waits for its end
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! # Features
//!
//! None, and there is nothing to plug in.

mod authority;
mod chromium;
pub mod fleet;
mod left;
pub mod limits;
mod nginx;
mod port;
mod process;
mod redis;
mod script;
mod tools;

pub use authority::{Authority, Certificate, Validity};
pub use chromium::{Chromium, keys};
pub use left::Left;
pub use nginx::{Nginx, Site};
pub use port::free_port;
pub use process::Process;
pub use redis::RedisServer;
pub use script::report;
pub use tools::{Tools, installed};
