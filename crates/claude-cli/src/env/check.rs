//! Whether profiles can be used.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{anyhow, bail};
use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{Resolver, providers::Env},
};
use serde::Serialize;

use super::{Fact, Fingerprints, facts};
use crate::{
    console::{concluded, masked, one_line, print, print_masked},
    profile::tell_unknown,
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
        reports.push(report(&profiles, name, (resolver, &prints)).await);
    }
    tell_shared(&mut reports);
    tell_not_compared(&mut reports);
    reports.retain(|report| named.is_empty() || named.iter().any(|name| name.as_str() == report.profile));
    let printed = if json {
        print_masked(&reports)
    } else {
        let mut text = String::new();
        for Report { profile, secrets, problems, warnings } in &reports {
            if problems.is_empty() {
                let count = secrets.len();
                writeln!(
                    text,
                    "{profile}: can be used ({count} secret{})",
                    if count == 1 { "" } else { "s" }
                )?;
            }
            for problem in problems {
                writeln!(text, "{profile}: {problem}")?;
            }
            for warning in warnings {
                writeln!(text, "{profile}: warning: {warning}")?;
            }
        }
        print(masked(&text)).map_err(Into::into)
    };
    let verdict = match reports.iter().map(|report| report.problems.len()).sum::<usize>() {
        0 => Ok(()),
        1 => Err(anyhow!("there is a problem")),
        count => Err(anyhow!("there are {count} problems")),
    };
    concluded(printed, verdict)
}

async fn report(
    profiles: &Profiles,
    name: &ProfileName,
    (resolver, prints): (&Resolver, &Fingerprints),
) -> Report {
    let (mut secrets, mut problems, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    match profiles.load(name) {
        Ok(profile) => {
            warnings.extend(profile.unknown_members().iter().map(ToString::to_string));
            secrets = facts(profiles, name, &profile, (resolver, prints)).await;
            problems.extend(secrets.iter().filter_map(|fact| {
                let error = fact.error.as_ref()?;
                Some(format!("its {} cannot be had: {error}", fact.member))
            }));
            if let Err(error) = look(&profile) {
                problems.push(one_line(&error));
            }
        }
        Err(error) => problems.push(one_line(&error.into())),
    }
    Report { profile: name.to_string(), secrets, problems, warnings }
}

/// Everything but the secrets that are referred to.
///
/// What the profile leaves open is not looked for in the environment: `env run` takes nothing from there.
fn look(profile: &Profile) -> anyhow::Result<()> {
    profile.base_url()?;
    match profile.kind() {
        Kind::UserOAuth => drop(profile.server()?),
        Kind::OidcFederation => {
            let needed = [Member::FederationRuleId, Member::OrganizationId, Member::IdentityTokenFile];
            if let Some(missing) = needed.into_iter().find(|member| profile.get(*member).is_none()) {
                bail!("it has no {missing}; set it");
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
    let missing = reports.iter().filter(|report| report.secrets.iter().any(Fact::is_unknown));
    let missing: Vec<String> = missing.map(|report| report.profile.clone()).collect();
    for report in reports.iter_mut().filter(|report| !report.secrets.is_empty()) {
        for other in missing.iter().filter(|other| **other != report.profile) {
            let told =
                format!("it was not compared with all of {other}, which has a secret that cannot be had");
            report.warnings.push(told);
        }
    }
}

/// Environments that share a secret are one environment for whoever has it; so are two that keep their logins in one file, or
/// show one file as their identity.
fn tell_shared(reports: &mut [Report]) {
    let mut owners: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for Report { profile, secrets, .. } in reports.iter() {
        for fact in secrets {
            for key in fact.fingerprint.clone().into_iter().chain(fact.file.clone()) {
                owners.entry(key).or_default().push((profile.clone(), fact.member.clone()));
            }
        }
    }
    let mut shared: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for owners in owners.into_values() {
        for (profile, member) in &owners {
            let others = owners.iter().map(|(other, _)| other).filter(|other| *other != profile);
            let others: Vec<String> = others.cloned().collect();
            if !others.is_empty() {
                shared.entry((profile.clone(), member.clone())).or_default().extend(others);
            }
        }
    }
    for ((profile, member), others) in shared {
        let others = others.into_iter().collect::<Vec<_>>().join(" and ");
        let problem = format!("its {member} is the same secret as in {others}; give each its own");
        for report in reports.iter_mut().filter(|report| report.profile == profile) {
            report.problems.push(problem.clone());
        }
    }
}
