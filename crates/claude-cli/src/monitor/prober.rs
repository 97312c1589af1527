//! The probes themselves: what each sends, and what of it is a failure.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use claude_sdk::{
    Client, Error, RateLimits, RequestOptions,
    credentials::{CredentialProvider, Resolution, Source},
    profile::Kind,
    ratelimit::Timer,
    secrets::providers::Env,
    transport::{self, Clock, HttpBackend as _},
    types::MessageRequest,
};
use http::Request;
use url::Url;

use super::outcome::{Class, Failure, Outcome};
use crate::{
    args::{MonitorArgs, Probe},
    auth::backend,
    connection,
    references::resolver,
    wording::{at_a_terminal, spoken},
};

/// What runs the probes.
#[derive(Debug)]
pub(super) struct Prober {
    client: Client,
    token: Option<Token>,
    model: String,
    patience: Duration,
    clock: Arc<dyn Clock>,
    /// What measures: a clock may be set meanwhile.
    timer: Arc<dyn Timer>,
}

/// Where tokens come from.
#[derive(Debug)]
struct Token {
    provider: Arc<dyn CredentialProvider>,
    /// The server that renews a person's.
    endpoint: Option<Url>,
}

impl Prober {
    /// A failure here is one of the settings, and nothing that could be watched.
    pub(super) async fn new(
        args: &MonitorArgs,
        env: &Env,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
    ) -> anyhow::Result<Self> {
        // What a retry would hide is what is looked for, and every probe is to be sent.
        let builder = connection::builder(&args.connection).await?.circuit_breaker(None);
        let client = builder.timeout(args.timeout).build().map_err(at_a_terminal)?;
        let client = client.with_options(RequestOptions::new().max_retries(0))?;
        let token = if args.connection.has_key() { None } else { Token::of(args, env, &clock)? };
        Ok(Self { client, token, model: args.model.clone(), patience: args.timeout, clock, timer })
    }

    /// Whether there is anything to probe: a key needs no renewing.
    pub(super) fn has(&self, probe: Probe) -> bool {
        probe != Probe::Token || self.token.is_some()
    }

    /// Runs a probe. Whatever happens comes out as an outcome, in time.
    pub(super) async fn run(&self, probe: Probe) -> Outcome {
        let (at, began) = (super::seconds(self.clock.now()), self.timer.now());
        let result = tokio::select! {
            result = self.attempt(probe) => result,
            () = self.clock.sleep(self.patience) => {
                Err(Failure::new(Class::Timeout, &format!("no answer within {} s", self.patience.as_secs())))
            }
        };
        let took = self.timer.now().saturating_sub(began);
        Outcome { probe, at, took, failure: result.err() }
    }

    async fn attempt(&self, probe: Probe) -> Result<(), Failure> {
        let request = |tokens| MessageRequest::new(self.model.as_str(), tokens).user("hi");
        match probe {
            Probe::Token => match &self.token {
                Some(token) => token.attempt().await,
                None => Ok(()),
            },
            Probe::Models => self.client.models().list().await.map(drop).map_err(Failure::of),
            Probe::Message => self.client.messages().create(&request(1)).await.map(drop).map_err(Failure::of),
            Probe::Stream => {
                let stream = self.client.messages().stream(&request(16)).await.map_err(Failure::of)?;
                stream.final_message().await.map(drop).map_err(Failure::of)
            }
        }
    }

    /// What the newest answer said of them.
    pub(super) fn limits(&self) -> RateLimits {
        self.client.limits()
    }

    /// Waits for a renewal that has begun.
    pub(super) async fn flush(&self) -> bool {
        match &self.token {
            Some(token) => token.provider.flush().await && self.client.flush().await,
            None => self.client.flush().await,
        }
    }
}

impl Token {
    /// None where nothing is ever renewed.
    fn of(args: &MonitorArgs, env: &Env, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Self>> {
        let found = match &args.connection.profile {
            Some(name) => Resolution::profile(name.clone(), env)?,
            None => Resolution::of(env)?,
        };
        let found = found.with_resolver(resolver(env));
        if matches!(found.source(), None | Some(Source::ApiKey | Source::AuthToken)) {
            return Ok(None);
        }
        let base_url = Url::parse(args.connection.base_url.as_deref().unwrap_or_else(|| found.base_url()))?;
        let provider = found.provider(&base_url, backend(&base_url)?, Arc::clone(clock));
        let profile = found.filled_profile()?.filter(|profile| profile.kind() == Kind::UserOAuth);
        let endpoint = profile.and_then(|profile| Some(profile.server().ok()?.token_endpoint().clone()));
        Ok(Some(Self { provider: provider.map_err(at_a_terminal)?, endpoint }))
    }

    /// Whether there is a token, and whether anybody answers where the next one comes from.
    async fn attempt(&self) -> Result<(), Failure> {
        let credential = self.provider.credential().await;
        drop(credential.map_err(|error| Failure::of(Error::from(error)))?);
        let Some(url) = &self.endpoint else { return Ok(()) };
        let request = Request::get(url.as_str()).body(Bytes::new());
        let request = request.map_err(|error| Failure::new(Class::Local, &error.to_string()))?;
        let backend = backend(url).map_err(|error| Failure::of(error.into()))?;
        let transport = |error: transport::Error| Failure::of(error.into());
        let answer = backend.send(request).await.map_err(transport)?;
        match answer.status() {
            // It was asked for nothing, so a refusal is an answer.
            status if status.is_server_error() => {
                let told = format!("{} answers {}", url.host_str().unwrap_or_default(), spoken(status));
                Err(Failure::new(Class::of_status(status), &told))
            }
            _ => Ok(()),
        }
    }
}
