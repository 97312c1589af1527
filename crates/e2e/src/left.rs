//! What is left of calls that were dropped.

use std::path::Path;

use anyhow::{Context as _, Result};
use mock_server::MockServer;
use serde_json::Value;

/// What a process has more after many calls that it dropped than before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// File descriptors.
    pub files: i64,
    /// Memory, in KiB.
    pub kib: i64,
}

impl Left {
    /// Has the program `leave` begin and drop as many calls by a backend, `reqwest` or `hyper`, against a server of its own.
    ///
    /// # Errors
    ///
    /// When the program fails, as when a call fails that was not dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the program.
    pub async fn by(program: &Path, backend: &str, cycles: usize) -> Result<Self> {
        let server = MockServer::builder().requests_per_minute(u32::MAX).start().await?;
        let mut command = tokio::process::Command::new(program);
        command.args([backend, server.base_url().as_str(), server.api_key(), &cycles.to_string()]);
        let report = crate::report(command).await?;
        let grown = |name: &str| more(&report, name).with_context(|| format!("no {name} in {report}"));
        Ok(Self { files: grown("files")?, kib: grown("kib")? })
    }
}

fn more(report: &Value, name: &str) -> Option<i64> {
    Some(report.get("after")?.get(name)?.as_i64()? - report.get("before")?.get(name)?.as_i64()?)
}
