use std::fmt;

#[cfg(feature = "profile")]
use crate::profile::ProfileName;

/// Where a credential comes from.
///
/// Example: [`Resolution`](crate::credentials::Resolution).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The variable `ANTHROPIC_API_KEY`.
    ApiKey,
    /// The variable `ANTHROPIC_AUTH_TOKEN`.
    AuthToken,
    /// A profile that the program or its arguments named.
    #[cfg(feature = "profile")]
    Profile(ProfileName),
    /// The profile that `ANTHROPIC_PROFILE` names.
    #[cfg(feature = "profile")]
    NamedProfile(ProfileName),
    /// The identity of a workload, which the federation variables describe.
    Federation {
        /// Whether it is in a file; else it is in a variable.
        file: bool,
    },
    /// The profile that `active_config` names.
    #[cfg(feature = "profile")]
    ActiveProfile(ProfileName),
    /// The profile `default`, since nobody names one.
    #[cfg(feature = "profile")]
    DefaultProfile(ProfileName),
}

impl Source {
    /// The profile, if it is one.
    #[cfg(feature = "profile")]
    #[must_use]
    pub fn profile(&self) -> Option<&ProfileName> {
        match self {
            Self::Profile(name)
            | Self::NamedProfile(name)
            | Self::ActiveProfile(name)
            | Self::DefaultProfile(name) => Some(name),
            Self::ApiKey | Self::AuthToken | Self::Federation { .. } => None,
        }
    }

    /// The profile that stays the one, whatever becomes the active one.
    #[cfg(feature = "profile")]
    pub(super) fn chosen_profile(&self) -> Option<&ProfileName> {
        match self {
            Self::Profile(name) | Self::NamedProfile(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn is_fixed(&self) -> bool {
        matches!(self, Self::ApiKey | Self::AuthToken)
    }

    #[cfg(feature = "profile")]
    pub(super) fn is_same_profile(&self, other: &Self) -> bool {
        self.profile().is_some() && self.profile() == other.profile()
    }

    #[cfg(not(feature = "profile"))]
    pub(super) fn is_same_profile(&self, _: &Self) -> bool {
        false
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey => f.write_str("ANTHROPIC_API_KEY"),
            Self::AuthToken => f.write_str("ANTHROPIC_AUTH_TOKEN"),
            #[cfg(feature = "profile")]
            Self::Profile(name) => write!(f, "the profile {name}"),
            #[cfg(feature = "profile")]
            Self::NamedProfile(name) => write!(f, "the profile {name} (ANTHROPIC_PROFILE names it)"),
            Self::Federation { file: true } => f.write_str("the federation variables (with a token file)"),
            Self::Federation { file: false } => f.write_str("the federation variables (with a token)"),
            #[cfg(feature = "profile")]
            Self::ActiveProfile(name) => write!(f, "the profile {name} (active_config names it)"),
            #[cfg(feature = "profile")]
            Self::DefaultProfile(name) => write!(f, "the profile {name} (nobody names another)"),
        }
    }
}
