//! What can be typed. A secret never can: keys come from the environment, because other users of a machine can read
//! the arguments of a running program.

use std::{ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args as ClapArgs, Parser, Subcommand, error::ErrorKind};

use crate::{
    console::{self, Output, OutputError},
    failure::{tell_failure, tell_usage},
};

mod auth;
mod connection;
mod doctor;
mod env;
mod host;
mod messages;
mod mock;
mod monitor;
mod profile;
mod resources;
mod secrets;
mod usage;

pub use auth::{AuthCommand, LoginArgs, LogoutArgs, SessionArgs, StatusArgs};
pub use connection::ConnectionArgs;
use connection::ENVIRONMENT;
pub use doctor::DoctorArgs;
pub use env::EnvCommand;
pub use host::TimeServer;
pub use messages::{MessageArgs, MessagesCommand};
pub use mock::MockArgs;
pub use monitor::{Every, MonitorArgs, Probe};
pub use profile::{Assignment, Key, ProfileCommand};
pub use resources::{
    ApiArgs, BatchArgs, BatchesCommand, DownloadArgs, FilesCommand, IdArgs, ListArgs, ModelsCommand, PagesBy,
    StreamCommand, SubmitArgs, UploadArgs,
};
pub use secrets::{ScanArgs, SecretsCommand, WriteArgs};

/// The Claude API from a terminal. An independent project, not Anthropic's.
#[derive(Debug, Parser)]
#[command(name = "claudectl", version, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Go through the whole job on an embedded mock server: log in, call, stream, refresh. Needs no account.
    Quickstart {
        /// Print one JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Send messages.
    Messages {
        /// What to do with them.
        #[command(subcommand)]
        command: MessagesCommand,
    },
    /// Send messages in batches, at half the price and within a day.
    Batches {
        /// What to do with them.
        #[command(subcommand)]
        command: BatchesCommand,
    },
    /// Send files, and get them back.
    Files {
        /// What to do with them.
        #[command(subcommand)]
        command: FilesCommand,
    },
    /// Ask which models there are.
    Models {
        /// What to ask.
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Call any route of the API.
    #[command(after_help = ENVIRONMENT)]
    Api(ApiArgs),
    /// Look at recorded streams.
    Stream {
        /// What to do with one.
        #[command(subcommand)]
        command: StreamCommand,
    },
    /// Log in and out, and get at the session's tokens.
    Auth {
        /// What to do.
        #[command(subcommand)]
        command: AuthCommand,
    },
    /// Look at the profiles, and change them.
    Profile {
        /// What to do.
        #[command(subcommand)]
        command: ProfileCommand,
    },
    /// Compare and check profiles and the secrets they refer to, and run programs with them.
    Env {
        /// What to do.
        #[command(subcommand)]
        command: EnvCommand,
    },
    /// Get at secrets by reference, change them, and find those that lie about.
    Secrets {
        /// What to do.
        #[command(subcommand)]
        command: SecretsCommand,
    },
    /// Find out what is wrong between this machine and the API, and what to do about it.
    #[command(after_help = ENVIRONMENT)]
    Doctor(DoctorArgs),
    /// Try the API again and again, keep what comes of it, and tell when it fails.
    #[command(after_help = ENVIRONMENT)]
    Monitor(Box<MonitorArgs>),
    /// Ask how much of the rate limits is left. Sends a message of one token, because only its answer tells.
    #[command(after_help = ENVIRONMENT)]
    Limits(LimitsArgs),
    /// Run a mock of the service on loopback until interrupted.
    Mock(MockArgs),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print a manual page, or write those of all commands into a folder.
    Man(ManArgs),
}

/// What to ask the limits of.
#[derive(Debug, ClapArgs)]
pub struct LimitsArgs {
    /// The model whose limits are asked for.
    #[arg(long, default_value = "claude-sonnet-5-5")]
    pub model: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Which manual pages, and where to.
#[derive(Debug, ClapArgs)]
pub struct ManArgs {
    /// The command whose page to print, such as `messages create`; the program's own without one.
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder: claudectl.1, claudectl-messages-create.1, …
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

/// Reads the arguments; help and wrong usage are printed here, and give the exit status.
///
/// # Errors
///
/// Success where help or the version was asked for; 2 for wrong usage, which is told in one line, or with `--json` as an object.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Args, ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if asks_for_json(&arguments) {
        console::tell_programs();
    }
    Args::try_parse_from(arguments).map_err(|error| {
        if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return help(&error);
        }
        tell_usage(&usage::told(&error));
        ExitCode::from(2)
    })
}

/// Prints the help or the version; help that somebody lacks is on standard error.
fn help(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // Nothing is left to do where even that cannot be printed.
        drop(error.print());
        return ExitCode::from(2);
    }
    let mut out = Output::new();
    match out.flush().and_then(|()| error.print()).and_then(|()| out.flush()).map_err(OutputError) {
        Err(error) if !error.is_unread() => {
            tell_failure(&error.into());
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Whether errors are for a program too. It is looked for before the rest is read, which may be what is wrong.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}
