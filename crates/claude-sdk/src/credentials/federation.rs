use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use auth_core::{Server, exchange};
use http::StatusCode;
use secrets::{
    Resolver, Secret, SecretName, SecretProvider,
    providers::{Env, File},
};
use transport::{Clock, HttpBackend};

use super::{
    Grant, TokenSource,
    exchange::{Endpoint, Failure, grant},
    secret,
};
use crate::error::{AuthError, ConfigError};

/// The identity of a workload, traded for a token of the Claude API: no secret of its own to keep.
///
/// The platform gives the workload a signed token (an assertion) and replaces it from time to time. So it is read anew
/// for each exchange, is at most 16 KiB, and is not sent once it has expired. It comes from any [`SecretProvider`]: a
/// mounted file ([`File::mounted`]), a variable ([`Env`]), or one of your own. A 401 is answered with one more try,
/// since the assertion may have been replaced, or the rule made, a moment before.
///
/// Wrap it in [`Cached`](super::Cached) to make a credential provider of it. The tokens are bound to the origin of the
/// token endpoint, which is that of the API.
///
/// ```
/// use claude_sdk::{
///     Client,
///     auth_core::{self, Server},
///     credentials::{Cached, Federation},
///     secrets::{SecretName, providers::File},
///     transport::backends::Reqwest,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let token = File::at("/var/run/secrets/anthropic/token").mounted();
/// let federation = Federation::new(
///     Server::new("https://api.anthropic.com/v1/oauth/token".parse()?)?,
///     auth_core::Federation::new("fdrl_1", "org_1").with_workspace_id("default"),
///     token,
///     SecretName::new("identity-token")?,
///     Reqwest::builder().build()?,
/// );
/// let client = Client::builder().credentials(Cached::new(federation)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Federation {
    endpoint: Endpoint,
    federation: auth_core::Federation,
    provider: Arc<dyn SecretProvider>,
    name: SecretName,
    /// Where the assertion is, for errors.
    place: String,
}

impl Federation {
    /// The workload whose assertion is the secret `name` of `provider`, under the rule that `federation` names.
    #[must_use]
    pub fn new(
        server: Server,
        federation: auth_core::Federation,
        provider: impl SecretProvider,
        name: SecretName,
        backend: impl HttpBackend,
    ) -> Self {
        let place = name.to_string();
        Self {
            endpoint: Endpoint::new(server, backend),
            federation,
            provider: Arc::new(provider),
            name,
            place,
        }
    }

    /// As [`new`](Self::new), with the assertion in the file `path`, which errors then name.
    pub(crate) fn from_file(
        server: Server,
        federation: auth_core::Federation,
        path: impl Into<PathBuf>,
        name: SecretName,
        backend: impl HttpBackend,
    ) -> Self {
        let path = path.into();
        let place = secrets::shown_path(&path);
        Self { place, ..Self::new(server, federation, File::at(path).mounted(), name, backend) }
    }

    /// The workload that the environment describes, with the official SDKs' variables; `None` where it describes none.
    ///
    /// That takes `ANTHROPIC_FEDERATION_RULE_ID`, `ANTHROPIC_ORGANIZATION_ID`, and the assertion: in the file that
    /// `ANTHROPIC_IDENTITY_TOKEN_FILE` names, or else in `ANTHROPIC_IDENTITY_TOKEN` or where that refers to, which is looked up
    /// anew each time too. `ANTHROPIC_SERVICE_ACCOUNT_ID` and `ANTHROPIC_WORKSPACE_ID` are added where they are set.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Secret`] where a variable is set to what cannot be a value.
    pub fn from_env(
        env: &Env,
        server: Server,
        backend: impl HttpBackend,
    ) -> Result<Option<Self>, ConfigError> {
        Self::from_env_with(env, &Resolver::of(env), server, backend)
    }

    /// As [`from_env`](Self::from_env), where an assertion that is elsewhere is found by `resolver`.
    pub(crate) fn from_env_with(
        env: &Env,
        resolver: &Resolver,
        server: Server,
        backend: impl HttpBackend,
    ) -> Result<Option<Self>, ConfigError> {
        let read = |variable| {
            let value = env.read(&SecretName::new(variable).map_err(ConfigError::Secret)?);
            Ok::<_, ConfigError>(value.map_err(ConfigError::Secret)?.map(|value| value.expose().to_owned()))
        };
        let (Some(rule), Some(organization)) =
            (read("ANTHROPIC_FEDERATION_RULE_ID")?, read("ANTHROPIC_ORGANIZATION_ID")?)
        else {
            return Ok(None);
        };
        let mut federation = auth_core::Federation::new(rule, organization);
        if let Some(id) = read("ANTHROPIC_SERVICE_ACCOUNT_ID")? {
            federation = federation.with_service_account_id(id);
        }
        if let Some(id) = read("ANTHROPIC_WORKSPACE_ID")? {
            federation = federation.with_workspace_id(id);
        }
        if let Some(path) = read("ANTHROPIC_IDENTITY_TOKEN_FILE")? {
            let name = SecretName::new("ANTHROPIC_IDENTITY_TOKEN_FILE").map_err(ConfigError::Secret)?;
            return Ok(Some(Self::from_file(server, federation, path, name, backend)));
        }
        let variable = SecretName::new("ANTHROPIC_IDENTITY_TOKEN").map_err(ConfigError::Secret)?;
        if env.read(&variable).map_err(ConfigError::Secret)?.is_none() {
            return Ok(None);
        }
        let given = Given { env: env.clone(), resolver: resolver.clone() };
        Ok(Some(Self::new(server, federation, given, variable, backend)))
    }

    async fn ask(&self, clock: &dyn Clock) -> Result<Grant, Refusal> {
        let read = secret::read(&*self.provider, &self.name).await.map_err(|error| match error {
            AuthError::MissingSecret { .. } => AuthError::MissingSecret { name: self.place.clone() },
            error => error,
        });
        let assertion = read?.into_inner();
        let now = self.endpoint.now(clock);
        let (request, asked) = exchange::federation(&self.endpoint.server, &self.federation, &assertion, now)
            .map_err(AuthError::from)?;
        let tokens = self.endpoint.ask(request, &asked, clock).await.map_err(Refusal::Endpoint)?;
        let Grant { credential, expires_at } = grant(tokens)?;
        Ok(Grant { credential: credential.bound_to(self.endpoint.server.token_endpoint()), expires_at })
    }

    /// The error, with what may be missing.
    fn told(&self, failure: Failure) -> AuthError {
        let unauthorized = failure.status() == Some(StatusCode::UNAUTHORIZED);
        let mut error = AuthError::from(failure);
        if unauthorized
            && self.federation.workspace_id().is_none()
            && let AuthError::Renewal { reason, .. } = &mut error
        {
            reason.push_str("; no workspace is named: a rule for several wants ANTHROPIC_WORKSPACE_ID");
        }
        error
    }
}

/// A variable that holds a secret, or says where it is.
#[derive(Debug)]
struct Given {
    env: Env,
    resolver: Resolver,
}

#[async_trait]
impl SecretProvider for Given {
    async fn get(&self, variable: SecretName) -> Result<Option<Secret>, secrets::Error> {
        match self.env.read(&variable)? {
            Some(given) => self.resolver.given(given).await.map(Some),
            None => Ok(None),
        }
    }
}

#[async_trait]
impl TokenSource for Federation {
    async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError> {
        let mut outcome = self.ask(clock).await;
        if matches!(&outcome, Err(Refusal::Endpoint(failure)) if failure.status() == Some(StatusCode::UNAUTHORIZED))
        {
            outcome = self.ask(clock).await;
        }
        outcome.map_err(|refusal| match refusal {
            Refusal::Here(error) => error,
            Refusal::Endpoint(failure) => self.told(failure),
        })
    }
}

/// Who said no.
enum Refusal {
    /// Nothing was sent.
    Here(AuthError),
    Endpoint(Failure),
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self::Here(error)
    }
}
