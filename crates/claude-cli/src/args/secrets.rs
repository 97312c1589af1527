use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// The commands on secrets.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Look for keys that lie where they should not. Exit status 3 where one was found; no key is shown.
    Scan(ScanArgs),
    /// Print the secret that a reference leads to.
    Get {
        // Read later: wrong usage is told with what was typed, which may be the secret itself.
        /// `env:NAME`, `file:PATH` or `command:PROGRAM ARGUMENT…`; never the secret itself.
        reference: String,
    },
}

/// Where to look.
#[derive(Debug, ClapArgs)]
pub struct ScanArgs {
    /// Files and folders; in a git work tree what git ignores is left out.
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Look into all that git keeps too: every version of every file, and messages.
    #[arg(long)]
    pub history: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
