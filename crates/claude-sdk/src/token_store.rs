//! Where a session is kept between runs and between processes: the [`TokenStore`] seam.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use auth_core::Snapshot;

use crate::error::StoreError;

#[cfg(feature = "test-util")]
mod contract;
#[cfg(feature = "profile")]
mod file;
mod format;
mod note;
mod secret;

#[cfg(feature = "test-util")]
pub use contract::contract;
#[cfg(feature = "profile")]
pub use file::FileTokenStore;
pub use secret::SecretTokenStore;

/// Keeps the tokens of one session; swap in your own to keep them anywhere.
///
/// A rotating refresh token may be spent once in all. So whoever renews holds [`lock`](Self::lock), reads again
/// with [`load`](Self::load), [prepares](Self::prepare), and only then spends what it read.
///
/// Example: [`SecretTokenStore`].
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The stored session, or `None` where there is none yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where something is there that cannot be used. It must never be reported as `None`.
    async fn load(&self) -> Result<Option<Snapshot>, StoreError>;

    /// Makes `snapshot` the stored session, durably, all or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where it could not be made durable; the former session is then still in place.
    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError>;

    /// Removes the stored session, durably; it is no error where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where it may still be there.
    async fn remove(&self) -> Result<(), StoreError>;

    /// Waits until no other holder is renewing this session, in this process or another.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] where the wait was too long.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the wait; dropping the [`StoreLock`] gives up the lock.
    async fn lock(&self) -> Result<StoreLock, StoreError>;

    /// Gets ready for the refresh token of `spending` to be sent, once and for all: whoever renews calls this under the
    /// lock, sends nothing where it fails, and waits for the answer until `deadline` at the longest.
    ///
    /// Where it fails, it leaves nothing behind. A store that can fail secures here what [`save`](Self::save) will need, so that a full disk is found out while
    /// the token is still good; and it notes what is about to happen, so that whoever takes the lock after a crash
    /// knows. The note goes with the next `save`, with [`remove`](Self::remove), or with [`cancel`](Self::cancel).
    ///
    /// The default is right for a store that ends with its process: it does nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where a renewed session could not be saved.
    async fn prepare(&self, spending: Snapshot, deadline: SystemTime) -> Result<Sending, StoreError> {
        let _ = (spending, deadline);
        Ok(Sending::First)
    }

    /// Takes back what [`prepare`](Self::prepare) noted: the refresh token was certainly not used up.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the note may still be there; a later refusal is then called doubtful, and nothing is lost.
    async fn cancel(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What is known of a refresh token that is about to be sent.
///
/// Example: [`SecretTokenStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Nobody is known to have sent it.
    First,
    /// Somebody may have: whoever noted it did not come to store an answer.
    Again,
}

#[async_trait]
impl<T: TokenStore + ?Sized> TokenStore for Arc<T> {
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        (**self).load().await
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        (**self).save(snapshot).await
    }

    async fn remove(&self) -> Result<(), StoreError> {
        (**self).remove().await
    }

    async fn lock(&self) -> Result<StoreLock, StoreError> {
        (**self).lock().await
    }

    async fn prepare(&self, spending: Snapshot, deadline: SystemTime) -> Result<Sending, StoreError> {
        (**self).prepare(spending, deadline).await
    }

    async fn cancel(&self) -> Result<(), StoreError> {
        (**self).cancel().await
    }
}

/// A held lock; it is given up when this is dropped.
///
/// Example: [`SecretTokenStore`].
#[must_use = "the lock is given up when this is dropped"]
pub struct StoreLock(#[expect(dead_code, reason = "held for its drop")] Box<dyn Any + Send>);

impl StoreLock {
    /// Wraps whatever releases the lock when it is dropped.
    pub fn new(guard: impl Any + Send) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}

/// A session kept in this process only: for services that log in anew at each start, and for tests.
///
/// Example: [`SecretTokenStore`].
#[derive(Debug, Default)]
pub struct MemoryTokenStore {
    stored: Mutex<Option<Snapshot>>,
    renewing: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryTokenStore {
    /// A store that holds `snapshot`.
    #[must_use]
    #[inline]
    pub fn new(snapshot: Snapshot) -> Self {
        Self { stored: Mutex::new(Some(snapshot)), renewing: Arc::default() }
    }
}

#[async_trait]
impl TokenStore for MemoryTokenStore {
    #[inline]
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    #[inline]
    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
        Ok(())
    }

    #[inline]
    async fn remove(&self) -> Result<(), StoreError> {
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    #[inline]
    async fn lock(&self) -> Result<StoreLock, StoreError> {
        Ok(StoreLock::new(Arc::clone(&self.renewing).lock_owned().await))
    }
}

#[cfg(feature = "test-util")]
mockall::mock! {
    /// A mockall mock of the seam.
    #[derive(Debug)]
    pub TokenStore {}

    #[async_trait]
    impl TokenStore for TokenStore {
        async fn load(&self) -> Result<Option<Snapshot>, StoreError>;
        async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError>;
        async fn remove(&self) -> Result<(), StoreError>;
        async fn lock(&self) -> Result<StoreLock, StoreError>;
        async fn prepare(&self, spending: Snapshot, deadline: SystemTime) -> Result<Sending, StoreError>;
        async fn cancel(&self) -> Result<(), StoreError>;
    }
}
