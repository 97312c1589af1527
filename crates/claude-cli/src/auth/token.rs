//! `claudectl auth token` and `claudectl auth refresh`.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use anyhow::{Context, bail};
use claude_sdk::{
    credentials::{CredentialProvider, Resolution, Source},
    profile::Profiles,
    secrets::{process_lookup, providers::Env},
    token_store::TokenStore,
    transport::{Clock, SystemClock},
};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{
    session::{Chosen, Session, backend},
    who::{Who, is_over, when},
};
use crate::{
    args::SessionArgs,
    console::{self, print_json, tell},
    interrupt::unless_interrupted,
    wording::at_a_terminal,
};

#[derive(Serialize)]
struct Token<'a> {
    access_token: &'a str,
    expires_at: Option<u64>,
}

pub(super) async fn print(args: SessionArgs) -> anyhow::Result<()> {
    let env = Env::process();
    let found = match args.profile {
        Some(name) => Resolution::profile(name, &env)?,
        None => Resolution::of(&without_keys())?,
    };
    let name = found.source().and_then(Source::profile).cloned();
    let profile = found.filled_profile()?;
    let base_url = match &profile {
        // Printed, not sent: whatever the environment says, it is for the deployment of its profile.
        Some(profile) => profile.base_url()?,
        None => found.base_url().parse()?,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let provider =
        found.provider(&base_url, backend(&base_url)?, Arc::clone(&clock)).map_err(at_a_terminal)?;
    let asked = unless_interrupted(provider.flush(), provider.credential()).await?;
    let credential = asked.map_err(|error| at_a_terminal(error.into()))?;
    // What was renewed is stored before it is given out.
    let expires_at = match (&name, &profile) {
        (Some(name), Some(profile)) => {
            let stored = Profiles::of(&env)?.tokens(name, profile)?.load().await?;
            let same = stored.filter(|stored| stored.access_token.expose_secret() == credential.expose());
            same.and_then(|stored| Who::of(&stored).expires_at)
        }
        _ => None,
    };
    if expires_at.is_some_and(|at| is_over(at, clock.now())) {
        bail!(
            "the access token has expired and nothing renews it, as its profile has no client id; log in again"
        );
    }
    if io::stdout().is_terminal() {
        tell("whoever reads this token is you until it expires; clear the screen when you are done");
    }
    let access_token = credential.expose();
    if args.json {
        return print_json(&Token { access_token, expires_at });
    }
    Ok(console::print(format!("{access_token}\n"))?)
}

/// The environment without the keys and tokens that are in it: whoever has those does not ask for a token.
fn without_keys() -> Env {
    let lookup = process_lookup();
    Env::new(Arc::new(move |name| match name {
        "ANTHROPIC_API_KEY" | "ANTHROPIC_AUTH_TOKEN" => None,
        name => lookup(name),
    }))
}

#[derive(Debug, Serialize)]
struct Renewal<'a> {
    profile: &'a str,
    expires_at: Option<u64>,
}

/// Renews what was stored when it began: if that has been renewed by the time the lock is had, there is nothing to do.
pub(super) async fn refresh(args: SessionArgs) -> anyhow::Result<()> {
    let env = Env::process();
    let session = Session::of(Chosen::new(args.profile, &env)?, &env).await?;
    let name = session.name.as_str();
    session.finish_logout().await?;
    let oauth = session.oauth().await.map_err(at_a_terminal)?;
    let oauth = oauth.with_context(|| {
        format!("there is no client id to renew as; set it with `claudectl profile set {name} client_id=ID`")
    })?;
    drop(
        unless_interrupted(oauth.flush(), oauth.renew())
            .await?
            .map_err(|error| at_a_terminal(error.into()))?,
    );
    let stored = session.store.load().await?.context("the session was removed meanwhile")?;
    let expires_at = Who::of(&stored).expires_at;
    if args.json {
        return print_json(&Renewal { profile: name, expires_at });
    }
    let until =
        expires_at.map_or_else(String::new, |at| format!("; it expires {}", when(at, SystemClock.now())));
    Ok(console::print(format!("The access token of profile {name} is renewed{until}.\n"))?)
}
