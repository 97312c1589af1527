use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use ratelimit::{RateLimiter, limiters::Unlimited};
use secrecy::SecretString;
use secrets::{SecretName, providers::Env};
use transport::{
    Clock, HttpBackend, SystemClock,
    layers::{Backoff, RetryPolicy},
};

use super::{Client, Inner};
use crate::{
    config::{ApiVersion, BaseUrl, DEFAULT_BASE_URL},
    credentials::{Credential, CredentialProvider},
    entropy,
    error::{ConfigError, Error},
    pipeline::{self, Parts, Timeouts},
};

/// Sets up a [`Client`]; only a credential is required.
///
/// Every part can be another one of your own: [`credentials`](Self::credentials), [`backend`](Self::backend),
/// [`rate_limiter`](Self::rate_limiter), [`retry_policy`](Self::retry_policy), [`clock`](Self::clock).
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    credentials: Option<Result<Arc<dyn CredentialProvider>, ConfigError>>,
    base_url: Option<String>,
    version: ApiVersion,
    betas: Vec<String>,
    backend: Option<Arc<dyn HttpBackend>>,
    limiter: Option<Arc<dyn RateLimiter>>,
    limiter_max_wait: Option<Duration>,
    retry: Option<Arc<dyn RetryPolicy>>,
    max_retries: Option<u32>,
    clock: Option<Arc<dyn Clock>>,
    timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
}

impl ClientBuilder {
    /// Authenticates with an API key. Prefer [`environment`](Self::environment) or
    /// [`credentials`](Self::credentials), which keep the key out of the source.
    pub fn api_key(self, key: impl Into<SecretString>) -> Self {
        let credential = Credential::api_key(key.into());
        self.fixed("the API key", credential)
    }

    /// Authenticates with an access token that nothing renews.
    pub fn auth_token(self, token: impl Into<SecretString>) -> Self {
        let credential = Credential::token(token.into(), 0);
        self.fixed("the access token", credential)
    }

    /// Authenticates with whatever `provider` gives for each attempt, such as [`OAuth`](crate::credentials::OAuth).
    pub fn credentials(mut self, provider: impl CredentialProvider) -> Self {
        self.credentials = Some(Ok(Arc::new(provider)));
        self
    }

    /// Takes what the environment says and this builder does not yet have: `ANTHROPIC_API_KEY`, else
    /// `ANTHROPIC_AUTH_TOKEN`, and `ANTHROPIC_BASE_URL`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Secret`] where a variable is set to what cannot be a secret.
    pub fn environment(mut self, env: &Env) -> Result<Self, ConfigError> {
        if self.base_url.is_none() {
            self.base_url = read(env, "ANTHROPIC_BASE_URL")?.map(|secret| secret.expose().to_owned());
        }
        if self.credentials.is_some() {
            return Ok(self);
        }
        if let Some(key) = read(env, "ANTHROPIC_API_KEY")? {
            return Ok(self.fixed("ANTHROPIC_API_KEY", Credential::api_key(key.expose().into())));
        }
        if let Some(token) = read(env, "ANTHROPIC_AUTH_TOKEN")? {
            return Ok(self.fixed("ANTHROPIC_AUTH_TOKEN", Credential::token(token.expose().into(), 0)));
        }
        Ok(self)
    }

    /// Talks to `url` in place of `https://api.anthropic.com`; it may carry a path prefix, as gateways do.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Speaks `version` of the API; the newest by default.
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Sends `beta` in `anthropic-beta` with every request. May be called again for more.
    pub fn beta(mut self, beta: impl Into<String>) -> Self {
        self.betas.push(beta.into());
        self
    }

    /// Sends requests through `backend` in place of the built-in one.
    pub fn backend(mut self, backend: impl HttpBackend) -> Self {
        self.backend = Some(Arc::new(backend));
        self
    }

    /// Asks `limiter` before each attempt; without one, only the service limits.
    pub fn rate_limiter(mut self, limiter: impl RateLimiter) -> Self {
        self.limiter = Some(Arc::new(limiter));
        self
    }

    /// Waits at most this long for the rate limiter, 60 s by default; a longer wait is an error at once.
    pub fn rate_limiter_max_wait(mut self, wait: Duration) -> Self {
        self.limiter_max_wait = Some(wait);
        self
    }

    /// Retries a failed call at most this many times, 2 by default; 0 turns retries off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// Decides about retries with `policy` in place of the built-in one; [`max_retries`](Self::max_retries) is then
    /// the policy's own business.
    pub fn retry_policy(mut self, policy: impl RetryPolicy) -> Self {
        self.retry = Some(Arc::new(policy));
        self
    }

    /// Takes time from `clock` in place of the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Waits at most this long for an answer to begin, 600 s by default, in each attempt.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits at most this long for the next bytes of an answer that has begun, 60 s by default.
    ///
    /// The service sends a `ping` on a quiet stream, so silence this long means a dead connection.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Puts the client together.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where the credential is missing or malformed, the base URL cannot be used, or the backend
    /// cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let base_url = self.base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
        let base = BaseUrl::parse(&base_url)?;
        let credentials = self.credentials.ok_or(ConfigError::MissingCredential)??;
        let betas = self.betas.iter().map(|beta| HeaderValue::from_str(beta));
        let betas = betas.collect::<Result<_, _>>().map_err(|_| ConfigError::Header { name: "beta" })?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let backend = match self.backend {
            Some(backend) => backend,
            None => default_backend(&base)?,
        };
        let retry = self.retry.unwrap_or_else(|| {
            let backoff = Backoff::default();
            Arc::new(match self.max_retries {
                Some(retries) => backoff.max_retries(retries),
                None => backoff,
            })
        });
        let pipeline = pipeline::build(Parts {
            backend,
            credentials,
            limiter: self.limiter.unwrap_or_else(|| Arc::new(Unlimited)),
            retry,
            clock: Arc::clone(&clock),
            base_url,
            version: self.version,
            timeouts: Timeouts {
                headers: self.timeout.unwrap_or(Duration::from_secs(600)),
                idle: self.idle_timeout.unwrap_or(Duration::from_secs(60)),
            },
            limiter_max_wait: self.limiter_max_wait.unwrap_or(Duration::from_secs(60)),
            seed: entropy::seed()?,
        })?;
        Ok(Client(Arc::new(Inner { pipeline, clock, base, betas })))
    }

    fn fixed(mut self, name: &str, credential: Result<Credential, crate::error::AuthError>) -> Self {
        self.credentials = Some(match credential {
            Ok(credential) => Ok(Arc::new(credential)),
            Err(_) => Err(ConfigError::MalformedSecret { name: name.to_owned() }),
        });
        self
    }
}

fn read(env: &Env, name: &str) -> Result<Option<secrets::Secret>, ConfigError> {
    let name = SecretName::new(name).map_err(ConfigError::Secret)?;
    env.read(&name).map_err(ConfigError::Secret)
}

#[cfg(feature = "reqwest")]
fn default_backend(base: &BaseUrl) -> Result<Arc<dyn HttpBackend>, Error> {
    let mut backend = transport::backends::Reqwest::builder();
    if base.is_cleartext() {
        // This very machine: a proxy would read the credential, and may be anywhere.
        backend = backend.no_proxy();
    }
    let backend = backend.build().map_err(|error| ConfigError::Backend(error.into()))?;
    Ok(Arc::new(backend))
}

#[cfg(not(feature = "reqwest"))]
fn default_backend(_base: &BaseUrl) -> Result<Arc<dyn HttpBackend>, Error> {
    Err(ConfigError::MissingBackend.into())
}
