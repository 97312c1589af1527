//! What is set up on this machine: the credential that a call would use, and the secrets it needs.

use std::{fs, sync::Arc};

use anyhow::Context as _;
use claude_sdk::{
    Error,
    auth_core::ScopeSet,
    credentials::{Resolution, Source},
    profile::{Kind, Profile, ProfileName, Profiles},
    secrets::{Reference, SecretName, providers::Env},
    token_store::TokenStore as _,
    transport::{Clock as _, SystemClock},
};
use url::{Host, Url};

use super::{Finding, network};
use crate::{
    args::{ConnectionArgs, DoctorArgs},
    auth::{Who, backend, is_over, when},
    connection::key_in,
    console::one_line,
    env::{Fingerprints, referred},
    references::References,
    wording::at_a_terminal,
};

pub(super) const CREDENTIAL: &str = "credential";
const WHERE_IT_LEADS: &str = "name another place, or put the secret there (a file with mode 600)";

/// What the other checks go by.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) base_url: Result<Url, Finding>,
    profile: Option<Profile>,
}

/// Which credential wins, what it beats, and whether it can be used.
pub(super) async fn look(args: &DoctorArgs, env: &Env) -> (Vec<Finding>, Setup) {
    let found = match &args.connection.profile {
        Some(name) => Resolution::profile(name.clone(), env),
        None => Resolution::of(env),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let evidence = one_line(&anyhow::Error::from(error));
            let finding = Finding::problem(CREDENTIAL, evidence, "mend it, then run this again");
            let base_url = Err(Finding::skipped("network", "it is not known where the API is"));
            return (vec![finding], Setup { base_url, profile: None });
        }
    };
    let profile = found.filled_profile().ok().flatten();
    let text = args.connection.base_url.as_deref().unwrap_or_else(|| found.base_url());
    let base_url = base_url(text);
    let mut findings = Vec::new();
    if args.connection.has_key() {
        findings.push(match named_key(&args.connection, env).await {
            Ok(()) => Finding::ok(CREDENTIAL, "the key that the arguments lead to"),
            Err(error) => Finding::problem(CREDENTIAL, one_line(&error), WHERE_IT_LEADS),
        });
    } else {
        let mut told = credential(&found, base_url.as_ref().ok());
        if let (Some(source), false) = (found.source(), told.is_problem())
            && let Err(error) = referred_to(source, env).await
        {
            let evidence = format!("{source} cannot be used: {}", one_line(&error));
            told = Finding::problem(CREDENTIAL, evidence, WHERE_IT_LEADS);
        }
        findings.push(told);
        if let (Some(name), Some(profile)) = (found.source().and_then(Source::profile), &profile)
            && profile.kind() == Kind::UserOAuth
        {
            findings.push(session(name, profile, env).await);
        }
    }
    (findings, Setup { base_url, profile })
}

/// Whether there is a key where the arguments lead.
async fn named_key(args: &ConnectionArgs, env: &Env) -> anyhow::Result<()> {
    if let Some(path) = &args.api_key_file {
        key_in(path).await?;
    }
    match &args.api_key_from {
        Some(reference) => can_be_had(env, reference).await.context("--api-key-from"),
        None => Ok(()),
    }
}

/// Whether there is something where the variables of this source lead, if they do not hold it themselves.
async fn referred_to(source: &Source, env: &Env) -> anyhow::Result<()> {
    let name = match source {
        Source::ApiKey | Source::AuthToken => source.to_string(),
        Source::Federation { file: false } => "ANTHROPIC_IDENTITY_TOKEN".to_owned(),
        Source::Federation { file: true } => {
            let path = env.lookup()("ANTHROPIC_IDENTITY_TOKEN_FILE").unwrap_or_default();
            fs::File::open(&path)
                .with_context(|| format!("the file {} of ANTHROPIC_IDENTITY_TOKEN_FILE", path.display()))?;
            return Ok(());
        }
        // What a profile refers to has a check of its own.
        _ => return Ok(()),
    };
    match env.read(&SecretName::new(name)?)? {
        Some(held) if Reference::meant(held.expose())?.is_some() => can_be_had(env, held.expose()).await,
        _ => Ok(()),
    }
}

/// What is lent for that is given back.
async fn can_be_had(env: &Env, reference: &str) -> anyhow::Result<()> {
    let references = References::of(env);
    let had = async { references.resolver.resolve(&references.resolver.reference(reference)?).await };
    let had = had.await.map(drop);
    references.give_back().await;
    Ok(had?)
}

/// What a call takes for one: whatever else is typed there would be a riddle further on.
fn base_url(text: &str) -> Result<Url, Finding> {
    const BASE_URL: &str = "base url";
    let problem = |evidence| {
        let next = "give --base-url, ANTHROPIC_BASE_URL or the profile's base_url an address that begins with https://";
        Err(Finding::problem(BASE_URL, evidence, next))
    };
    let url = match Url::parse(text) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => url,
        _ => return problem("the base URL is no address of a server"),
    };
    let is_here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    if url.scheme() == "http" && !is_here {
        return problem(
            "the base URL is one without TLS, and a credential would be sent for everybody to read",
        );
    }
    Ok(url)
}

fn credential(found: &Resolution, base_url: Option<&Url>) -> Finding {
    let Some(source) = found.source() else {
        let looked = found.looked().last().cloned().unwrap_or_default();
        let next = "log in with `claudectl auth login`, or set ANTHROPIC_API_KEY";
        return Finding::problem(CREDENTIAL, format!("there is none: {looked}"), next);
    };
    if let Some(base_url) = base_url {
        let backend = backend(base_url).map_err(Error::from);
        let usable = backend.and_then(|backend| found.provider(base_url, backend, Arc::new(SystemClock)));
        if let Err(error) = usable {
            let evidence = format!("{source} cannot be used: {}", one_line(&at_a_terminal(error)));
            return Finding::problem(CREDENTIAL, evidence, "mend it, then run this again");
        }
    }
    let others: Vec<_> = found.shadowed().iter().map(ToString::to_string).collect();
    if others.is_empty() {
        return Finding::ok(CREDENTIAL, format!("a call uses {source}"));
    }
    let evidence = format!("a call uses {source}, and not {}", others.join(", "));
    Finding::warning(CREDENTIAL, evidence, "take away what you do not mean to use; the first one wins")
}

/// A person's login: whether it is good, and for what.
async fn session(name: &ProfileName, profile: &Profile, env: &Env) -> Finding {
    const LOGIN: &str = "login";
    let again = format!("log in with `claudectl auth login --profile {name}`");
    let stored = async { Ok::<_, anyhow::Error>(Profiles::of(env)?.tokens(name, profile)?.load().await?) };
    let stored = match stored.await {
        Ok(Some(stored)) => stored,
        Ok(None) => return Finding::problem(LOGIN, "nobody is logged in", again),
        Err(error) => {
            return Finding::problem(LOGIN, one_line(&error), "see the file's check, or log in again");
        }
    };
    let (who, now) = (Who::of(&stored), SystemClock.now());
    let is_renewable = stored.refresh_token.is_some();
    if who.expires_at.is_some_and(|at| is_over(at, now)) && !is_renewable {
        return Finding::problem(LOGIN, "the access token has expired, and nothing renews it", again);
    }
    let granted = who.scope.as_deref().map(ScopeSet::parse);
    let missing = granted.map(|granted| profile.scopes().difference(&granted)).unwrap_or_default();
    if !missing.is_empty() {
        let evidence = format!("the profile asks for {missing}, which was not granted");
        return Finding::warning(LOGIN, evidence, again);
    }
    let until =
        who.expires_at.map_or_else(String::new, |at| format!(", access token until {}", when(at, now)));
    Finding::ok(LOGIN, format!("logged in{}{until}", who.as_whom()))
}

impl Setup {
    /// Whether the references of the profile in use lead to secrets.
    pub(super) async fn secrets(&self, env: &Env) -> Vec<Finding> {
        const SECRETS: &str = "secrets";
        let Some(profile) = &self.profile else { return Vec::new() };
        let references = References::of(env);
        let facts = referred(profile, &references.resolver, &Fingerprints::default()).await;
        references.give_back().await;
        let broken = facts.iter().filter_map(|fact| Some((&fact.member, fact.error.as_ref()?)));
        let findings: Vec<_> = broken
            .map(|(member, error)| {
                let next = "mend the reference with `claudectl profile set`, or what it leads to";
                Finding::problem(SECRETS, format!("the profile's {member} cannot be had: {error}"), next)
            })
            .collect();
        match (findings.is_empty(), facts.len()) {
            (true, 0) => Vec::new(),
            (true, count) => vec![Finding::ok(SECRETS, format!("{count} of the profile can be had"))],
            (false, _) => findings,
        }
    }

    /// Whether the servers answer that log people in and renew their tokens.
    pub(super) async fn login_server(&self) -> Vec<Finding> {
        let Some(profile) = self.profile.as_ref().filter(|profile| profile.kind() == Kind::UserOAuth) else {
            return Vec::new();
        };
        match profile.server() {
            Ok(server) => {
                let authorize = async {
                    Some(network::reach("authorize endpoint", server.authorization_endpoint()?).await)
                };
                let token = network::reach("token endpoint", server.token_endpoint());
                let (token, authorize) = tokio::join!(token, authorize);
                [token].into_iter().chain(authorize).collect()
            }
            Err(error) => {
                let next = "mend it with `claudectl profile set`";
                vec![Finding::problem("token endpoint", one_line(&error.into()), next)]
            }
        }
    }
}
