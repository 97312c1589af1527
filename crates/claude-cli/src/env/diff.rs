//! In what two profiles differ.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::anyhow;
use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{Resolver, providers::Env},
};
use serde::Serialize;

use super::{Fact, Fingerprints, facts};
use crate::{
    console::{concluded, masked, plain, print, print_masked, tell},
    profile::{kind, shown},
};

/// A member that is not the same in both.
#[derive(Debug, Serialize)]
struct Difference {
    member: String,
    one: Side,
    other: Side,
}

/// What a member is in one of them.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Side {
    Absent,
    Value(String),
    Secret(Fact),
}

/// That they differ is no failure, as with `git diff`; that something could not be compared is one.
pub(super) async fn run(
    env: &Env,
    resolver: &Resolver,
    names: [ProfileName; 2],
    json: bool,
) -> anyhow::Result<()> {
    let (profiles, prints) = (Profiles::of(env)?, Fingerprints::default());
    let [one, other] = &names;
    let (first, second) = (profiles.load(one)?, profiles.load(other)?);
    let sources = (resolver, &prints);
    let facts_of_one = facts(&profiles, one, &first, sources).await;
    let facts_of_other = match one == other {
        true => facts_of_one.clone(),
        false => facts(&profiles, other, &second, sources).await,
    };
    let facts = [facts_of_one, facts_of_other];
    let differences = differences([&first, &second], &facts);
    let mut unknown: Vec<String> = Vec::new();
    for (name, facts) in names.iter().zip(&facts) {
        let missing = facts.iter().filter(|fact| fact.is_unknown());
        unknown.extend(missing.map(|fact| format!("{} of {name}", fact.member)));
        if one == other {
            break; // told once
        }
    }
    let printed = match json {
        true => print_masked(&differences),
        false => print_text(&names, &differences),
    };
    let verdict = match unknown.is_empty() {
        true => Ok(()),
        false => Err(anyhow!("not everything could be compared: {} cannot be had", unknown.join(", "))),
    };
    concluded(printed, verdict)?;
    if differences.is_empty() && !json {
        tell("they do not differ");
    }
    Ok(())
}

fn print_text(names: &[ProfileName; 2], differences: &[Difference]) -> anyhow::Result<()> {
    let width = names.iter().map(|name| name.as_str().len()).max().unwrap_or_default();
    let mut text = String::new();
    for Difference { member, one, other } in differences {
        writeln!(text, "{member}")?;
        for (name, side) in names.iter().zip([one, other]) {
            writeln!(text, "  {:width$}  {}", name.as_str(), told(side))?;
        }
    }
    Ok(print(masked(&text))?)
}

fn differences(profiles: [&Profile; 2], facts: &[Vec<Fact>; 2]) -> Vec<Difference> {
    let kinds = profiles.map(|profile| Side::Value(kind(profile).to_owned()));
    let of_kind = std::iter::once(("type".to_owned(), kinds));
    // What a workload shows is among the secrets.
    let is_secret = |member: Member| {
        member.is_reference()
            || (member == Member::IdentityTokenFile
                && profiles.iter().any(|one| one.kind() == Kind::OidcFederation))
    };
    let of_members = Member::ALL.into_iter().filter(|member| !is_secret(*member));
    let of_members = of_members.filter(|member| profiles[0].get(*member) != profiles[1].get(*member));
    let of_members = of_members.map(|member| {
        let value = |profile: &Profile| profile.get(member).map(|value| Side::Value(shown(member, value)));
        (member.to_string(), profiles.map(|profile| value(profile).unwrap_or(Side::Absent)))
    });
    let secrets: BTreeSet<&str> = facts.iter().flatten().map(|fact| fact.member.as_str()).collect();
    let of_secrets = secrets.into_iter().map(|member| {
        let [one, other] = facts.each_ref().map(|facts| {
            let fact = facts.iter().find(|fact| fact.member == member);
            fact.map_or(Side::Absent, |fact| Side::Secret(fact.clone()))
        });
        (member.to_owned(), [one, other])
    });
    let different = |(_, [one, other]): &(String, [Side; 2])| one != other;
    // Of members the values were compared: what is shown of them may be the same.
    let different = of_kind.filter(different).chain(of_members).chain(of_secrets.filter(different));
    different.map(|(member, [one, other])| Difference { member, one, other }).collect()
}

fn told(side: &Side) -> String {
    match side {
        Side::Absent => "-".to_owned(),
        Side::Value(value) => plain(value),
        Side::Secret(fact) => {
            let reference = plain(fact.reference.as_deref().unwrap_or("no reference"));
            match (&fact.fingerprint, &fact.error) {
                (Some(print), _) => format!("{reference}  {print}"),
                (None, error) => format!("{reference}  {}", error.as_deref().unwrap_or_default()),
            }
        }
    }
}
