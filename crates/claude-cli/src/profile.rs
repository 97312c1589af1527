//! `claudectl profile`.

use std::collections::BTreeMap;

use anyhow::bail;
use claude_sdk::{
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{SecretName, providers::Env},
    token_store::TokenStore,
};
use serde::Serialize;
use serde_json::json;
use url::Url;

use crate::{
    args::{Assignment, Key, ProfileCommand},
    auth::Chosen,
    console::{masked, plain, print, print_json, print_masked, tell},
    secrets::shapes::Scanner,
};

pub(crate) async fn run(command: ProfileCommand) -> anyhow::Result<()> {
    let env = Env::process();
    match command {
        ProfileCommand::List { json } => list(&env, json),
        ProfileCommand::Use { name, json } => activate(&env, &name, json),
        ProfileCommand::Show { name, json } => show(&env, name, json),
        ProfileCommand::Set { name, assignments, json } => set(&env, &name, &assignments, json),
        ProfileCommand::Remove { name, json } => remove(&env, &name, json).await,
    }
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    active: bool,
    #[serde(rename = "type")]
    kind: Option<String>,
    base_url: Option<String>,
    /// Why it cannot be used.
    error: Option<String>,
}

fn list(env: &Env, json: bool) -> anyhow::Result<()> {
    let profiles = Profiles::of(env)?;
    let active = profiles.active()?.unwrap_or_default();
    let mut entries = Vec::new();
    tell_unknown(&profiles)?;
    for name in profiles.list()? {
        let profile = profiles.load(&name);
        for unknown in profile.iter().flat_map(Profile::unknown_members) {
            tell(format!("profile {name}: {unknown}"));
        }
        entries.push(Entry {
            active: name == active,
            kind: profile.as_ref().ok().map(|profile| kind(profile).to_owned()),
            base_url: profile.as_ref().ok().and_then(|profile| profile.base_url().ok()).map(Into::into),
            error: profile.err().map(|error| plain(&error.to_string())),
            name: name.to_string(),
        });
    }
    if json {
        return print_masked(&entries);
    }
    if entries.is_empty() {
        tell("there are no profiles; `claudectl auth login` makes one");
    }
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    let lines = entries.iter().map(|entry| {
        let mark = if entry.active { "*" } else { " " };
        let what = match (&entry.error, &entry.kind, &entry.base_url) {
            (Some(error), ..) => format!("cannot be used: {error}"),
            (None, Some(kind), Some(url)) => format!("{kind:<16} {url}"),
            (None, kind, _) => kind.clone().unwrap_or_default(),
        };
        format!("{mark} {:width$}  {what}\n", entry.name)
    });
    Ok(print(masked(&lines.collect::<String>()))?)
}

/// Tells of what is beside the profiles of `profiles.json` and may be a slip of the pen.
pub(crate) fn tell_unknown(profiles: &Profiles) -> anyhow::Result<()> {
    for unknown in profiles.unknown_members()? {
        tell(format!("profiles.json: {unknown}"));
    }
    Ok(())
}

fn activate(env: &Env, name: &ProfileName, json: bool) -> anyhow::Result<()> {
    Profiles::of(env)?.activate(name)?;
    print_done(name, "active", "is used from now on", json)?;
    if env.read(&SecretName::new("ANTHROPIC_PROFILE")?)?.is_some_and(|named| named.expose() != name.as_str())
    {
        tell("ANTHROPIC_PROFILE names another profile, and counts more; unset it");
    }
    Ok(())
}

fn show(env: &Env, name: Option<ProfileName>, json: bool) -> anyhow::Result<()> {
    let Chosen { profiles, name, .. } = Chosen::new(name, env)?;
    let profile = profiles.load(&name)?;
    let tokens = profiles.tokens(&name, &profile)?;
    for member in Member::ALL.into_iter().filter(|member| member.is_reference()) {
        if let Err(error) = profile.reference(member) {
            tell(error); // it is not among what is shown
        }
    }
    // Members that are not known here are not shown: they may be anything, secrets too.
    let set = Member::ALL.iter().filter_map(|&member| {
        let value = profile.get(member)?;
        Some((member.to_string(), shown(member, value)))
    });
    let variables = profile.variables()?;
    let variables = variables.iter().map(|(name, reference)| (format!("env.{name}"), reference.to_string()));
    let set = set.chain(variables);
    if json {
        let mut members: BTreeMap<String, String> = set.collect();
        members.insert("name".into(), name.to_string());
        members.insert("type".into(), kind(&profile).to_owned());
        members.entry("credentials_path".into()).or_insert_with(|| tokens.path().display().to_string());
        return print_masked(&members);
    }
    let lines = set.map(|(key, value)| format!("{key}={}\n", plain(&value))).collect::<String>();
    let head = format!("# profile {name} ({}), tokens in {}\n", kind(&profile), tokens.path().display());
    Ok(print(masked(&(head + &lines)))?)
}

fn set(env: &Env, name: &ProfileName, assignments: &[Assignment], json: bool) -> anyhow::Result<()> {
    let profiles = Profiles::of(env)?;
    profiles.change(name, |profile| {
        let mut profile = profile.unwrap_or_else(|| new(assignments));
        for assignment in assignments {
            assign(&mut profile, assignment)?;
        }
        profile.server()?;
        profiles.tokens(name, &profile)?;
        Ok::<_, anyhow::Error>(profile)
    })?;
    print_done(name, "changed", "is changed", json)
}

/// Says what became of a profile: in a word as JSON, or in a sentence.
fn print_done(name: &ProfileName, word: &str, sentence: &str, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&json!({"profile": name.as_str(), word: true}));
    }
    Ok(print(format!("Profile {name} {sentence}.\n"))?)
}

/// A profile of the type that has what is to be set.
fn new(assignments: &[Assignment]) -> Profile {
    let sets = |is_one: &dyn Fn(Member) -> bool| {
        assignments.iter().any(|one| matches!(&one.key, Key::Member(member) if is_one(*member)))
    };
    if sets(&|member| member == Member::ApiKey) {
        Profile::api_key()
    } else if sets(&of_workloads) {
        Profile::oidc_federation()
    } else {
        Profile::user_oauth()
    }
}

fn assign(profile: &mut Profile, Assignment { key, value }: &Assignment) -> anyhow::Result<()> {
    // Behind `env:` a key may look like the name of a variable.
    if value.as_ref().is_some_and(|value| Scanner::new().masked(value) != *value) {
        bail!(
            "there is a key in what is to be set; store it with `claudectl secrets put`, and set where it is"
        );
    }
    let member = match key {
        Key::Member(member) => *member,
        Key::Variable(name) => return Ok(profile.set_variable(name, value.as_deref())?),
    };
    let misplaced = match profile.kind() {
        Kind::UserOAuth => of_workloads(member) || member == Member::ApiKey,
        Kind::OidcFederation => of_people(member) || member == Member::ApiKey,
        Kind::ApiKey => of_workloads(member) || of_people(member),
        _ => true,
    };
    if misplaced && value.is_some() {
        bail!("{member} means nothing in a profile of type {}; use another profile", kind(profile));
    }
    Ok(profile.set(member, value.as_deref())?)
}

async fn remove(env: &Env, name: &ProfileName, json: bool) -> anyhow::Result<()> {
    let profiles = Profiles::of(env)?;
    // Whatever is wrong with them, they are removed.
    let tokens = match profiles.load(name) {
        Ok(profile) => profiles.tokens(name, &profile)?.load().await.ok().flatten(),
        Err(_) => None,
    };
    profiles.remove(name).await?;
    print_done(name, "removed", "is removed", json)?;
    if tokens.is_some() {
        tell("its tokens were removed, not revoked: the server takes them until they expire");
    }
    Ok(())
}

/// A value as it may be shown: of a URL neither a login nor a query, and no text where a URL or a whole path belongs, for that may
/// be a secret.
pub(crate) fn shown(member: Member, value: &str) -> String {
    let is_path = matches!(member, Member::CredentialsPath | Member::IdentityTokenFile);
    if is_path {
        return if value.starts_with(['/', '~', '.']) { value.to_owned() } else { NO_PATH.to_owned() };
    }
    if !is_url(member) {
        return value.to_owned();
    }
    match Url::parse(value) {
        Ok(url) if !url.has_host() => NO_URL.to_owned(),
        Ok(url)
            if url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none() =>
        {
            value.to_owned()
        }
        Ok(url) => format!("{}{} [with what is not shown]", url.origin().ascii_serialization(), url.path()),
        Err(_) => NO_URL.to_owned(),
    }
}

const NO_PATH: &str = "[no absolute path]";
const NO_URL: &str = "[no URL]";

fn is_url(member: Member) -> bool {
    matches!(
        member,
        Member::BaseUrl
            | Member::ConsoleUrl
            | Member::Issuer
            | Member::TokenEndpoint
            | Member::AuthorizationEndpoint
            | Member::RevocationEndpoint
            | Member::DeviceAuthorizationEndpoint
    )
}

pub(crate) fn kind(profile: &Profile) -> &str {
    match profile.kind() {
        Kind::UserOAuth => "user_oauth",
        Kind::OidcFederation => "oidc_federation",
        Kind::ApiKey => "api_key",
        // Whatever stands there may be anything.
        Kind::Other(other) if other.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => other,
        _ => "[unknown]",
    }
}

fn of_workloads(member: Member) -> bool {
    matches!(member, Member::FederationRuleId | Member::ServiceAccountId | Member::IdentityTokenFile)
}

fn of_people(member: Member) -> bool {
    matches!(
        member,
        Member::ClientId
            | Member::ClientSecret
            | Member::ConsoleUrl
            | Member::Issuer
            | Member::TokenEndpoint
            | Member::AuthorizationEndpoint
            | Member::RevocationEndpoint
            | Member::DeviceAuthorizationEndpoint
    )
}
