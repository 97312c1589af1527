//! A program with a profile's secrets in its environment.

use std::{
    ffi::{OsStr, OsString},
    io,
    process::Command,
};

use anyhow::{Context as _, bail};
use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{Resolver, SecretName, process_names, providers::Env},
};

use crate::{
    console::{Ending, plain, tell},
    hardening::is_secret,
    profile::kind,
    references::References,
};

pub(super) async fn run(env: &Env, name: &ProfileName, program: &[OsString]) -> anyhow::Result<()> {
    let profiles = Profiles::of(env)?;
    let profile = profiles.load(name)?;
    let Some((program, arguments)) = program.split_first() else { bail!("name a program to run") };
    let mut command = Command::new(program);
    command.args(arguments);
    for variable in process_names().iter().filter(|name| is_left_behind(&name.to_string_lossy())) {
        command.env_remove(variable);
    }
    if profile.get(Member::BaseUrl).is_some() {
        command.env("ANTHROPIC_BASE_URL", profile.base_url()?.as_str());
    }
    tell_of_client_secret(env, name, &profile)?;
    let references = References::of(env);
    let equipped = equip(&mut command, &profiles, name, &profile, &references.resolver).await;
    // What is lent is lent to the program.
    if !equipped.as_ref().is_ok_and(|lent| *lent) {
        references.give_back().await;
    }
    equipped?;
    start(command, program)
}

/// Of the caller's environment: secrets, and whatever else would decide for the profile where its key goes and whose calls these
/// are. Where the profiles are stays.
fn is_left_behind(variable: &str) -> bool {
    let of_calls =
        ["ANTHROPIC_", "CLAUDE_"].iter().any(|begin| variable.to_ascii_uppercase().starts_with(begin));
    is_secret(variable) || (of_calls && variable != "ANTHROPIC_CONFIG_DIR")
}

/// The caller's secret of a client does not go along; a login that needs it would fail at its next renewal.
fn tell_of_client_secret(env: &Env, name: &ProfileName, profile: &Profile) -> anyhow::Result<()> {
    let is_lost = profile.kind() == Kind::UserOAuth && profile.get(Member::ClientSecret).is_none();
    if is_lost && env.read(&SecretName::new(CLIENT_SECRET)?)?.is_some() {
        tell(format!(
            "{CLIENT_SECRET} does not go along; if the login of {name} needs it, set its client_id and client_secret"
        ));
    }
    Ok(())
}

const CLIENT_SECRET: &str = "CLAUDE_CLIENT_SECRET";

/// Puts into the program's environment what the profile says; tells whether some of it is lent for a time.
async fn equip(
    command: &mut Command,
    profiles: &Profiles,
    name: &ProfileName,
    profile: &Profile,
    resolver: &Resolver,
) -> anyhow::Result<bool> {
    let member = match profile.kind() {
        Kind::ApiKey => Member::ApiKey,
        Kind::UserOAuth | Kind::OidcFederation => Member::ClientSecret,
        _ => bail!("profile {name} is of type {}, which this version cannot use", kind(profile)),
    };
    let variables = profile.variables()?;
    let values = resolver.resolve_all(variables.values()).await;
    let mut lent = false;
    for (name, value) in variables.keys().zip(values) {
        let value = value.with_context(|| format!("{name} cannot be had"))?;
        lent |= value.good_for().is_some();
        command.env(name, value.expose());
    }
    let secret = match profile.reference(member)? {
        Some(reference) => Some(resolver.resolve(&reference).await?),
        None if member == Member::ApiKey => bail!("profile {name} has no api_key; set it to a reference"),
        None => None,
    };
    lent |= secret.as_ref().is_some_and(|secret| secret.good_for().is_some());
    if member == Member::ApiKey {
        if let Some(key) = &secret {
            command.env("ANTHROPIC_API_KEY", key.expose());
        }
        return Ok(lent);
    }
    command.env("ANTHROPIC_PROFILE", name.as_str()).env("ANTHROPIC_CONFIG_DIR", profiles.path());
    if let Some(secret) = &secret {
        let Some(id) = profile.get(Member::ClientId) else {
            bail!("profile {name} has a client_secret and no client_id; set the client_id that it is of");
        };
        command.env("CLAUDE_CLIENT_ID", id).env(CLIENT_SECRET, secret.expose());
    }
    Ok(lent)
}

/// The program takes the place of this one: signals and its status are its own, and nothing of this one's memory is left.
#[cfg(unix)]
fn start(mut command: Command, program: &OsStr) -> anyhow::Result<()> {
    Err(unstarted(program, &std::os::unix::process::CommandExt::exec(&mut command)).into())
}

#[cfg(not(unix))]
fn start(mut command: Command, program: &OsStr) -> anyhow::Result<()> {
    let status = command.status().map_err(|error| unstarted(program, &error))?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| code.try_into().ok()).unwrap_or(1);
    Err(Ending { status: code, kind: "program", told: format!("the program ended with {status}") }.into())
}

/// A program that could not be started, with the status that shells give.
fn unstarted(program: &OsStr, error: &io::Error) -> Ending {
    let status = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
    let told = plain(&format!("{} could not be run: {error}", program.to_string_lossy()));
    Ending { status, kind: "program", told }
}
