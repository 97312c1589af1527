//! The ways in which the server can fail to start.

use std::io;

/// The server could not be started.
///
/// Once it runs, nothing a client sends is an error of the server: it becomes an HTTP reply and a
/// journal entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port could not be bound.
    #[error("cannot listen on 127.0.0.1:{port}: choose another port, or 0 for any free one")]
    Listen {
        /// The port that was asked for; 0 means any free one.
        port: u16,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A value given to the [`Builder`](crate::Builder) cannot work.
    #[error("the setting {name} cannot be used: {hint}")]
    Setting {
        /// The builder's method.
        name: &'static str,
        /// What the value has to be.
        hint: &'static str,
    },
    /// [Limits](crate::Limits) are for a class that no model is of.
    #[error("{told}")]
    ModelClass {
        /// What is wrong, with the classes there are; not the one that was given.
        told: String,
    },
}
