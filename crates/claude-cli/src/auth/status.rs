//! `claudectl auth status`: from files and the environment; the time is asked for only if that is wanted.

use std::{sync::Arc, time::SystemTime};

use anyhow::{Context, bail};
use claude_sdk::{
    credentials::{Resolution, Source},
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::providers::Env,
    token_store::TokenStore,
    transport::{Clock, SystemClock},
};
use serde::Serialize;

use super::{
    clock,
    session::backend,
    who::{Who, is_over, named, when},
};
use crate::{
    args::StatusArgs,
    console::{one_line, plain, print, print_json},
    wording::at_a_terminal,
};

/// What is known without asking anybody.
#[derive(Debug, Serialize)]
struct Status {
    /// Whether there is a credential that a call could use.
    usable: bool,
    /// What a call would use, and why.
    source: Option<String>,
    /// What is there as well, and is not used.
    not_used: Vec<String>,
    /// Where was looked in vain.
    looked: Vec<String>,
    /// Why a call would not be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    base_url: String,
    /// The same with all that may be a secret in it.
    #[serde(skip)]
    asked_at: String,
    /// By how many seconds the API's clock is ahead of this machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_offset_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    session: Option<Session>,
}

/// A person's session.
#[derive(Debug, Serialize)]
struct Session {
    #[serde(flatten)]
    who: Who,
    expired: bool,
    renewable: bool,
}

pub(super) async fn run(args: StatusArgs) -> anyhow::Result<()> {
    let env = Env::process();
    let found = match args.profile {
        Some(name) => Resolution::profile(name, &env)?,
        None => Resolution::of(&env)?,
    };
    let now = SystemClock.now();
    let mut status = Status::of(&found, &env, now).await?;
    if args.clock {
        status.clock_offset_seconds = Some(clock::offset(&status.asked_at.parse()?).await?);
    }
    if args.json {
        print_json(&status)?;
    } else if let Some(text) = status.text(now) {
        print(text)?;
    }
    if let Some(problem) = &status.problem {
        bail!("no call would be sent: {problem}");
    }
    match (&status.profile, status.usable) {
        (_, true) => Ok(()),
        (None, _) => bail!("nobody is logged in: {}", status.looked.last().map_or("", String::as_str)),
        (Some(name), _) => match &status.session {
            None => bail!(
                "nobody is logged in to profile {name}; log in with `claudectl auth login --profile {name}`"
            ),
            Some(_) => bail!("the session has expired; log in with `claudectl auth login --profile {name}`"),
        },
    }
}

impl Status {
    async fn of(found: &Resolution, env: &Env, now: SystemTime) -> anyhow::Result<Self> {
        let name = found.source().and_then(Source::profile);
        let profile = found.filled_profile()?;
        let mut session = None;
        let mut usable = found.source().is_some();
        if let (Some(name), Some(profile)) = (name, &profile)
            && profile.kind() == Kind::UserOAuth
        {
            session = Session::of(name, profile, env, now).await?;
            usable = session.as_ref().is_some_and(|session| session.renewable || !session.expired);
        }
        let base_url = match &profile {
            Some(profile) if profile.get(Member::BaseUrl).is_some() => profile.base_url()?.into(),
            _ => found.base_url().to_owned(),
        };
        let problem = match found.source() {
            Some(_) => problem(found).err().map(|error| one_line(&error)),
            None => None,
        };
        Ok(Self {
            usable: usable && problem.is_none(),
            problem,
            clock_offset_seconds: None,
            source: found.source().map(|source| plain(&source.to_string())),
            not_used: found.shadowed().iter().map(|source| plain(&source.to_string())).collect(),
            looked: found.looked().iter().map(|text| plain(text)).collect(),
            base_url: plain(&crate::profile::shown(Member::BaseUrl, &base_url)),
            asked_at: base_url,
            profile: name.map(ToString::to_string),
            session,
        })
    }

    /// For a person; nothing where there is nothing to tell.
    fn text(&self, now: SystemTime) -> Option<String> {
        let source = self.source.as_ref()?;
        let mut text = match &self.session {
            Some(session) => format!("Logged in{}\n", session.who.as_whom()),
            None if self.profile.is_some() && !self.usable => return None,
            None => format!("A call uses {source}\n"),
        };
        let mut line = |what: &str, value: &str| text.push_str(&format!("  {what:<13} {value}\n"));
        if let Some(session) = &self.session {
            let who = &session.who;
            line("used", source);
            let lines = [
                ("organization", named(who.organization_name.as_ref(), who.organization_uuid.as_ref())),
                ("workspace", named(who.workspace_name.as_ref(), who.workspace_id.as_ref())),
                ("scopes", who.scope.clone()),
                ("access token", session.told(now)),
            ];
            for (what, value) in lines {
                value.iter().for_each(|value| line(what, value));
            }
        }
        line("API", &self.base_url);
        if let Some(offset) = self.clock_offset_seconds {
            line("clock", &clock::told(offset));
        }
        self.not_used.iter().for_each(|source| line("not used", source));
        Some(text)
    }
}

/// Whether a client can be set up for what was found. Nothing is sent.
fn problem(found: &Resolution) -> anyhow::Result<()> {
    let base_url = found.base_url().parse().context("the base URL")?;
    found.provider(&base_url, backend(&base_url)?, Arc::new(SystemClock)).map_err(at_a_terminal)?;
    Ok(())
}

impl Session {
    async fn of(
        name: &ProfileName,
        profile: &Profile,
        env: &Env,
        now: SystemTime,
    ) -> anyhow::Result<Option<Self>> {
        let Some(stored) = Profiles::of(env)?.tokens(name, profile)?.load().await? else { return Ok(None) };
        let who = Who::of(&stored);
        Ok(Some(Self {
            expired: who.expires_at.is_some_and(|at| is_over(at, now)),
            renewable: stored.refresh_token.is_some() && profile.get(Member::ClientId).is_some(),
            who,
        }))
    }

    fn told(&self, now: SystemTime) -> Option<String> {
        let at = when(self.who.expires_at?, now);
        Some(match (self.expired, self.renewable) {
            (false, true) => format!("good until {at}; renewed by itself"),
            (false, false) => format!("good until {at}; nothing renews it"),
            (true, true) => format!("expired {at}; renewed by the next call"),
            (true, false) => format!("expired {at}"),
        })
    }
}
