//! Where a client's credentials come from, until there is a client.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};
use secrets::Resolver;
use transport::{Clock, HttpBackend};

use crate::{
    config::{BaseUrl, DEFAULT_BASE_URL},
    credentials::{CredentialProvider, FromSecret, Resolution},
    error::{ConfigError, Error},
};

/// Where credentials come from: they are made at the end, when the rest of the client is known. A trait and no `enum`, so that a
/// program has the code of the kinds it names.
pub(super) trait Origin: fmt::Debug + Send + Sync {
    /// Where the API is, if the builder was not told.
    fn base_url(&self) -> &str {
        DEFAULT_BASE_URL
    }

    fn provider(self: Box<Self>, around: Around<'_>) -> Result<Arc<dyn CredentialProvider>, Error>;
}

/// What of a client its credentials need.
pub(super) struct Around<'a> {
    pub(super) base: &'a BaseUrl,
    pub(super) backend: &'a Arc<dyn HttpBackend>,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) resolver: Option<Resolver>,
}

#[derive(Debug)]
pub(super) struct Given(pub(super) Arc<dyn CredentialProvider>);

impl Origin for Given {
    fn provider(self: Box<Self>, _: Around<'_>) -> Result<Arc<dyn CredentialProvider>, Error> {
        Ok(self.0)
    }
}

/// An API key or an access token, by its reference.
#[derive(Debug)]
pub(super) struct Referred {
    pub(super) reference: SecretString,
    pub(super) token: bool,
}

impl Origin for Referred {
    fn provider(self: Box<Self>, around: Around<'_>) -> Result<Arc<dyn CredentialProvider>, Error> {
        let resolver = around.resolver.unwrap_or_else(Resolver::process);
        let reference = resolver.reference(self.reference.expose_secret()).map_err(ConfigError::Secret)?;
        let cached = FromSecret::referred(&resolver, reference, self.token, Arc::clone(around.clock));
        Ok(Arc::new(cached.map_err(ConfigError::Secret)?))
    }
}

impl Origin for Resolution {
    fn base_url(&self) -> &str {
        self.base_url()
    }

    fn provider(self: Box<Self>, around: Around<'_>) -> Result<Arc<dyn CredentialProvider>, Error> {
        let found = match around.resolver {
            Some(resolver) => self.with_resolver(resolver),
            None => *self,
        };
        Resolution::provider(
            &found,
            around.base.as_url(),
            Arc::clone(around.backend),
            Arc::clone(around.clock),
        )
    }
}
