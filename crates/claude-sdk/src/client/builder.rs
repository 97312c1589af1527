use std::{fmt, mem, sync::Arc, time::Duration};

use auth_core::ScopeSet;
use http::{HeaderMap, HeaderValue, header};
use ratelimit::RateLimiter;
use secrecy::SecretString;
use secrets::{Resolver, SecretName, providers::Env};
use transport::{
    Clock, HttpBackend, SystemClock,
    layers::{Backoff, Breaker, Budget, Middleware, RetryPolicy},
};

use super::{
    Checked, Client, Inner, MESSAGES,
    origin::{Around, Given, Origin, Referred},
};
#[cfg(feature = "profile")]
use crate::profile::ProfileName;
use crate::{
    apart::Apart,
    betas::BETA,
    config::{ApiVersion, BaseUrl, GivenUrl},
    credentials::{Credential, CredentialProvider, Resolution},
    entropy,
    error::{ConfigError, Error},
    estimates::{Estimate, Longest},
    limits::ModelClasses,
    metrics::{Measured, Metrics},
    pipeline::{self, Limited, Parts, Timeouts},
    retry::Claude,
    types::Beta,
};

/// Sets up a [`Client`]; only a credential is required.
///
/// Every part can be another one of your own: [`credentials`](Self::credentials), [`backend`](Self::backend),
/// [`middleware`](Self::middleware), [`rate_limiter`](Self::rate_limiter), [`retry_policy`](Self::retry_policy), [`clock`](Self::clock).
///
/// Example: [`Client`](crate::Client).
#[must_use]
pub struct ClientBuilder(Apart<Settings>);

#[derive(Debug, Default)]
struct Settings {
    credentials: Option<Result<Box<dyn Origin>, ConfigError>>,
    resolver: Option<Resolver>,
    base_url: Option<GivenUrl>,
    needs: ScopeSet,
    version: ApiVersion,
    betas: Vec<Beta>,
    backend: Option<Arc<dyn HttpBackend>>,
    limiter: Option<Limited>,
    middleware: Chain,
    limiter_max_wait: Option<Duration>,
    estimate: Option<Arc<dyn Estimate>>,
    classes: ModelClasses,
    retry: Option<Arc<dyn RetryPolicy>>,
    max_retries: Option<u32>,
    /// `None` until chosen, then what was chosen, which may be none.
    budget: Option<Option<Budget>>,
    breaker: Option<Option<Breaker>>,
    deadline: Option<Duration>,
    metrics: Option<Measured>,
    clock: Option<Arc<dyn Clock>>,
    timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
    traces_bodies: bool,
    progress_timeout: Option<Duration>,
}

impl ClientBuilder {
    /// Authenticates with an API key. Prefer [`environment`](Self::environment) or
    /// [`credentials`](Self::credentials), which keep the key out of the source.
    pub fn api_key(self, key: impl Into<SecretString>) -> Self {
        let credential = Credential::api_key(key.into());
        self.fixed("the API key", credential)
    }

    /// Authenticates with the API key that `reference` leads to (`env:NAME`, `file:PATH`, `vault:PATH#FIELD`): it is fetched for
    /// the first call, and again when its time is over or the service refuses it.
    ///
    /// ```
    /// use claude_sdk::Client;
    ///
    /// # fn main() -> Result<(), claude_sdk::Error> {
    /// let client = Client::builder().api_key_from("file:/run/secrets/claude").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn api_key_from(mut self, reference: impl Into<SecretString>) -> Self {
        // Whoever confuses the two has given the key: it is kept as one.
        self.0.credentials = Some(Ok(Box::new(Referred { reference: reference.into(), token: false })));
        self
    }

    /// Fetches what references lead to, here, in profiles and in variables, through `resolver`: for `vault:`, and for schemes of your own.
    /// Without it, `env:` and `file:` are known, and `command:` with the feature of that name.
    ///
    /// A scheme of your own is one for [`api_key_from`](Self::api_key_from) and [`auth_token_from`](Self::auth_token_from). Profiles
    /// and variables are read by other programs too, and know the schemes that are known everywhere: what begins otherwise
    /// is the key itself in a variable, and refused in a profile.
    pub fn resolver(mut self, resolver: Resolver) -> Self {
        self.0.resolver = Some(resolver);
        self
    }

    /// Authenticates with an access token that nothing renews.
    pub fn auth_token(self, token: impl Into<SecretString>) -> Self {
        let credential = Credential::token(token.into(), 0);
        self.fixed("the access token", credential)
    }

    /// Authenticates with the access token that `reference` leads to, which is fetched as with [`api_key_from`](Self::api_key_from).
    pub fn auth_token_from(mut self, reference: impl Into<SecretString>) -> Self {
        self.0.credentials = Some(Ok(Box::new(Referred { reference: reference.into(), token: true })));
        self
    }

    /// Authenticates with whatever `provider` gives for each attempt, such as [`OAuth`](crate::credentials::OAuth).
    pub fn credentials(mut self, provider: impl CredentialProvider) -> Self {
        self.0.credentials = Some(Ok(Box::new(Given(Arc::new(provider)))));
        self
    }

    /// Takes what the environment and the profiles say and this builder does not yet have: `ANTHROPIC_BASE_URL`, and the
    /// first credential that [`Resolution::of`] finds.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where something is set up and cannot be used.
    pub fn environment(mut self, env: &Env) -> Result<Self, ConfigError> {
        if self.0.base_url.is_none() {
            self.0.base_url = base_url(env)?;
        }
        if self.0.credentials.is_none() {
            self.0.credentials = Some(Ok(Box::new(Resolution::of(env)?)));
        }
        Ok(self)
    }

    /// Authenticates as the profile `name` of whoever has the environment `env`, whatever else that says.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Profile`] where it is not there or cannot be used.
    #[cfg(feature = "profile")]
    #[inline]
    pub fn profile(mut self, name: ProfileName, env: &Env) -> Result<Self, ConfigError> {
        self.0.credentials = Some(Ok(Box::new(Resolution::profile(name, env)?)));
        if self.0.base_url.is_none() {
            self.0.base_url = base_url(env)?;
        }
        Ok(self)
    }

    /// Sends nothing with a token that is known not to have all of these scopes: each call is
    /// [`AuthError::MissingScope`](crate::AuthError::MissingScope) then, before it leaves. What a token may do is known
    /// where its server said so; an API key has no scopes.
    pub fn needs_scopes(mut self, scopes: ScopeSet) -> Self {
        self.0.needs = scopes;
        self
    }

    /// Talks to `url` in place of `https://api.anthropic.com`, or of what a profile says; it may carry a path prefix, as
    /// gateways do. The session of a profile that has a base URL of its own is for that one only.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.0.base_url = Some(GivenUrl(url.into()));
        self
    }

    /// Speaks `version` of the API; the newest by default.
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.0.version = version;
        self
    }

    /// Asks for a beta with every request. May be called again for more; each is sent once.
    pub fn beta(mut self, beta: impl Into<Beta>) -> Self {
        self.0.betas.push(beta.into());
        self
    }

    /// Sends requests through `backend` in place of the built-in one, which has the machine's CA certificates and 5 s to
    /// connect.
    ///
    /// So other CAs, more time, or connections that never go through a proxy are a backend's settings:
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use claude_sdk::{Client, transport::backends::Reqwest};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let backend = Reqwest::builder()
    ///     .root_certificates(std::fs::read("/etc/ssl/our-gateway.pem")?)
    ///     .connect_timeout(Duration::from_secs(15))
    ///     .build()?;
    /// let client = Client::builder().api_key("sk-ant-…").base_url("https://gateway.internal").backend(backend).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn backend(mut self, backend: impl HttpBackend) -> Self {
        self.0.backend = Some(Arc::new(backend));
        self
    }

    /// Sends each attempt through `middleware`, the first added being the outermost: a type of your own that is a
    /// [`Middleware`], or a closure.
    ///
    /// It stands inside of the retries and outside of the rate limiter and the credential, which it never sees.
    ///
    /// ```
    /// use claude_sdk::{Client, transport::{Request, layers::Next}, types::{MessageRequest, Model}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = mock_server::MockServer::start().await?;
    /// # let (key, base_url) = (server.api_key().to_owned(), server.base_url());
    /// let client = Client::builder()
    ///     .api_key(key)
    ///     .base_url(base_url)
    ///     .middleware(|mut request: Request, next: Next| async move {
    ///         request.headers_mut().insert("x-team", http::HeaderValue::from_static("blue"));
    ///         let response = next.run(request).await?;
    ///         println!("{}", response.status());
    ///         Ok(response)
    ///     })
    ///     .build()?;
    /// client.messages().create(&MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!")).await?;
    /// # assert_eq!(server.journal().pop().unwrap().header("x-team"), Some("blue"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.0.middleware.0.push(Arc::new(middleware));
        self
    }

    /// Asks `limiter` before each attempt; without one, only the service limits.
    ///
    /// For many machines (feature `redis-limits`), it is `Redis::at("redis://10.0.0.7", limits, 8).build(TokioTimer::new())?` of
    /// `ratelimit::limiters`; the example `shared_limits` does that.
    pub fn rate_limiter(mut self, limiter: impl RateLimiter) -> Self {
        self.0.limiter = Some(Limited::by(Arc::new(limiter)));
        self
    }

    /// Waits at most this long for the rate limiter, 60 s by default; a longer wait is an error at once.
    pub fn rate_limiter_max_wait(mut self, wait: Duration) -> Self {
        self.0.limiter_max_wait = Some(wait);
        self
    }

    /// Charges messages what `estimate` says before they are sent, in place of [`Longest`]; a limiter that gives back what was
    /// not used lets more calls go at once the better it is.
    pub fn estimate(mut self, estimate: impl Estimate) -> Self {
        self.0.estimate = Some(Arc::new(estimate));
        self
    }

    /// Says which models share a rate limit, in place of what their names tell.
    pub fn model_classes(mut self, classes: ModelClasses) -> Self {
        self.0.classes = classes;
        self
    }

    /// Retries a failed call at most this many times, 2 by default; 0 turns retries off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.0.max_retries = Some(retries);
        self
    }

    /// Decides about retries with `policy` in place of the built-in one; [`max_retries`](Self::max_retries) is then
    /// the policy's own business.
    pub fn retry_policy(mut self, policy: impl RetryPolicy) -> Self {
        self.0.retry = Some(Arc::new(policy));
        self
    }

    /// Pays for retries from `budget` in place of one of this client's own; `None` lifts the limit.
    ///
    /// Give the same to several clients of one service, or of several layers of a program that retry, and an outage is
    /// not answered by each of them.
    pub fn retry_budget(mut self, budget: impl Into<Option<Budget>>) -> Self {
        self.0.budget = Some(budget.into());
        self
    }

    /// Asks `breaker` before each attempt in place of one of this client's own; `None` does without.
    ///
    /// One breaker is for one base URL and one credential.
    pub fn circuit_breaker(mut self, breaker: impl Into<Option<Breaker>>) -> Self {
        self.0.breaker = Some(breaker.into());
        self
    }

    /// Gives each call so long from beginning to end: waits, permits, attempts and the reading of the answer; no limit
    /// by default.
    ///
    /// A call with a deadline makes use of its time: it waits as long as the service asks for, and for a service that is
    /// down to come back, where that ends in time. Where it does not, the call fails at once and its error says when the
    /// next try is due.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.0.deadline = Some(deadline);
        self
    }

    /// Tells `metrics` what calls take, use and run into, and what becomes of the credential's renewals. Without, nothing
    /// is measured; `metrics` is the [module](crate::metrics) that says what there is.
    pub fn metrics(mut self, metrics: impl Metrics) -> Self {
        self.0.metrics = Some(Measured::by(Arc::new(metrics)));
        self
    }

    /// Takes time from `clock` in place of the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.0.clock = Some(Arc::new(clock));
        self
    }

    /// Waits at most this long for an answer to begin, 600 s by default, in each attempt. The time to connect is the
    /// [`backend`](Self::backend)'s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout);
        self
    }

    /// Waits at most this long for the next bytes of an answer that has begun, 60 s by default.
    ///
    /// The service sends a `ping` on a quiet stream, so silence this long means a dead connection.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.0.idle_timeout = Some(timeout);
        self
    }

    /// Waits at most this long for a stream's next event that is more than a sign of life, 120 s by default.
    ///
    /// A `ping` or a comment shows that the connection is alive, not that anybody is writing an answer.
    pub fn progress_timeout(mut self, timeout: Duration) -> Self {
        self.0.progress_timeout = Some(timeout);
        self
    }

    /// Puts what is sent and received into the spans of calls, as events at level debug: everything that was said. Off by
    /// default.
    pub fn trace_bodies(mut self, traces: bool) -> Self {
        self.0.traces_bodies = traces;
        self
    }

    /// Puts the client together.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where the credential is missing or malformed, the base URL cannot be used, or the backend
    /// cannot be set up.
    pub fn build(mut self) -> Result<Client, Error> {
        // Taken out of where they are, so that the rest is let go there.
        let set = &mut *self.0;
        let chosen =
            set.credentials.take().ok_or(ConfigError::MissingCredential { looked: Vec::new() })??;
        let base_url = set.base_url.take().map_or_else(|| chosen.base_url().to_owned(), |url| url.0);
        let base = BaseUrl::parse(&base_url)?;
        let headers = headers(&set.betas, set.version)?;
        let clock = set.clock.take().unwrap_or_else(|| Arc::new(SystemClock));
        let backend = match set.backend.take() {
            Some(backend) => backend,
            None => default_backend(&base)?,
        };
        let around = Around { base: &base, backend: &backend, clock: &clock, resolver: set.resolver.take() };
        let credentials = chosen.provider(around)?;
        let retry = set.retry.take().unwrap_or_else(|| {
            let backoff = Backoff::default();
            Arc::new(Claude(match set.max_retries {
                Some(retries) => backoff.max_retries(retries),
                None => backoff,
            }))
        });
        let meters = set.metrics.take().map(|measured| {
            credentials.report_to(measured.metrics());
            measured.meters(Arc::clone(&clock), &base)
        });
        let progress = set.progress_timeout.unwrap_or(Duration::from_secs(120));
        let pipeline = pipeline::build(Parts {
            backend,
            credentials: Arc::clone(&credentials),
            limiter: set.limiter.take(),
            estimate: set.estimate.take().unwrap_or_else(|| Arc::new(Longest)),
            middleware: mem::take(&mut set.middleware.0),
            headers,
            retry,
            budget: set.budget.take().unwrap_or_else(|| Some(Budget::new())),
            breaker: set.breaker.take().unwrap_or_else(|| Some(Breaker::new())),
            meters,
            clock: Arc::clone(&clock),
            base_url,
            needs: mem::take(&mut set.needs),
            version: set.version,
            timeouts: Timeouts {
                headers: set.timeout.unwrap_or(Duration::from_secs(600)),
                idle: set.idle_timeout.unwrap_or(Duration::from_secs(60)),
                progress,
            },
            limiter_max_wait: set.limiter_max_wait.unwrap_or(Duration::from_secs(60)),
            seed: entropy::seed()?,
        })?;
        let messages = base.uri(MESSAGES)?;
        let options = Checked::with_deadline(set.deadline);
        let (traces_bodies, has_timeout) = (set.traces_bodies, set.timeout.is_some());
        let inner = Inner {
            pipeline,
            credentials,
            clock,
            base,
            messages,
            options,
            classes: Arc::new(mem::take(&mut set.classes)),
            traces_bodies,
            progress,
            has_timeout,
        };
        Ok(Client(Arc::new(inner)))
    }

    fn fixed(mut self, name: &str, credential: Result<Credential, crate::error::AuthError>) -> Self {
        self.0.credentials = Some(match credential {
            Ok(credential) => Ok(Box::new(Given(Arc::new(credential)))),
            Err(_) => Err(ConfigError::MalformedSecret { name: name.to_owned() }),
        });
        self
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self(Apart::new(Box::default()))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientBuilder").field(&*self.0).finish()
    }
}

/// Middleware, which closures are too; so it says nothing of itself.
#[derive(Default)]
struct Chain(Vec<Arc<dyn Middleware>>);

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} middleware]", self.0.len())
    }
}

/// What every request carries.
fn headers(betas: &[Beta], version: ApiVersion) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, json.clone());
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(ApiVersion::HEADER, version.header());
    for beta in betas {
        let beta =
            HeaderValue::from_str(beta.as_str()).map_err(|_| ConfigError::Header { name: "beta".into() })?;
        headers.append(BETA, beta);
    }
    Ok(headers)
}

const USER_AGENT: &str = concat!("claude-sdk-rust/", env!("CARGO_PKG_VERSION"));

fn base_url(env: &Env) -> Result<Option<GivenUrl>, ConfigError> {
    let name = SecretName::new("ANTHROPIC_BASE_URL").map_err(ConfigError::Secret)?;
    let url = env.read(&name).map_err(ConfigError::Secret)?;
    Ok(url.map(|url| GivenUrl(url.expose().to_owned())))
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
