//! A program with a profile's secrets in its environment.

use std::{ffi::OsString, process::Command};

use anyhow::{Context as _, bail};
use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{Resolver, process_names, providers::Env},
};

use crate::{hardening::is_secret, profile::kind, references::resolver};

pub(super) async fn run(env: &Env, name: &ProfileName, program: &[OsString]) -> anyhow::Result<()> {
    let profiles = Profiles::of(env)?;
    let profile = profiles.load(name)?;
    let Some((program, arguments)) = program.split_first() else { bail!("name a program to run") };
    let mut command = Command::new(program);
    command.args(arguments);
    for variable in process_names().iter().filter(|name| is_secret(&name.to_string_lossy())) {
        command.env_remove(variable);
    }
    command.env_remove("ANTHROPIC_PROFILE").env_remove("CLAUDE_CLIENT_ID");
    command.env("ANTHROPIC_BASE_URL", profile.filled(env)?.base_url()?.as_str());
    equip(&mut command, &profiles, name, &profile, &resolver(env)).await?;
    start(command).with_context(|| format!("{} could not be run", program.to_string_lossy()))
}

/// Puts into the program's environment what the profile says.
async fn equip(
    command: &mut Command,
    profiles: &Profiles,
    name: &ProfileName,
    profile: &Profile,
    resolver: &Resolver,
) -> anyhow::Result<()> {
    let member = match profile.kind() {
        Kind::ApiKey => Member::ApiKey,
        Kind::UserOAuth | Kind::OidcFederation => Member::ClientSecret,
        _ => bail!("profile {name} is of type {}, which this version cannot use", kind(profile)),
    };
    let variables = profile.variables()?;
    let values = resolver.resolve_all(variables.values()).await;
    for (name, value) in variables.keys().zip(values) {
        command.env(name, value.with_context(|| format!("{name} cannot be had"))?.expose());
    }
    let secret = match profile.reference(member)? {
        Some(reference) => Some(resolver.resolve(&reference).await?),
        None if member == Member::ApiKey => bail!("profile {name} has no api_key; set it to a reference"),
        None => None,
    };
    if member == Member::ApiKey {
        if let Some(key) = &secret {
            command.env("ANTHROPIC_API_KEY", key.expose());
        }
        return Ok(());
    }
    command.env("ANTHROPIC_PROFILE", name.as_str()).env("ANTHROPIC_CONFIG_DIR", profiles.path());
    if let (Some(secret), Some(id)) = (&secret, profile.get(Member::ClientId)) {
        command.env("CLAUDE_CLIENT_ID", id).env("CLAUDE_CLIENT_SECRET", secret.expose());
    }
    Ok(())
}

/// The program takes the place of this one: signals and its status are its own, and nothing of this one's memory is left.
#[cfg(unix)]
fn start(mut command: Command) -> anyhow::Result<()> {
    Err(std::os::unix::process::CommandExt::exec(&mut command).into())
}

#[cfg(not(unix))]
fn start(mut command: Command) -> anyhow::Result<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| code.try_into().ok()).unwrap_or(1);
    Err(crate::console::Ending { status: code, told: format!("the program ended with {status}") }.into())
}
