use std::{fmt, io, time::Duration};

/// Why a helper program gave no credential. None of it is what the helper printed, but the last line of its errors.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HelperProblem {
    /// It could not be started.
    NotStarted(io::ErrorKind),
    /// It ended with another status than 0.
    Failed {
        /// The status, or nothing where a signal ended it.
        status: Option<i32>,
        /// The last line of its errors, made fit to be shown; empty where there is none.
        said: String,
    },
    /// It took too long and was stopped.
    TimedOut(Duration),
    /// Its output could not be read.
    Unreadable(io::ErrorKind),
    /// It printed more than 64 KiB.
    TooLarge,
    /// It printed nothing.
    Empty,
    /// It printed several lines, and not one JSON object.
    ManyLines,
    /// It printed something else than a token: blanks, control characters, or other than ASCII.
    NotAToken,
    /// It printed JSON that is not what was expected.
    Json(&'static str),
}

impl HelperProblem {
    /// Whether the helper may do better later, without anybody's doing.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut(_) | Self::Unreadable(_))
    }
}

impl fmt::Display for HelperProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(kind) => {
                write!(f, "cannot be started ({kind}); check its path and that it may be run")
            }
            Self::Failed { status, said } => {
                match status {
                    Some(status) => write!(f, "failed with status {status}")?,
                    None => f.write_str("was ended by a signal")?,
                }
                if said.is_empty() {
                    f.write_str("; run it by hand to see why")
                } else {
                    write!(f, ": {said}")
                }
            }
            Self::TimedOut(after) => {
                write!(
                    f,
                    "took longer than {} s and was stopped; run it by hand to see why",
                    after.as_secs_f64()
                )
            }
            Self::Unreadable(kind) => write!(f, "printed what could not be read ({kind})"),
            Self::TooLarge => {
                f.write_str("printed more than 64 KiB; it should print the token, and nothing else")
            }
            Self::Empty => f.write_str("printed nothing; it should print the token to its standard output"),
            Self::ManyLines => f.write_str(
                "printed several lines; it should print the token, or one JSON object, and nothing else",
            ),
            Self::NotAToken => f.write_str(
                "printed blanks or characters that no token has; it should print the token, and nothing else",
            ),
            Self::Json(what) => write!(f, "printed JSON that is not right: {what}"),
        }
    }
}
