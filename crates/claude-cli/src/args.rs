//! What can be typed. A secret never can: keys come from the environment, because other users of a machine can read
//! the arguments of a running program.

use std::{
    error::Error as _, ffi::OsString, io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode,
};

use clap::{
    Args as ClapArgs, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use claude_sdk::{ApiVersion, profile::ProfileName};
use mock_server::UnknownLimits;

use crate::{
    console::{self, Output, OutputError},
    failure::{tell_failure, tell_usage},
};

mod auth;
mod env;
mod host;
mod monitor;
mod profile;
mod resources;
mod secrets;

pub use auth::{AuthCommand, LoginArgs, LogoutArgs, SessionArgs, StatusArgs};
pub use env::EnvCommand;
pub use host::TimeServer;
pub use monitor::{Every, MonitorArgs, Probe};
use profile::profile_name;
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

/// The commands on messages.
#[derive(Debug, Subcommand)]
pub enum MessagesCommand {
    /// Send a prompt and print the whole answer.
    #[command(after_help = ENVIRONMENT)]
    Create(MessageArgs),
    /// Send a prompt and print the answer as it is written.
    #[command(after_help = ENVIRONMENT)]
    Stream(MessageArgs),
    /// Say how many tokens a prompt has.
    #[command(after_help = ENVIRONMENT)]
    Count(MessageArgs),
}

const ENVIRONMENT: &str = "\
Environment:
  ANTHROPIC_API_KEY      the API key or where it is (`file:PATH`, …), or
  ANTHROPIC_AUTH_TOKEN   an access token or where it is, or
  ANTHROPIC_PROFILE      the profile; without any of them, the active one
  ANTHROPIC_BASE_URL     where the API is, unless --base-url says so
  HTTPS_PROXY, NO_PROXY  the proxy to go through, and for which hosts not to
`claudectl auth status` says which of them would be used.";

/// A prompt and how to send it.
#[derive(Debug, ClapArgs)]
pub struct MessageArgs {
    /// The prompt; `-` or nothing reads it from standard input.
    pub prompt: Option<String>,
    /// The model to answer.
    #[arg(long, default_value = "claude-sonnet-5-5")]
    pub model: String,
    /// How many tokens the answer may have at most.
    #[arg(long, default_value_t = 1024)]
    pub max_tokens: u32,
    /// The system prompt.
    #[arg(long)]
    pub system: Option<String>,
    /// An image, a PDF document or a text file to go with the prompt; may be given several times. What it is, is told by how it
    /// begins; where its name says otherwise, a line tells.
    #[arg(long, value_name = "PATH")]
    pub attach: Vec<PathBuf>,
    /// Print JSON: the message, or for a stream one event a line.
    #[arg(long)]
    pub json: bool,
    /// Where to send it, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
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

/// What to look at.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// Set the modes of files right that others can get at, and remove what programs that died have left.
    #[arg(long)]
    pub fix: bool,
    /// Send a message of one token too.
    #[arg(long)]
    pub call: bool,
    /// Ask this time server too how far off the clock is, such as time.cloudflare.com (SNTP; another port as HOST:PORT).
    #[arg(long, value_name = "SERVER")]
    pub sntp: Option<TimeServer>,
    /// The model that the message is for.
    #[arg(long, default_value = "claude-sonnet-5-5")]
    pub model: String,
    /// Find out instead why a verification mail does not arrive at this address, and what to ask the administrator for.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["fix", "call", "sntp"])]
    pub email: Option<String>,
    /// With --email, the DNS server to ask, such as 9.9.9.9:53, in place of this machine's.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "email", value_parser = address)]
    pub dns_server: Option<SocketAddr>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// An address with its port.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464".to_owned())
}

/// Where the API is, and whose calls these are.
#[derive(Debug, ClapArgs)]
pub struct ConnectionArgs {
    /// Read the API key from this file (mode 600) instead of the environment.
    #[arg(long, value_name = "PATH", conflicts_with = "profile")]
    pub api_key_file: Option<PathBuf>,
    /// Get the API key from where this leads: `env:NAME`, `file:PATH`, `mount:PATH`, `vault:PATH#FIELD`, `keyring:SERVICE/USER` or
    /// `command:PROGRAM ARGUMENT…`.
    #[arg(long, value_name = "REFERENCE", conflicts_with_all = ["profile", "api_key_file"])]
    pub api_key_from: Option<String>,
    /// Use this profile, whatever the environment says.
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    pub profile: Option<ProfileName>,
    /// Where the API is; a path prefix is kept.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The API's version; gateways and older servers speak 2023-06-01. There are these two, and others are refused.
    #[arg(long, value_name = "DATE", default_value = "2026-10-21")]
    pub api_version: ApiVersion,
}

impl ConnectionArgs {
    /// Whether the key is named here and not looked for.
    pub(crate) fn has_key(&self) -> bool {
        self.api_key_file.is_some() || self.api_key_from.is_some()
    }
}

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
        tell_usage(&told(&error));
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

/// What is wrong, without what was typed in the wrong place: it may be a secret, whatever it looks like.
fn told(error: &clap::Error) -> String {
    let message = error.to_string();
    if error.kind() == ErrorKind::UnknownArgument && message.contains("Usage: claudectl env run") {
        return "write `--` before the program: `claudectl env run PROFILE -- PROGRAM …`".to_owned();
    }
    // It says how to write them, and none of what was typed: what is taken out below could be part of that.
    if let Some(wrong) = error.source().and_then(|source| source.downcast_ref::<UnknownLimits>()) {
        return usage(&format!("the value of --limits: {wrong}"));
    }
    let kinds = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
    let typed = kinds.into_iter().filter_map(|kind| match error.get(kind) {
        // It is the name of an argument of ours, unless it is not known.
        Some(ContextValue::String(_))
            if kind == ContextKind::InvalidArg && error.kind() != ErrorKind::UnknownArgument =>
        {
            None
        }
        Some(ContextValue::String(text)) if kind == ContextKind::InvalidValue && is_slip(error, text) => None,
        Some(ContextValue::String(text)) if !text.is_empty() && !is_option(text) => Some(text),
        _ => None,
    });
    usage(&typed.fold(message, |message, text| {
        let message = message.replace(&format!("'{text}'"), "[not shown]");
        let message = message.replace(&format!("'-- {text}'"), "`--` before it");
        if text.len() < SHORT { message } else { message.replace(text, "[not shown]") }
    }))
}

/// What is shorter is part of other words.
const SHORT: usize = 8;

/// An option that is not known is a slip: `--jsno`.
fn is_option(text: &str) -> bool {
    let of_names = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    text.len() <= 24 && text.strip_prefix("--").is_some_and(|name| name.bytes().all(of_names))
}

/// Where a time, a number or an address belongs, a word or a number that is none is a slip too: `models=often`, `localhost:9464`.
fn is_slip(error: &clap::Error, text: &str) -> bool {
    const PLACES: [&str; 6] = ["--every", "--timeout", "--slow", "--objective", "--serve", "--dns-server"];
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return false };
    let is_word = |piece: &str| piece.len() <= 10 && piece.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_time = |piece: &str| {
        let of_times = |byte: u8| byte.is_ascii_digit() || b"dhmsu".contains(&byte);
        piece.len() <= 8
            && piece.starts_with(|first: char| first.is_ascii_digit())
            && piece.bytes().all(of_times)
    };
    let mut pieces = text.split(['=', ':', '.', ',', '-', '%', '[', ']']);
    PLACES.contains(&argument.split(' ').next().unwrap_or_default())
        && text.len() <= 24
        && pieces.all(|piece| is_word(piece) || is_time(piece))
}

/// What is wrong, from a message that goes on with the whole usage, on one line.
fn usage(message: &str) -> String {
    let paragraphs = message.trim_start_matches("error: ").split("\n\n");
    let telling = paragraphs.take_while(|text| !text.starts_with("Usage:") && !text.starts_with("For more"));
    let lines = telling.map(|text| text.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    let line = lines.collect::<Vec<_>>().join("; ");
    format!("{}; see `claudectl --help`", console::plain(line.trim()))
}
