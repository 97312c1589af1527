//! `claudectl env`: profiles as environments, with the secrets they refer to.

use std::hash::{BuildHasher as _, RandomState};

use claude_sdk::{
    profile::{Member, Profile},
    secrets::{Resolver, Secret, providers::Env},
};
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
    /// A member of the profile, or `env.NAME`.
    pub(crate) member: String,
    reference: Option<String>,
    /// Two secrets are the same where these are, within one run.
    fingerprint: Option<String>,
    /// Why it cannot be had.
    pub(crate) error: Option<String>,
}

/// Tells secrets apart without telling them: the key is drawn at random and forgotten at the end of the run, so that nobody
/// can try guesses on what was printed.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(RandomState);

impl Fingerprints {
    fn of(&self, secret: &Secret) -> String {
        format!("{:016x}", self.0.hash_one(secret.expose()))
    }
}

/// The secrets that a profile refers to, fetched all at once.
pub(crate) async fn facts(profile: &Profile, resolver: &Resolver, prints: &Fingerprints) -> Vec<Fact> {
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
            Ok(secret) => fact.fingerprint = Some(prints.of(&secret)),
            Err(error) => fact.error = Some(one_line(&error.into())),
        }
    }
    facts
}
