//! Secrets the program has already.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{Error, ErrorKind, Secret, SecretName, SecretProvider, SecretStore};

/// Secrets in memory: for tests, and for programs that got theirs in another way.
#[derive(Default)]
pub struct Memory {
    secrets: Mutex<HashMap<SecretName, Secret>>,
}

impl Memory {
    /// Makes a store that knows nothing.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret, in the place of an earlier one of that name.
    #[must_use]
    pub fn with(self, name: SecretName, secret: impl Into<Secret>) -> Self {
        Self::insert(&mut self.secrets(), name, secret.into());
        self
    }

    /// Puts the secret there as the next version, which is returned.
    #[inline]
    fn insert(secrets: &mut HashMap<SecretName, Secret>, name: SecretName, secret: Secret) -> u64 {
        let version = secrets.get(&name).and_then(Secret::version).unwrap_or_default().saturating_add(1);
        secrets.insert(name, secret.with_version(version));
        version
    }

    fn secrets(&self) -> MutexGuard<'_, HashMap<SecretName, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SecretProvider for Memory {
    #[inline]
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        Ok(self.secrets().get(&name).map(Secret::duplicate))
    }
}

#[async_trait]
impl SecretStore for Memory {
    #[inline]
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        Self::insert(&mut self.secrets(), name, secret);
        Ok(())
    }

    #[inline]
    async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error> {
        let mut secrets = self.secrets();
        if secrets.get(&name).and_then(Secret::version).unwrap_or_default() != version {
            return Err(Error::new(ErrorKind::Superseded, format!("the secret {name} in memory")));
        }
        Ok(Self::insert(&mut secrets, name, secret))
    }

    #[inline]
    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        self.secrets().remove(&name);
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("secrets", &*self.secrets()).finish()
    }
}
