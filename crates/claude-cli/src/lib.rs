//! `claudectl`, the Claude API from a terminal.
//!
//! The binary is a thin shell around this library, so that tests can run its commands in process. Standard output
//! carries results only; progress, hints and errors go to standard error. A failure is one line, or with `--json` one JSON object,
//! and exit status 1,
//! wrong usage is exit status 2, keys that a scan found are 3, a renewal that only a new login can replace is 4, batches that
//! have ended with messages that were not answered are 5, and a command that a signal cut short has the status that shells
//! give it (130 for Ctrl-C).
//!
//! A standard output that cannot be written is a failure, one that is open for reading only too. One that is closed from the start
//! (`>&-`) is not known here to be: on Unix Rust's own start puts `/dev/null` in its place, for reading and writing, which is what
//! Python and Node give a program whose output they do not want; and whatever runs before that start is `unsafe`.

mod api;
pub mod args;
mod auth;
mod batches;
mod connection;
mod console;
mod decode;
mod doctor;
mod env;
mod failure;
mod files;
mod hardening;
mod interrupt;
mod limits;
mod man;
mod messages;
mod mock;
mod models;
mod monitor;
#[cfg(feature = "otlp")]
mod otlp;
mod profile;
mod progress;
pub mod quickstart;
mod references;
mod remarks;
mod secrets;
mod vault;
mod wording;

use std::process::ExitCode;

use anyhow::anyhow;
use args::{Args, Command, MessagesCommand};
use clap::CommandFactory;
use clap_complete::Shell;
use console::{Ending, OutputError};
use failure::tell_failure;

/// Runs one command on a runtime of its own and gives the exit status.
///
/// One thread is enough for a program that waits; and it is made here, because a machine that is out of file
/// descriptors should get its one line too.
#[must_use]
pub fn run_to_end(args: Args) -> ExitCode {
    hardening::harden();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let status = runtime.block_on(run(args));
            // A name that is still being looked up has no reader any more, and may take half a minute.
            runtime.shutdown_background();
            status
        }
        Err(error) => {
            tell_failure(&anyhow!("the program could not start ({error}); check the limit on open files"));
            ExitCode::FAILURE
        }
    }
}

/// Runs one command and gives the exit status.
pub async fn run(args: Args) -> ExitCode {
    #[cfg(feature = "otlp")]
    let export = otlp::Export::begin();
    let result = match args.command {
        Command::Messages { command: MessagesCommand::Create(args) } => messages::create(args).await,
        Command::Messages { command: MessagesCommand::Stream(args) } => messages::stream(args).await,
        Command::Messages { command: MessagesCommand::Count(args) } => messages::count(args).await,
        Command::Batches { command } => batches::run(command).await,
        Command::Files { command } => files::run(command).await,
        Command::Models { command } => models::run(command).await,
        Command::Api(args) => api::run(args).await,
        Command::Stream { command } => decode::run(&command),
        Command::Auth { command } => auth::run(command).await,
        Command::Profile { command } => profile::run(command).await,
        Command::Env { command } => env::run(command).await,
        Command::Secrets { command } => secrets::run(command).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Monitor(args) => monitor::run(*args).await,
        Command::Limits(args) => limits::run(args).await,
        Command::Mock(args) => mock::run(args).await,
        Command::Quickstart { json } => Box::pin(quickstart::run(json)).await,
        Command::Completions { shell } => completions(shell),
        Command::Man(args) => man::run(&args),
    };
    #[cfg(feature = "otlp")]
    if let Some(export) = export {
        export.end().await;
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Nothing is wrong, and nobody is there to be told.
        Err(error) if error.downcast_ref().is_some_and(OutputError::is_unread) => ExitCode::SUCCESS,
        Err(error) => {
            tell_failure(&error);
            error.downcast_ref().map_or(ExitCode::FAILURE, |ending: &Ending| ending.status.into())
        }
    }
}

fn completions(shell: Shell) -> anyhow::Result<()> {
    // By way of memory: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "claudectl", &mut script);
    Ok(console::print(script)?)
}
