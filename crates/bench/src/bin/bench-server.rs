//! The server of the benchmarks: `bench-server SCRIPT`.

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    let script = std::env::args().nth(1).context("give a script, in JSON")?;
    bench::server::serve(&serde_json::from_str(&script)?)
}
