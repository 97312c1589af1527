//! What can be typed about environments.

use std::ffi::OsString;

use clap::Subcommand;
use claude_sdk::profile::ProfileName;

use super::profile::profile_name;

/// The commands on environments: profiles, and the secrets they refer to.
#[derive(Debug, Subcommand)]
pub enum EnvCommand {
    /// Print in what two profiles differ. Of a secret it is told where it is, whether it can be had, and a fingerprint whose key
    /// is forgotten at the end of the run. That they differ is no failure; the exit status is 1 where something could not be compared.
    Diff {
        /// One profile.
        #[arg(value_parser = profile_name)]
        one: ProfileName,
        /// The other.
        #[arg(value_parser = profile_name)]
        other: ProfileName,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check that profiles can be used: every reference leads to a secret, tokens are nobody else's to read, and no secret is
    /// shared by two of them. Exit status 1 where something is wrong. Members that are not known are a warning.
    Check {
        /// The profiles; without them all.
        #[arg(value_parser = profile_name)]
        profiles: Vec<ProfileName>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a program with what a profile says in its environment: its secrets are had for that program only.
    #[command(after_help = RUN)]
    Run {
        /// The profile.
        #[arg(value_parser = profile_name)]
        profile: ProfileName,
        /// Tell as JSON what keeps the program from being run; what it prints itself is its own.
        #[arg(long)]
        json: bool,
        /// The program and its arguments.
        #[arg(required = true, last = true, value_name = "PROGRAM")]
        program: Vec<OsString>,
    },
}

const RUN: &str = "\
Write `--` before the program. The exit status is the program's; 127 where there is no such program, and 126 where it
cannot be run. The program gets ANTHROPIC_BASE_URL, and
  ANTHROPIC_API_KEY                        of a profile with an API key, or
  ANTHROPIC_PROFILE, ANTHROPIC_CONFIG_DIR  of any other, and
  CLAUDE_CLIENT_ID, CLAUDE_CLIENT_SECRET   of one with a confidential client;
  the variables that the profile names     (`claudectl profile set PROFILE env.NAME=REFERENCE`).
Variables of this environment whose names end with KEY, TOKEN, SECRET, PASSWORD and the like it does not get,
unless the profile names them.";
