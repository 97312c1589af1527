use std::{io, path::PathBuf};

use crate::error::Error;

/// Why a [`BatchJob`](crate::BatchJob) cannot go on.
///
/// Example: [`BatchJob`](crate::BatchJob).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The job's file cannot be read or written.
    #[error("the job's file {} cannot be read or written; check the path, and the room on the disk", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The job's file is not one.
    #[error("{} is no file of a job; give another path, or remove it to begin anew", path.display())]
    Format {
        /// Where it is.
        path: PathBuf,
    },
    /// Another process is sending the job's messages.
    #[error(
        "another process is sending the messages of the job {}; wait until it is done, `progress` tells how far the job is",
        path.display()
    )]
    InUse {
        /// Where the job's file is.
        path: PathBuf,
    },
    /// There are no messages.
    #[error("there are no messages; give at least one")]
    Empty,
    /// A message has a name that the service would not take.
    #[error(
        "the custom_id {name:?} is not 1 to 64 letters, digits, hyphens and underscores; give it another"
    )]
    Name {
        /// The name, cut short.
        name: String,
    },
    /// Two messages have the same name.
    #[error("the custom_id {name:?} is there twice; give each message a name of its own")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A message is larger than a batch may be.
    #[error("the message {name:?} alone is larger than a batch may be; make it smaller")]
    TooLarge {
        /// The message's name.
        name: String,
    },
    /// A message cannot be written as JSON.
    #[error("the message {name:?} could not be written as JSON")]
    Serialize {
        /// The message's name.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The messages are not those that were sent before.
    #[error(
        "the messages are not those that {} has noted as sent; give the same ones, or another path to begin anew",
        path.display()
    )]
    Changed {
        /// Where the job's file is.
        path: PathBuf,
    },
    /// A batch may have been created when the program ended, and several could be it.
    #[error(
        "it is not known which of the batches {} was created for {}; cancel the one that is not needed, or begin anew",
        ids.join(", "),
        path.display()
    )]
    Ambiguous {
        /// Where the job's file is.
        path: PathBuf,
        /// Those that could be it.
        ids: Vec<String>,
    },
}
