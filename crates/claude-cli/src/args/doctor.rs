//! What can be typed about the doctor.

use std::net::SocketAddr;

use clap::Args as ClapArgs;

use super::{
    ConnectionArgs,
    host::{TimeServer, address},
};

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
