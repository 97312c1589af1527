//! Secrets the program has already.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::{Error, Secret, SecretName, SecretProvider};

/// Secrets from memory: for tests, and for programs that got theirs in another way.
#[derive(Debug, Default)]
pub struct Memory {
    secrets: HashMap<SecretName, Secret>,
}

impl Memory {
    /// Makes a provider that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret, in the place of an earlier one of that name.
    #[must_use]
    pub fn with(mut self, name: SecretName, secret: impl Into<Secret>) -> Self {
        self.secrets.insert(name, secret.into());
        self
    }
}

#[async_trait]
impl SecretProvider for Memory {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        Ok(self.secrets.get(&name).map(Secret::duplicate))
    }
}
