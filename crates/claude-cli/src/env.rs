//! `claudectl env`: profiles as environments, with the secrets they refer to.

use std::hash::{BuildHasher as _, RandomState};

use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{Resolver, providers::Env},
    token_store::TokenStore as _,
};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::{args::EnvCommand, console::one_line, references::References};

mod check;
mod diff;
mod run;

pub(crate) async fn run(command: EnvCommand) -> anyhow::Result<()> {
    let env = Env::process();
    match command {
        EnvCommand::Diff { one, other, json } => {
            let references = References::of(&env);
            let outcome = diff::run(&env, &references.resolver, [one, other], json).await;
            references.give_back().await;
            outcome
        }
        EnvCommand::Check { profiles, json } => {
            let references = References::of(&env);
            let outcome = check::run(&env, &references.resolver, profiles, json).await;
            references.give_back().await;
            outcome
        }
        EnvCommand::Run { profile, program } => run::run(&env, &profile, &program).await,
    }
}

/// A secret of a profile, as it may be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Fact {
    /// A member of the profile, `env.NAME`, or `login`.
    pub(crate) member: String,
    /// Where it is; of a login the file of its tokens.
    reference: Option<String>,
    /// Two secrets are the same where these are, within one run.
    fingerprint: Option<String>,
    /// Why it cannot be had.
    pub(crate) error: Option<String>,
}

impl Fact {
    /// Whether there may be a secret that was not looked at.
    fn is_unknown(&self) -> bool {
        self.error.as_ref().is_some_and(|error| !error.starts_with(NOBODY))
    }
}

/// Tells secrets apart without telling them: the key is drawn at random and forgotten at the end of the run, so that nobody
/// can try guesses on what was printed.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(RandomState);

impl Fingerprints {
    fn of(&self, secret: &str) -> String {
        format!("{:016x}", self.0.hash_one(secret))
    }
}

/// The secrets of a profile: those that it refers to, and the login of a person.
async fn facts(
    profiles: &Profiles,
    name: &ProfileName,
    profile: &Profile,
    (resolver, prints): (&Resolver, &Fingerprints),
) -> Vec<Fact> {
    let mut facts = referred(profile, resolver, prints).await;
    if profile.kind() == Kind::UserOAuth {
        facts.push(login(profiles, name, profile, prints).await);
    }
    facts
}

/// The secrets that a profile refers to, fetched all at once.
pub(crate) async fn referred(profile: &Profile, resolver: &Resolver, prints: &Fingerprints) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut references = Vec::new();
    for member in Member::ALL.into_iter().filter(|member| member.is_reference()) {
        let (reference, error) = match profile.reference(member) {
            Ok(None) => continue,
            Ok(Some(reference)) => (Some(reference), None),
            Err(error) => (None, Some(one_line(&error.into()))),
        };
        let shown = reference.as_ref().map(ToString::to_string);
        references.extend(reference);
        facts.push(Fact { member: member.to_string(), reference: shown, fingerprint: None, error });
    }
    match profile.variables() {
        Ok(variables) => {
            for (name, reference) in variables {
                let (member, shown) = (format!("env.{name}"), Some(reference.to_string()));
                facts.push(Fact { member, reference: shown, fingerprint: None, error: None });
                references.push(reference);
            }
        }
        Err(error) => {
            let (member, error) = ("environment".to_owned(), Some(one_line(&error.into())));
            facts.push(Fact { member, reference: None, fingerprint: None, error });
        }
    }
    let secrets = resolver.resolve_all(&references).await;
    for (fact, secret) in facts.iter_mut().filter(|fact| fact.reference.is_some()).zip(secrets) {
        match secret {
            Ok(secret) => fact.fingerprint = Some(prints.of(secret.expose())),
            Err(error) => fact.error = Some(one_line(&error.into())),
        }
    }
    facts
}

/// The login of a profile is known by the token that renews it.
async fn login(profiles: &Profiles, name: &ProfileName, profile: &Profile, prints: &Fingerprints) -> Fact {
    let mut fact = Fact { member: LOGIN.to_owned(), reference: None, fingerprint: None, error: None };
    let tokens = match profiles.tokens(name, profile) {
        Ok(tokens) => tokens,
        Err(error) => return Fact { error: Some(one_line(&error.into())), ..fact },
    };
    fact.reference = Some(tokens.path().display().to_string());
    match tokens.load().await {
        Ok(Some(session)) => {
            let token = session.refresh_token.as_ref().unwrap_or(&session.access_token);
            fact.fingerprint = Some(prints.of(token.expose_secret()));
        }
        Ok(None) => {
            fact.error = Some(format!("{NOBODY}; run `claudectl auth login --profile {name}`"));
        }
        Err(error) => fact.error = Some(one_line(&error.into())),
    }
    fact
}

/// What a login is called among the secrets of a profile, and what is told of one that is not there.
const LOGIN: &str = "login";
const NOBODY: &str = "nobody is logged in";
