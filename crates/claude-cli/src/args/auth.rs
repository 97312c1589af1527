//! What can be typed about logging in and out.

use clap::{Args as ClapArgs, Subcommand};
use claude_sdk::profile::ProfileName;

use super::profile::profile_name;

/// The commands on logins.
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    /// Log in with a browser, by pasting a code, or on another device.
    #[command(after_help = LOGIN_HELP)]
    Login(Box<LoginArgs>),
    /// Give the tokens back to the server and remove them, also where the server cannot be reached.
    Logout(LogoutArgs),
    /// Say who is logged in, which credential a call would use and why; fails where there is none. Asks no server,
    /// except for the time if --clock is given.
    Status(StatusArgs),
    /// Print an access token that is good now, renewed if need be: for scripts, and for programs that ask a command.
    Token(SessionArgs),
    /// Renew the access token now. Many may do it at once: the refresh token is spent by one of them.
    Refresh(SessionArgs),
}

const LOGIN_HELP: &str = "\
Environment:
  CLAUDE_CLIENT_ID      the client id, unless --client-id or the profile says so
  CLAUDE_CLIENT_SECRET  the secret of a confidential client, or where it is
  ANTHROPIC_PROFILE     the profile, unless --profile says so
  ANTHROPIC_BASE_URL    where the API is, unless --base-url or the profile says so
  BROWSER               the program that opens the link

On a machine without a browser:
  claudectl auth login --no-browser                        open the link anywhere, paste what the last page shows
  claudectl auth login --no-browser --callback-port 8123   the same through `ssh -L`, without pasting
  claudectl auth login --device                            enter a code anywhere, where the server knows how";

/// How to log in. What is given and differs from the profile is written into it.
#[derive(Debug, ClapArgs)]
pub struct LoginArgs {
    /// The profile to log in for; it is made if there is none, and becomes the active one.
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    pub profile: Option<ProfileName>,
    /// Your client's id, as the server gave it to you; none is built in.
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Where the secret of a confidential client is: `env:NAME`, `file:PATH`, `vault:PATH#FIELD`, …; never the secret itself.
    #[arg(long, value_name = "REFERENCE")]
    pub client_secret: Option<String>,
    /// A scope to ask for; may be given again for more.
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// The workspace the tokens are for.
    #[arg(long, value_name = "ID")]
    pub workspace_id: Option<String>,
    /// The organization the tokens are for.
    #[arg(long, value_name = "ID")]
    pub organization_id: Option<String>,
    /// Where the API is.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Where one consents, if that is not Claude's console.
    #[arg(long, value_name = "URL")]
    pub console_url: Option<String>,
    /// Log in at this OAuth server, which says itself where its endpoints are.
    #[arg(long, value_name = "URL", conflicts_with = "console_url")]
    pub issuer: Option<String>,
    /// Open no browser: print the link only.
    #[arg(long)]
    pub no_browser: bool,
    /// Wait for the browser on this port, which may be another machine's by `ssh -L`.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub callback_port: Option<u16>,
    /// Log in on another device, by entering a code there.
    #[arg(long, conflicts_with = "callback_port")]
    pub device: bool,
    /// Give up after so many seconds; 300 if not given, with --device when the code expires.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which session to end.
#[derive(Debug, ClapArgs)]
pub struct LogoutArgs {
    /// The profile to log out of.
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    pub profile: Option<ProfileName>,
    /// Log out of all profiles.
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What to say of it.
#[derive(Debug, ClapArgs)]
pub struct StatusArgs {
    /// The profile; without it what a call would use.
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    pub profile: Option<ProfileName>,
    /// Ask the API for the time, and say how far this machine's clock is off.
    #[arg(long)]
    pub clock: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which session it is about.
#[derive(Debug, ClapArgs)]
pub struct SessionArgs {
    /// The profile; without it the one that the environment names, or the active one.
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    pub profile: Option<ProfileName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
