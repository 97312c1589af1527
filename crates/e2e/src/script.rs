//! Scripts that drive a third-party part and report in JSON.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use mock_server::leaks;
use serde_json::Value;
use tokio::process::Command;

/// Runs a script to its end and returns the JSON that it wrote to its standard output. What it wrote is searched for secrets.
///
/// # Errors
///
/// When the script fails, with what it wrote to its standard error; when what it wrote is no JSON.
///
/// # Cancel safety
///
/// Dropping the future stops the script.
pub async fn report(mut command: Command) -> Result<Value> {
    leaks::listen();
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.context("cannot start the script")?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    leaks::heard(&output.stdout);
    leaks::heard(&output.stderr);
    if !output.status.success() {
        bail!("the script failed ({}):\n{out}{err}", output.status);
    }
    serde_json::from_str(&out).with_context(|| format!("the script did not write JSON:\n{out}{err}"))
}
