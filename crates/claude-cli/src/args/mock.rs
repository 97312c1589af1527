//! What can be typed about the mock server.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// How to run the mock server.
#[derive(Debug, ClapArgs)]
pub struct MockArgs {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// A script: a file in TOML that says what is answered and what goes wrong; docs/mock.md has an example.
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Limits, such as `requests=20,input=10000,output=4000`, with `workspace:` or a class of models such as `sonnet:` before
    /// it; also `burst`, `spend` (dollars) and `acceleration`. May be given several times.
    #[arg(long, value_name = "LIMITS")]
    pub limits: Vec<mock_server::Limits>,
    /// How many requests a minute are let in; more are answered with 429. The same as `--limits requests=COUNT`.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_minute: Option<u32>,
    /// Serve TLS, with a certificate made at the start, and tell where that of its authority is.
    #[arg(long)]
    pub tls: bool,
    /// Append each request to this file as a line of JSON without secrets; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Print how to use it as a line of JSON, as the first line of `--journal -` is anyway.
    #[arg(long)]
    pub json: bool,
}
