//! Whether profiles can be used.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::bail;
use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{
        Resolver, SecretName, SecretProvider as _,
        providers::{Env, File},
    },
    token_store::TokenStore as _,
};
use serde::Serialize;

use super::{Fact, Fingerprints, facts};
use crate::{
    console::{one_line, print, print_json},
    profile::tell_unknown,
    secrets::shapes::Scanner,
};

/// What there is to say of a profile.
#[derive(Debug, Serialize)]
struct Report {
    profile: String,
    secrets: Vec<Fact>,
    problems: Vec<String>,
    /// What may be a slip of the pen, and does no harm where it is none.
    warnings: Vec<String>,
}

pub(super) async fn run(
    env: &Env,
    resolver: &Resolver,
    named: Vec<ProfileName>,
    json: bool,
) -> anyhow::Result<()> {
    let (profiles, prints) = (Profiles::of(env)?, Fingerprints::default());
    tell_unknown(&profiles)?;
    // All of them: one that is asked about may have the secret of one that is not.
    let mut names = profiles.list()?;
    names.extend(named.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
    if names.is_empty() {
        // A check that looks at nothing always succeeds.
        bail!("there is no profile to check; `claudectl profile set` makes one");
    }
    let mut reports = Vec::new();
    for name in &names {
        reports.push(report(&profiles, name, env, (resolver, &prints)).await);
    }
    tell_shared(&mut reports);
    tell_not_compared(&mut reports);
    reports.retain(|report| named.is_empty() || named.iter().any(|name| name.as_str() == report.profile));
    if json {
        print_json(&reports)?;
    } else {
        let mut text = String::new();
        for Report { profile, secrets, problems, warnings } in &reports {
            if problems.is_empty() {
                writeln!(text, "{profile}: can be used ({} secrets)", secrets.len())?;
            }
            for problem in problems {
                writeln!(text, "{profile}: {problem}")?;
            }
            for warning in warnings {
                writeln!(text, "{profile}: warning: {warning}")?;
            }
        }
        print(Scanner::new().masked(&text))?;
    }
    match reports.iter().map(|report| report.problems.len()).sum::<usize>() {
        0 => Ok(()),
        1 => bail!("there is a problem"),
        count => bail!("there are {count} problems"),
    }
}

async fn report(
    profiles: &Profiles,
    name: &ProfileName,
    env: &Env,
    (resolver, prints): (&Resolver, &Fingerprints),
) -> Report {
    let (mut secrets, mut problems, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    match profiles.load(name) {
        Ok(profile) => {
            warnings.extend(profile.unknown_members().iter().map(ToString::to_string));
            secrets = facts(&profile, resolver, prints).await;
            problems.extend(secrets.iter().filter_map(|fact| {
                let error = fact.error.as_ref()?;
                Some(format!("its {} cannot be had: {error}", fact.member))
            }));
            if let Err(error) = look(profiles, name, &profile, env).await {
                problems.push(one_line(&error));
            }
        }
        Err(error) => problems.push(one_line(&error.into())),
    }
    Report { profile: name.to_string(), secrets, problems, warnings }
}

/// Everything but the secrets that are referred to.
async fn look(profiles: &Profiles, name: &ProfileName, profile: &Profile, env: &Env) -> anyhow::Result<()> {
    let filled = profile.filled(env)?;
    filled.base_url()?;
    match profile.kind() {
        Kind::UserOAuth => {
            filled.server()?;
            // That nobody is logged in is no fault of the profile; that others can read the tokens is.
            profiles.tokens(name, profile)?.load().await?;
        }
        Kind::OidcFederation => {
            if let Some(path) = filled.get(Member::IdentityTokenFile)
                && File::at(path).mounted().get(SecretName::new("identity_token")?).await?.is_none()
            {
                bail!("its identity_token_file does not exist");
            }
        }
        // One that is no reference is told with the secrets.
        Kind::ApiKey if matches!(profile.reference(Member::ApiKey), Ok(None)) => bail!("it has no api_key"),
        Kind::ApiKey => {}
        _ => bail!("its type is one that this version cannot use; update this program"),
    }
    Ok(())
}

/// What could not be had was compared with nothing: it may be the secret of the others too.
fn tell_not_compared(reports: &mut [Report]) {
    let missing = reports.iter().filter(|report| report.secrets.iter().any(|fact| fact.error.is_some()));
    let missing: Vec<String> = missing.map(|report| report.profile.clone()).collect();
    for report in reports.iter_mut().filter(|report| !report.secrets.is_empty()) {
        for other in missing.iter().filter(|other| **other != report.profile) {
            let told =
                format!("it was not compared with all of {other}, which has a secret that cannot be had");
            report.warnings.push(told);
        }
    }
}

/// Environments that share a secret are one environment for whoever has it.
fn tell_shared(reports: &mut [Report]) {
    let mut owners: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for Report { profile, secrets, .. } in reports.iter() {
        for fact in secrets {
            if let Some(print) = &fact.fingerprint {
                owners.entry(print.clone()).or_default().push((profile.clone(), fact.member.clone()));
            }
        }
    }
    for owner in owners.into_values() {
        for report in reports.iter_mut() {
            let Some((_, member)) = owner.iter().find(|(profile, _)| *profile == report.profile) else {
                continue;
            };
            let others: Vec<&str> = owner.iter().map(|(profile, _)| profile.as_str()).collect();
            let others: Vec<&str> = others.into_iter().filter(|other| *other != report.profile).collect();
            if !others.is_empty() {
                report.problems.push(format!(
                    "its {member} is the same secret as in {}; give each its own",
                    others.join(" and ")
                ));
            }
        }
    }
}
