//! `claudectl`, the Claude API from a terminal.
//!
//! The binary is a thin shell around this library, so that tests can run its commands in process. Standard output
//! carries results only; progress, hints and errors go to standard error. A failure is one line and exit status 1,
//! wrong usage is exit status 2.

#![allow(clippy::print_stderr, reason = "a command-line program speaks on standard error")]

pub mod args;
mod connection;
mod messages;
mod mock;
pub mod quickstart;

use std::{io, process::ExitCode};

use args::{Args, Command, MessagesCommand};
use clap::CommandFactory;

/// Runs one command and gives the exit status.
pub async fn run(args: Args) -> ExitCode {
    let result = match args.command {
        Command::Messages { command: MessagesCommand::Create(args) } => messages::create(args).await,
        Command::Messages { command: MessagesCommand::Stream(args) } => messages::stream(args).await,
        Command::Mock(args) => mock::run(args).await,
        Command::Quickstart { json } => quickstart::run(json).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "claudectl", &mut io::stdout());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has stopped reading: nothing is wrong, and nobody is there to be told.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("claudectl: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The error and its causes on one line, each said once.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string().replace(char::is_control, " ");
        if line.contains(&text) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&text);
    }
    line
}
