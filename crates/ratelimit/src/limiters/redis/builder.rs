//! How a [`Redis`] is made.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Redis, WhenGone,
    desk::{Desk, Settings},
    server::{Server, Store},
};
use crate::{Key, Limits, Timer};

/// The settings of a [`Redis`].
#[derive(Clone)]
#[must_use = "call `build`"]
pub struct RedisBuilder {
    pub(super) urls: Vec<String>,
    pub(super) prefix: String,
    pub(super) in_clear: bool,
    pub(super) settings: Settings,
}

impl RedisBuilder {
    /// Sets other limits for one key.
    pub fn limits_of(mut self, key: impl Into<Key>, limits: Limits) -> Self {
        self.settings.special.insert(Arc::clone(key.into().parts().0), limits);
        self
    }

    /// Has each process take blocks, and give permits out of them without asking: faster by the length of a round trip,
    /// and up to 2 % of the burst more in a stretch of time. How much may go on at once is divided by the processes.
    pub fn leased(mut self) -> Self {
        self.settings.is_leased = true;
        self
    }

    /// Sets what happens while the server is gone; each process goes on with its share when it is not set.
    pub fn when_gone(mut self, when_gone: WhenGone) -> Self {
        self.settings.when_gone = when_gone;
        self
    }

    /// Sets how long a permit may be out before it counts as lost; ten minutes when it is not set.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// Sets how long a question to the server may take before it counts as gone; 50 ms when it is not set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Sets what the names of the keys at the server begin with; `ratelimit` when it is not set.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Allows a password in the address of another machine: whoever can listen on the way reads it.
    pub fn danger_password_in_clear(mut self) -> Self {
        self.in_clear = true;
        self
    }

    /// Makes the limiter; nothing is sent yet. Waiting and local time come from `timer`.
    ///
    /// # Errors
    ///
    /// [`BuildError`] where an address cannot be used.
    pub fn build(self, timer: impl Timer) -> Result<Redis, BuildError> {
        let server = Server::new(&self.urls, &self.prefix, self.in_clear)?;
        Ok(self.build_on(server, timer))
    }

    pub(super) fn build_on(self, store: impl Store, timer: impl Timer) -> Redis {
        Redis(Arc::new(Desk::new(self.settings, Box::new(store), Arc::new(timer))))
    }
}

/// The addresses may hold passwords.
impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Why no [`Redis`] was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An address is none.
    #[error(
        "the address of Redis cannot be read: write redis://user:password@host:port/database or unix:///path"
    )]
    Address,
    /// An address wants TLS.
    #[error(
        "connections to Redis are not encrypted here: go through a tunnel, and write redis://127.0.0.1:port"
    )]
    Encrypted,
    /// A password would be sent to another machine in clear.
    #[error(
        "the password for Redis would be sent to another machine in clear: use a network that nobody listens to and say `danger_password_in_clear`"
    )]
    Cleartext,
}
