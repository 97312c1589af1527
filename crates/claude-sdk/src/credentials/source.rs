use std::{
    fmt,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use transport::Clock;

use super::Credential;
use crate::error::AuthError;

/// Somewhere a credential can be had from, again and again: nothing is used up by asking.
///
/// [`Cached`](super::Cached) makes a [`CredentialProvider`](super::CredentialProvider) of it, which asks once for all
/// callers and again before what it got runs out. So a source only asks: it keeps nothing, starts nothing and waits for
/// no lock.
///
/// Example: [`Cached`](crate::credentials::Cached).
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Asks once. Time is that of `clock`.
    ///
    /// # Errors
    ///
    /// An [`AuthError`] is given to everybody who waits, and the source is left alone for a while. It must hold no secret.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when it takes longer than [`patience`](Self::patience), and then leaves nothing behind.
    async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError>;

    /// How long [`grant`](Self::grant) may take; 30 s where nothing else is said.
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// What a [`TokenSource`] gave.
///
/// Example: [`Cached`](crate::credentials::Cached).
#[derive(Debug, Clone)]
pub struct Grant {
    /// The credential; which renewal it is, is counted by whoever asked.
    pub credential: Credential,
    /// When it runs out, by the clock that was given; `None` is one to be used until it is refused.
    pub expires_at: Option<SystemTime>,
}
