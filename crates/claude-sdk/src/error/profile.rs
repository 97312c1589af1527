use std::{io, path::PathBuf, sync::Arc};

use super::{ConfigError, StoreError};
use crate::profile::Member;

/// Why a profile could not be read, used or written. No variant holds a file's content.
///
/// Example: [`profile`](crate::profile).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// What should name a profile cannot.
    #[error(
        "{place} is no profile's name; take letters, digits, `.`, `_` and `-`, at most 100 of them, and no dot first"
    )]
    Name {
        /// Where the name was found: a variable, a file.
        place: String,
    },
    /// The environment does not say where profiles are.
    #[error("there is no folder for profiles; set ANTHROPIC_CONFIG_DIR, or HOME")]
    NoFolder,
    /// There is no such profile.
    #[error(
        "there is no profile {name:?} in {folder:?}; make it with `claudectl auth login --profile {name}`, or name another"
    )]
    Missing {
        /// The name.
        name: String,
        /// The folder of the profiles.
        folder: PathBuf,
    },
    /// A file could be changed (or, with secrets in it, read) by others, or is not a regular file; or a variable holds
    /// what cannot be used.
    #[error("{0}")]
    Unsafe(Arc<secrets::Error>),
    /// A file is not what it should be.
    #[error("{path:?} cannot be used ({what}); mend it, or move it away and log in again")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong, never the content.
        what: String,
    },
    /// A file of a version to come.
    #[error("{path:?} was written for a newer program (its version is not 1.x); update this one")]
    Version {
        /// The file.
        path: PathBuf,
    },
    /// A member cannot be used as it is.
    #[error("the profile's {member} {what}")]
    Member {
        /// The member.
        member: &'static str,
        /// What is wrong and what to do, never the value.
        what: String,
    },
    /// A variable for other programs cannot be used as it is.
    #[error("the profile's variable {name} {what}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong and what to do, never the value.
        what: &'static str,
    },
    /// There is no member of this name.
    #[error("a profile has no member of this name; `claudectl profile set --help` lists them")]
    UnknownMember,
    /// The tokens of a profile could not be used.
    #[error(transparent)]
    Tokens(StoreError),
    /// A file operation failed.
    #[error("{action} {path:?} failed ({kind}); check that the folder exists, is yours and has room")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// How it failed.
        kind: io::ErrorKind,
    },
}

impl ProfileError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: &io::Error) -> Self {
        Self::Io { action, path: path.into(), kind: source.kind() }
    }

    pub(crate) fn member(member: Member, what: impl Into<String>) -> Self {
        Self::Member { member: member.as_str(), what: what.into() }
    }

    /// A URL that breaks a rule of all URLs that credentials go to.
    pub(crate) fn url(member: Member, error: &ConfigError) -> Self {
        Self::member(member, format!("cannot be used: {error}"))
    }
}

impl From<secrets::Error> for ProfileError {
    fn from(error: secrets::Error) -> Self {
        Self::Unsafe(Arc::new(error))
    }
}
