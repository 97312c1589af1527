//! `claudectl`: see the library's front page.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match claude_cli::args::parse(std::env::args_os()) {
        Ok(args) => claude_cli::run(args).await,
        Err(status) => status,
    }
}
