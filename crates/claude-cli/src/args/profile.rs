//! What can be typed about profiles.

use std::str::FromStr;

use clap::Subcommand;
use claude_sdk::{
    ProfileError,
    profile::{Member, ProfileName},
};

use crate::secrets::shapes::Scanner;

/// The commands on profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the profiles; a star is before the active one.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a profile the active one, which is used when nothing names another.
    Use {
        /// The profile.
        #[arg(value_parser = profile_name)]
        name: ProfileName,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print what a profile says. No token is shown.
    Show {
        /// The profile; without it the one that the environment names, or the active one.
        #[arg(value_parser = profile_name)]
        name: Option<ProfileName>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change a profile, or make one.
    #[command(after_help = KEYS)]
    Set {
        /// The profile.
        #[arg(value_parser = profile_name)]
        name: ProfileName,
        /// What to set; with nothing after the `=`, what to remove.
        #[arg(required = true, value_name = "KEY=VALUE")]
        assignments: Vec<Assignment>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a profile and its tokens. `claudectl auth logout` gives the tokens back first.
    Remove {
        /// The profile.
        #[arg(value_parser = profile_name)]
        name: ProfileName,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A profile's name. A key that was typed in its place would be kept as the name of a file.
pub(super) fn profile_name(text: &str) -> Result<ProfileName, String> {
    if !Scanner::new().scan(text.as_bytes()).is_empty() {
        return Err("there is a key in the name; a profile's name is one like prod".to_owned());
    }
    ProfileName::new(text).map_err(|error| error.to_string())
}

const KEYS: &str = "\
Keys:
  base_url                       where the API is
  organization_id                the organization
  workspace_id                   the workspace
  credentials_path               where the tokens are kept, if not beside the profile
For a person who logs in:
  client_id                      the client's id
  client_secret                  where its secret is, if it has one (env:NAME, file:PATH, vault:PATH#FIELD, …)
  scope                          the scopes to ask for, separated by blanks
  console_url                    where one consents
At another OAuth server than Claude's (`claudectl auth login --issuer URL` sets these):
  issuer                         who it is
  token_endpoint                 where it gives tokens
  authorization_endpoint         where one consents
  revocation_endpoint            where tokens are given back
  device_authorization_endpoint  where a login on another device begins
For an API key:
  api_key                        where it is: env:NAME, file:PATH, mount:PATH, vault:PATH#FIELD, keyring:SERVICE/USER or command:PROGRAM ARGUMENT…
For a workload that its platform vouches for:
  federation_rule_id             the rule (fdrl_…)
  service_account_id             the service account (svac_…)
  identity_token_file            the file of the identity token
  scope                          what the token is good for
For programs that `claudectl env run` starts:
  env.NAME                       where the value of that variable is (env:NAME, file:PATH, vault:PATH#FIELD, …)";

/// What a profile can say.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A member.
    Member(Member),
    /// A variable for other programs: `env.NAME`.
    Variable(String),
}

impl FromStr for Key {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match text.strip_prefix("env.") {
            Some(name) => Ok(Self::Variable(name.to_owned())),
            None => text.parse().map(Self::Member),
        }
    }
}

/// `KEY=VALUE`.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// What is set.
    pub key: Key,
    /// To what; `None` removes it.
    pub value: Option<String>,
}

impl FromStr for Assignment {
    type Err = AssignmentError;

    fn from_str(text: &str) -> Result<Self, AssignmentError> {
        let (key, value) = text.split_once('=').ok_or(AssignmentError::NoEquals)?;
        let value = (!value.is_empty()).then(|| value.to_owned());
        Ok(Self { key: key.parse()?, value })
    }
}

/// Why a text is no `KEY=VALUE`.
#[derive(Debug, thiserror::Error)]
pub enum AssignmentError {
    /// There is no `=`.
    #[error("write it as KEY=VALUE")]
    NoEquals,
    /// There is no such key.
    #[error(transparent)]
    Key(#[from] ProfileError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_key_that_is_taken() {
        let listed = |name: &str| KEYS.lines().any(|line| line.split_whitespace().next() == Some(name));
        for member in Member::ALL {
            assert!(listed(member.as_str()), "{member}");
        }
        for line in KEYS.lines().filter(|line| line.starts_with("  ")) {
            let key = line.split_whitespace().next().unwrap();
            assert!(key.parse::<Key>().is_ok(), "{key}");
        }
    }

    #[test]
    fn an_assignment_is_split_at_its_first_equals_sign() {
        let assignment: Assignment = "console_url=https://a.example/?x=y".parse().unwrap();
        assert_eq!(assignment.value.as_deref(), Some("https://a.example/?x=y"));
        assert_eq!("scope=".parse::<Assignment>().unwrap().value, None);
        assert!("scope".parse::<Assignment>().is_err());
    }
}
