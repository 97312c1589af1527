//! Which session a command is about.

use std::sync::Arc;

use anyhow::{Context, bail};
use claude_sdk::{
    ConfigError, Error,
    auth_core::{Client, Server},
    credentials::OAuth,
    profile::{Kind, ProfileName, Profiles},
    secrets::{SecretName, providers::Env},
    token_store::FileTokenStore,
    transport::backends::Reqwest,
};
use url::Url;

use super::leaving;
use crate::references::resolver;

/// A profile's name, and how it came to be this one.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) profiles: Profiles,
    pub(crate) name: ProfileName,
    pub(crate) why: Why,
}

/// How a profile came to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Named,
    Environment,
    Active,
    Default,
}

impl Chosen {
    /// The profile that is `named`, or that the environment names, or the active one, or `default`.
    pub(crate) fn new(named: Option<ProfileName>, env: &Env) -> anyhow::Result<Self> {
        let profiles = Profiles::of(env)?;
        if let Some(name) = named {
            return Ok(Self { profiles, name, why: Why::Named });
        }
        if let Some(name) = env.read(&SecretName::new("ANTHROPIC_PROFILE")?)? {
            let name = ProfileName::new(name.expose()).context("ANTHROPIC_PROFILE")?;
            return Ok(Self { profiles, name, why: Why::Environment });
        }
        let (name, why) = match profiles.active()? {
            Some(name) => (name, Why::Active),
            None => (ProfileName::default(), Why::Default),
        };
        Ok(Self { profiles, name, why })
    }
}

/// A person's session: the profile, and where its tokens are.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) name: ProfileName,
    pub(crate) server: Server,
    /// Without one, nothing renews the tokens.
    pub(crate) client: Option<Client>,
    pub(crate) store: FileTokenStore,
}

impl Session {
    pub(crate) async fn of(chosen: Chosen, env: &Env) -> anyhow::Result<Self> {
        let Chosen { profiles, name, .. } = chosen;
        let profile = profiles.load(&name)?;
        let store = profiles.tokens(&name, &profile)?;
        let profile = profile.filled(env)?;
        if profile.kind() != Kind::UserOAuth {
            bail!(
                "profile {name} is not one of a person, so there is no login in it; name another with --profile"
            );
        }
        let (server, client) = (profile.server()?, profile.client(env, &resolver(env)).await?);
        Ok(Self { name, server, client, store })
    }

    /// Brings a logout to its end that a crash cut short; tells whether the server confirmed, if there was one.
    pub(crate) async fn finish_logout(&self) -> anyhow::Result<Option<bool>> {
        match &self.client {
            Some(client) => leaving::give_back(&self.store, &self.server, client).await,
            None => Ok(None),
        }
    }

    /// The driver of the session, where there is a client to renew it as.
    pub(crate) async fn oauth(&self) -> Result<Option<OAuth>, Error> {
        let Some(client) = self.client.clone() else { return Ok(None) };
        let backend = backend(self.server.token_endpoint())?;
        Ok(Some(OAuth::open(self.server.clone(), client, self.store.clone(), backend).await?))
    }
}

/// What reaches `url`. On this very machine no proxy is asked: it would read what is sent.
pub(crate) fn backend(url: &Url) -> Result<Arc<Reqwest>, ConfigError> {
    let builder = Reqwest::builder();
    let builder = if url.scheme() == "http" { builder.no_proxy() } else { builder };
    Ok(Arc::new(builder.build().map_err(|error| ConfigError::Backend(error.into()))?))
}
