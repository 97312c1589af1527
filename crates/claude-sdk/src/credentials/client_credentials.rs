use std::sync::Arc;

use async_trait::async_trait;
use auth_core::{Client, ScopeSet, Server, exchange};
use secrecy::SecretString;
use secrets::{SecretName, SecretProvider};
use transport::{Clock, HttpBackend};

use super::{
    Grant, TokenSource,
    exchange::{Endpoint, grant},
    secret,
};
use crate::error::AuthError;

/// A token of the client's own, with no user behind it (RFC 6749 section 4.4).
///
/// The client's secret is read from a [`SecretProvider`] for each exchange, so that a replaced one is picked up. It
/// travels in `Authorization: Basic`, unless [`secret_in_body`](Self::secret_in_body) says otherwise.
///
/// Wrap it in [`Cached`](super::Cached) to make a credential provider of it.
///
/// ```
/// use claude_sdk::{
///     Client,
///     auth_core::Server,
///     credentials::{Cached, ClientCredentials},
///     secrets::{SecretName, providers::Env},
///     transport::backends::Reqwest,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let source = ClientCredentials::new(
///     Server::new("https://auth.example/token".parse()?)?,
///     "nightly-report",
///     Env::process(),
///     SecretName::new("REPORT_CLIENT_SECRET")?,
///     Reqwest::builder().build()?,
/// );
/// let client = Client::builder().base_url("https://gateway.example").credentials(Cached::new(source)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ClientCredentials {
    endpoint: Endpoint,
    id: String,
    provider: Arc<dyn SecretProvider>,
    name: SecretName,
    scopes: ScopeSet,
    client: fn(String, SecretString) -> Client,
}

impl ClientCredentials {
    /// The client `id`, whose secret is the secret `name` of `provider`.
    #[must_use]
    pub fn new(
        server: Server,
        id: impl Into<String>,
        provider: impl SecretProvider,
        name: SecretName,
        backend: impl HttpBackend,
    ) -> Self {
        Self {
            endpoint: Endpoint::new(server, backend),
            id: id.into(),
            provider: Arc::new(provider),
            name,
            scopes: ScopeSet::default(),
            client: Client::secret_basic,
        }
    }

    /// Asks for these scopes; without them the server chooses.
    #[must_use]
    #[inline]
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sends id and secret in the body, for servers that cannot do Basic.
    #[must_use]
    pub fn secret_in_body(mut self) -> Self {
        self.client = Client::secret_post;
        self
    }
}

#[async_trait]
impl TokenSource for ClientCredentials {
    #[inline]
    async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError> {
        let secret = secret::read(&*self.provider, &self.name).await?.into_inner();
        let client = (self.client)(self.id.clone(), secret);
        let (request, asked) = exchange::client_credentials(&self.endpoint.server, &client, &self.scopes);
        grant(self.endpoint.ask(request, &asked, clock).await?)
    }
}
