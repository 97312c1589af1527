use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use auth_core::{AssertionError, MissingScope};

use super::{HelperProblem, LoginError};

/// Why no usable credential could be had.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The session is over; a person has to log in again.
    #[error("there is no session: {reason}")]
    LoginRequired {
        /// Why, and what to do about it, in a few words.
        reason: String,
        /// Whether it may have been lost to a crash or to a lost answer, and not ended by anybody.
        maybe_consumed: bool,
    },
    /// The token endpoint could not give a new token now.
    #[error("the access token could not be renewed: {reason}")]
    Renewal {
        /// Why, in a few words, free of secrets.
        reason: String,
        /// Whether a later try may succeed.
        retryable: bool,
        /// How long to wait, where known.
        retry_after: Option<Duration>,
    },
    /// The stored session could not be read or locked.
    #[error("the stored session cannot be used")]
    Store(#[from] StoreError),
    /// A secret source is there but could not be used.
    #[error("the secret source failed: {reason}")]
    Secret {
        /// What the source said, free of secrets.
        reason: String,
        /// What is wrong.
        kind: secrets::ErrorKind,
        /// Whether a later try may succeed.
        retryable: bool,
    },
    /// A secret source has nothing under this name.
    #[error("no secret named {name:?}; store one, or name another")]
    MissingSecret {
        /// The name that was asked for.
        name: String,
    },
    /// An identity token was not sent: no server can accept it.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// A helper program gave no credential.
    #[error("the helper {program:?} {problem}")]
    Helper {
        /// The program.
        program: String,
        /// What went wrong.
        problem: HelperProblem,
    },
    /// Code that was plugged in panicked; whoever waited for it is told so.
    #[error("{what} panicked; mend it, its message is on standard error")]
    Panicked {
        /// Which part it was.
        what: &'static str,
    },
    /// A key or token has characters no header can carry.
    #[error(
        "the credential is empty, or has a line break, a blank or another character that a key cannot have"
    )]
    Malformed,
    /// A credential was about to leave for another origin than its own.
    #[error(
        "a credential of {owner} was not sent to {target}; make {owner} the base URL, or use a profile or a key that \
         belongs to {target}"
    )]
    ForeignOrigin {
        /// The origin the credential belongs to.
        owner: String,
        /// The origin it would have been sent to.
        target: String,
    },
    /// The token lacks scopes that every call of this client needs; nothing was sent.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The profile cannot be used.
    #[cfg(feature = "profile")]
    #[error(transparent)]
    Profile(#[from] super::ProfileError),
    /// A login did not come to its end.
    #[error("the login did not complete")]
    Login(#[from] LoginError),
}

impl AuthError {
    /// Whether a later try may succeed without anybody's doing.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Renewal { retryable, .. } | Self::Secret { retryable, .. } => *retryable,
            Self::Helper { problem, .. } => problem.is_retryable(),
            Self::Store(StoreError::Locked { .. } | StoreError::Superseded { .. }) => true,
            Self::Store(StoreError::Backend(error)) => error.is_retryable(),
            _ => false,
        }
    }

    /// How long to wait before the next try, where known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Renewal { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why a stored session could not be read, written or locked.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
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
    /// The file could be read or changed by others, or is not a regular file.
    #[error("{0}")]
    Unsafe(Arc<secrets::Error>),
    /// The file's content is not a stored session.
    #[error("{path:?} does not hold a stored session ({what}); move it away and log in again")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong, never the content.
        what: &'static str,
    },
    /// Another process held the lock for too long.
    #[error("another process{} has held the lock {path:?} for {waited:?}; is it stopped?", Numbered(*.holder))]
    Locked {
        /// The lock file, or the lock's name where it is no file.
        path: PathBuf,
        /// How long this process waited.
        waited: Duration,
        /// The other process, where it said which it is.
        holder: Option<u32>,
    },
    /// The lock would keep nobody out: the file system has none.
    #[error(
        "the file system of {path:?} has no locks; keep the session on a local disk, or in another store"
    )]
    NoLocks {
        /// The lock file.
        path: PathBuf,
    },
    /// A later version of the format, which this one must not touch.
    #[error("{path:?} was written by a newer program; update this one, or log in under another profile")]
    NewerVersion {
        /// The file.
        path: PathBuf,
    },
    /// The tokens are for another deployment than the one that is spoken to.
    #[error(
        "the tokens in {path:?} are for another deployment than the profile now names; log in again, or set its base \
         URL and endpoints back"
    )]
    OtherDeployment {
        /// The file.
        path: PathBuf,
    },
    /// The profile's name cannot be a file name.
    #[error("a profile's name is made of letters, digits, `.`, `_` and `-`, and does not begin with a dot")]
    ProfileName,
    /// Somebody who came later has stored a session, while this process held its lock too long: read it again.
    #[error(
        "the session in {name:?} was changed by another process meanwhile; it is kept, and to be read again"
    )]
    Superseded {
        /// The secret it is kept in.
        name: String,
    },
    /// The store of secrets that the session is kept in failed.
    #[error("{0}")]
    Backend(Arc<secrets::Error>),
    /// A store of somebody else's failed.
    #[error("{0}")]
    Other(String),
}

struct Numbered(Option<u32>);

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |pid| write!(f, " ({pid})"))
    }
}
