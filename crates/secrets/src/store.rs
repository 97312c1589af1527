//! The seam for stores: sources of secrets that can be written too.

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{Error, ErrorKind, Secret, SecretName, SecretProvider};

/// A [`SecretProvider`] whose secrets can be changed.
///
/// `test_util::store_contract` (feature `test-util`) checks an implementation against what is written here.
#[async_trait]
pub trait SecretStore: SecretProvider {
    /// Makes `secret` the value of `name`, durably, all or nothing.
    ///
    /// # Errors
    ///
    /// The former value is still there, unless the store could not tell.
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error>;

    /// Makes `secret` the value if `version` is still the newest, 0 meaning that there is none yet; returns the new version.
    ///
    /// The version of a secret is told by [`Secret::version`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Superseded`] where another version is the newest: read it, and decide
    /// again. [`ErrorKind::Unsupported`] where the store does not count; nothing is written.
    async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error> {
        let _ = (secret, version);
        Err(Error::new(ErrorKind::Unsupported, format!("the secret {name}")))
    }

    /// Removes the secret; it is no error where there is none.
    ///
    /// # Errors
    ///
    /// It may still be there.
    async fn delete(&self, name: SecretName) -> Result<(), Error>;

    /// Tries to take the sole right to change a secret, for a while; `None` where this store has no such thing.
    ///
    /// It does not wait: whoever is told that somebody else has it asks again.
    ///
    /// # Errors
    ///
    /// The store cannot tell.
    async fn lease(&self, name: SecretName, lasting: Duration) -> Result<Option<Leased>, Error> {
        let _ = (name, lasting);
        Ok(None)
    }
}

#[async_trait]
impl<T: SecretStore + ?Sized> SecretStore for Arc<T> {
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        (**self).put(name, secret).await
    }

    async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error> {
        (**self).put_if(name, secret, version).await
    }

    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        (**self).delete(name).await
    }

    async fn lease(&self, name: SecretName, lasting: Duration) -> Result<Option<Leased>, Error> {
        (**self).lease(name, lasting).await
    }
}

/// What came of asking for a lease.
#[derive(Debug)]
pub enum Leased {
    /// It is held now.
    Held(Arc<dyn Lease>),
    /// Somebody else has it, for this long at the most if nobody extends it.
    Busy(Duration),
}

/// The sole right to change one secret, until it runs out. Leases of one secret are numbered in the order they were
/// taken.
///
/// A lease that has run out unnoticed, because its holder was stopped for a while say, is of no harm: what a later lease
/// has written, an earlier one cannot overwrite. Dropping a lease gives nothing up; it runs out.
#[async_trait]
pub trait Lease: Debug + Send + Sync + 'static {
    /// Makes `secret` the value, or removes it where that is `None`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Superseded`](crate::ErrorKind::Superseded) where a later lease, or somebody without one, has changed
    /// the secret since.
    async fn replace(&self, secret: Option<Secret>) -> Result<(), Error>;

    /// Makes the lease last this long from now; no time at all gives it up. `false` where it had run out.
    ///
    /// # Errors
    ///
    /// The store cannot tell.
    async fn extend(&self, lasting: Duration) -> Result<bool, Error>;
}
