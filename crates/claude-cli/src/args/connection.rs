//! What can be typed about where the API is and whose calls these are.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use claude_sdk::{ApiVersion, profile::ProfileName};

use super::profile::profile_name;

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

/// What the environment decides of a call.
pub(super) const ENVIRONMENT: &str = "\
Environment:
  ANTHROPIC_API_KEY      the API key or where it is (`file:PATH`, …), or
  ANTHROPIC_AUTH_TOKEN   an access token or where it is, or
  ANTHROPIC_PROFILE      the profile; without any of them, the active one
  ANTHROPIC_BASE_URL     where the API is, unless --base-url says so
  HTTPS_PROXY, NO_PROXY  the proxy to go through, and for which hosts not to
`claudectl auth status` says which of them would be used.";
