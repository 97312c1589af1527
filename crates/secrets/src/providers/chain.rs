//! Several providers, one after the other.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, Secret, SecretName, SecretProvider};

/// Asks its providers in order: the first answer wins, and the first error stops.
///
/// An error stops because the secret is there and somebody wants it used; falling through to an older one in
/// silence would hide that. An empty chain knows nothing.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    links: Vec<Arc<dyn SecretProvider>>,
}

impl Chain {
    /// Makes an empty chain.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider that is asked after all the others.
    #[must_use]
    pub fn with(mut self, provider: impl SecretProvider) -> Self {
        self.links.push(Arc::new(provider));
        self
    }
}

#[async_trait]
impl SecretProvider for Chain {
    #[inline]
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        for link in &self.links {
            if let Some(secret) = link.get(name.clone()).await? {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }
}
