//! The seam: what every source of secrets can do.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;

use crate::{Error, Secret, SecretName};

/// Something that may know secrets by name.
///
/// `test_util::contract` (feature `test-util`) checks an implementation against what is written here. Neither
/// `Debug` nor an error of a provider may contain a secret.
#[async_trait]
pub trait SecretProvider: Debug + Send + Sync + 'static {
    /// Looks the secret up, anew each time.
    ///
    /// `None` means that this provider has nothing by that name and that another one may be asked.
    ///
    /// # Errors
    ///
    /// The secret is here but cannot be used, or the provider cannot tell: nobody else should be asked, because a
    /// stale secret from elsewhere is worse than a clear stop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error>;
}

#[async_trait]
impl<T: SecretProvider + ?Sized> SecretProvider for Arc<T> {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        (**self).get(name).await
    }
}

/// A secret that one has already is the answer to every name.
#[async_trait]
impl SecretProvider for Secret {
    async fn get(&self, _: SecretName) -> Result<Option<Secret>, Error> {
        Ok(Some(self.duplicate()))
    }
}
