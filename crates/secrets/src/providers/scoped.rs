//! One environment's part of a backend.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Error, Leased, Secret, SecretName, SecretProvider, SecretStore};

/// Puts a prefix before every name, so that each environment has secrets of its own in one backend.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), secrets::Error> {
/// use secrets::{SecretName, SecretProvider, providers::{Memory, Scoped}};
///
/// let backend = Memory::new().with(SecretName::new("prod/api-key")?, "sk-1".to_owned());
/// let prod = Scoped::new(backend, "prod/");
/// assert_eq!(prod.get(SecretName::new("api-key")?).await?.map(|key| key.expose().len()), Some(4));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Scoped<P> {
    inner: P,
    prefix: String,
}

impl<P> Scoped<P> {
    /// Asks `inner` for `prefix` and the name: `prod/` for a backend with paths, `PROD_` for variables.
    #[must_use]
    pub fn new(inner: P, prefix: impl Into<String>) -> Self {
        Self { inner, prefix: prefix.into() }
    }

    fn within(&self, name: &SecretName) -> Result<SecretName, Error> {
        SecretName::new(format!("{}{name}", self.prefix))
    }
}

#[async_trait]
impl<P: SecretProvider> SecretProvider for Scoped<P> {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        self.inner.get(self.within(&name)?).await
    }
}

#[async_trait]
impl<P: SecretStore> SecretStore for Scoped<P> {
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        self.inner.put(self.within(&name)?, secret).await
    }

    async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error> {
        self.inner.put_if(self.within(&name)?, secret, version).await
    }

    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        self.inner.delete(self.within(&name)?).await
    }

    async fn lease(&self, name: SecretName, lasting: Duration) -> Result<Option<Leased>, Error> {
        self.inner.lease(self.within(&name)?, lasting).await
    }
}
