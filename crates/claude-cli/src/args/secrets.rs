//! What can be typed about secrets.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// The commands on secrets.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Look for keys that lie where they should not. Exit status 3 where one was found; no key is shown.
    Scan(ScanArgs),
    /// Print the secret that a reference leads to.
    #[command(after_help = VAULT)]
    Get {
        // Read later: wrong usage is told with what was typed, which may be the secret itself.
        /// `env:NAME`, `file:PATH`, `mount:PATH`, `keyring:SERVICE/USER`, `vault:PATH#FIELD` or `command:PROGRAM ARGUMENT…`; never
        /// the secret itself.
        reference: String,
        /// Print JSON: the secret, and for how many seconds it is lent if it is.
        #[arg(long)]
        json: bool,
    },
    /// Store what standard input holds where a reference leads: `file:`, `keyring:` or `vault:`.
    #[command(after_help = VAULT)]
    Put(WriteArgs),
    /// Replace a secret that is there by what standard input holds, unless somebody else changes it meanwhile
    /// (which `vault:` tells where it counts versions; a file and a keyring do not).
    #[command(after_help = VAULT)]
    Rotate(WriteArgs),
}

const VAULT: &str = "\
Environment, for vault: references:
  VAULT_ADDR         the server, such as https://vault.example:8200
  VAULT_NAMESPACE    the namespace, if there is one
  VAULT_CACERT       a file with the CA certificates to trust, in place of the machine's
  VAULT_AUTH_METHOD  how to log in; each of the values below may be a reference, such as file:PATH
    token            VAULT_TOKEN, or else what ~/.vault-token holds; this is the method without the variable
    approle          VAULT_ROLE_ID, VAULT_SECRET_ID
    kubernetes       VAULT_ROLE; VAULT_JWT, or else what the platform mounts
    jwt              VAULT_ROLE, VAULT_JWT
    userpass         VAULT_USERNAME, VAULT_PASSWORD
  VAULT_AUTH_PATH    where the method is mounted, if not at its usual place
  VAULT_IN_CLEAR     the host in VAULT_ADDR to which secrets may go unencrypted";

/// Where to write. What is written is read from standard input: arguments can be read by others.
#[derive(Debug, ClapArgs)]
pub struct WriteArgs {
    /// `file:PATH`, `keyring:SERVICE/USER` or `vault:PATH#FIELD`; never the secret itself.
    pub reference: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
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
