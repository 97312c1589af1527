//! What can be typed about messages.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{ConnectionArgs, ENVIRONMENT};

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
