//! `claudectl`: see the library's front page.

use std::process::ExitCode;

fn main() -> ExitCode {
    match claude_cli::args::parse(std::env::args_os()) {
        Ok(args) => claude_cli::run_to_end(args),
        Err(status) => status,
    }
}
