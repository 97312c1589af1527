//! `claudectl env`: profiles as environments, with the secrets they refer to.

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
    path::Path,
};

use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{
        Resolver, SecretName, SecretProvider as _,
        providers::{Env, File},
    },
    token_store::TokenStore as _,
};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::{args::EnvCommand, console::one_line, profile::shown, references::References};

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
        // Without a word of its own there is nothing else to print.
        EnvCommand::Run { profile, program, json: _ } => run::run(&env, &profile, &program).await,
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
    /// The one name of the file that a login or an identity is kept in: who has the file has the secret.
    #[serde(skip)]
    file: Option<String>,
}

impl Fact {
    fn new(member: impl Into<String>, reference: Option<String>, error: Option<String>) -> Self {
        Self { member: member.into(), reference, fingerprint: None, error, file: None }
    }

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

/// The secrets of a profile: those that it refers to, and the login of a person or the identity of a workload.
async fn facts(
    profiles: &Profiles,
    name: &ProfileName,
    profile: &Profile,
    (resolver, prints): (&Resolver, &Fingerprints),
) -> Vec<Fact> {
    let mut facts = referred(profile, resolver, prints).await;
    match (profile.kind(), profile.get(Member::IdentityTokenFile)) {
        (Kind::UserOAuth, _) => facts.push(login(profiles, name, profile, prints).await),
        (Kind::OidcFederation, Some(path)) => facts.push(identity(path, prints).await),
        _ => {}
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
        facts.push(Fact::new(member.as_str(), shown, error));
    }
    match profile.variables() {
        Ok(variables) => {
            for (name, reference) in variables {
                facts.push(Fact::new(format!("env.{name}"), Some(reference.to_string()), None));
                references.push(reference);
            }
        }
        Err(error) => {
            facts.push(Fact::new("environment", None, Some(one_line(&error.into()))));
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
    let mut fact = Fact::new("login", None, None);
    let tokens = match profiles.tokens(name, profile) {
        Ok(tokens) => tokens,
        Err(error) => return Fact { error: Some(one_line(&error.into())), ..fact },
    };
    fact.reference = Some(tokens.path().display().to_string());
    fact.file = Some(same_file(tokens.path()));
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

/// What a workload shows of itself: with another rule it is another's, but it is one.
async fn identity(path: &str, prints: &Fingerprints) -> Fact {
    let member = Member::IdentityTokenFile;
    let mut fact = Fact::new(member.as_str(), Some(shown(member, path)), None);
    fact.file = Some(same_file(Path::new(path)));
    let read = async { File::at(path).mounted().get(SecretName::new("identity_token")?).await };
    match read.await {
        Ok(Some(token)) => fact.fingerprint = Some(prints.of(token.expose())),
        Ok(None) => fact.error = Some("the file does not exist".to_owned()),
        Err(error) => fact.error = Some(one_line(&error.into())),
    }
    fact
}

/// A file by its one name, as far as it is there.
fn same_file(path: &Path) -> String {
    fs::canonicalize(path).as_deref().unwrap_or(path).display().to_string()
}

/// What is told of a login that is not there.
const NOBODY: &str = "nobody is logged in";
