use std::sync::Arc;

use async_trait::async_trait;
use secrets::{Secret, SecretName, SecretProvider};

use super::{Credential, CredentialProvider};
use crate::error::AuthError;

/// An API key read from a [`SecretProvider`] each time it is needed, so that a rotated key is picked up.
///
/// ```
/// use claude_sdk::{Client, credentials::FromSecret, secrets::{SecretName, providers::Env}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let provider = Env::process();
/// let key = FromSecret::new(provider, SecretName::new("TEAM_CLAUDE_KEY")?);
/// let client = Client::builder().credentials(key).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FromSecret {
    provider: Arc<dyn SecretProvider>,
    name: SecretName,
}

impl FromSecret {
    /// The secret `name` of `provider` as an API key.
    #[must_use]
    pub fn new(provider: impl SecretProvider, name: SecretName) -> Self {
        Self { provider: Arc::new(provider), name }
    }
}

#[async_trait]
impl CredentialProvider for FromSecret {
    async fn credential(&self) -> Result<Credential, AuthError> {
        Credential::api_key(read(&*self.provider, &self.name).await?.into_inner())
    }
}

/// The secret `name`, which has to be there.
pub(super) async fn read(provider: &dyn SecretProvider, name: &SecretName) -> Result<Secret, AuthError> {
    let secret = provider.get(name.clone()).await;
    let secret = secret.map_err(|error| AuthError::Secret {
        reason: error.to_string(),
        kind: error.kind(),
        retryable: error.is_retryable(),
    })?;
    secret.ok_or_else(|| AuthError::MissingSecret { name: name.to_string() })
}
