use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use secrets::{Reference, Resolver, Secret, SecretName, SecretProvider};
use transport::Clock;
use url::Url;

use super::{Cached, Credential, CredentialProvider, Grant, TokenSource, spread};
use crate::error::AuthError;

/// An API key, or an access token, read from a [`SecretProvider`] each time it is needed, so that a rotated key is picked up.
///
/// Wrapped in [`Cached`](super::Cached) it is read once, and again when the time it is lent for is over, or the service
/// refuses it.
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
    deployment: Option<Url>,
    token: bool,
}

impl FromSecret {
    /// The secret `name` of `provider` as an API key.
    #[must_use]
    pub fn new(provider: impl SecretProvider, name: SecretName) -> Self {
        Self { provider: Arc::new(provider), name, deployment: None, token: false }
    }

    /// Takes it for an access token.
    #[must_use]
    pub fn as_token(self) -> Self {
        Self { token: true, ..self }
    }

    /// What `reference` leads to: fetched once, and again when its time is over or the service refuses it.
    pub(crate) fn referred(
        resolver: &Resolver,
        reference: Reference,
        token: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Cached, secrets::Error> {
        let name = SecretName::new(if token { "auth_token" } else { "api_key" })?;
        let source = Self { token, ..Self::new(resolver.provider(reference), name) };
        Ok(Cached::new_with(source, clock, spread::drawn()))
    }

    /// Binds the key to the deployment of `url`: it is sent to no other, whatever base URL a client has.
    #[must_use]
    pub fn bound_to(self, url: Url) -> Self {
        Self { deployment: Some(url), ..self }
    }

    async fn read(&self) -> Result<(Credential, Option<Duration>), AuthError> {
        let secret = read(&*self.provider, &self.name).await?;
        let good_for = secret.good_for();
        let credential = match self.token {
            true => Credential::token(secret.into_inner(), 0)?,
            false => Credential::api_key(secret.into_inner())?,
        };
        Ok(match &self.deployment {
            Some(url) => (credential.bound_to(url), good_for),
            None => (credential, good_for),
        })
    }
}

#[async_trait]
impl CredentialProvider for FromSecret {
    async fn credential(&self) -> Result<Credential, AuthError> {
        Ok(self.read().await?.0)
    }
}

#[async_trait]
impl TokenSource for FromSecret {
    async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError> {
        let asked_at = clock.now();
        let (credential, good_for) = self.read().await?;
        Ok(Grant { credential, expires_at: good_for.and_then(|time| asked_at.checked_add(time)) })
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
    let secret = secret.ok_or_else(|| AuthError::MissingSecret { name: name.to_string() })?;
    Ok(told(secret, name))
}

/// Warns of what was taken off a secret.
pub(crate) fn told(secret: Secret, name: impl fmt::Display) -> Secret {
    if secret.was_trimmed() {
        tracing::warn!(%name, "the secret has a line end that is no part of it; it was taken off");
    }
    secret
}
