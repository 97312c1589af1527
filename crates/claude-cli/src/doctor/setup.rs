//! What is set up on this machine: the credential that a call would use, and the secrets it needs.

use std::{fs, sync::Arc};

use anyhow::Context as _;
use claude_sdk::{
    Error,
    credentials::{Resolution, Source},
    profile::{Kind, Profile},
    secrets::{Reference, SecretName, providers::Env},
    transport::SystemClock,
};
use url::{Host, Url};

use super::{
    Finding,
    login::{self, Asked},
};
use crate::{
    args::{ConnectionArgs, DoctorArgs},
    auth::backend,
    connection::key_in,
    console::{has_secrets, one_line},
    env::{Fingerprints, referred},
    references::References,
    wording::at_a_terminal,
};

const CREDENTIAL: &str = "credential";
const BASE_URL: &str = "base url";
const VARIABLE: &str = "ANTHROPIC_BASE_URL";
const ITS_PLACES: &str =
    "give --base-url, ANTHROPIC_BASE_URL or the profile's base_url an address that begins with https://";
const WHERE_IT_LEADS: &str = "name another place, or put the secret there (a file with mode 600)";

/// What the other checks go by.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) base_url: Result<Url, Finding>,
    profile: Option<Profile>,
}

/// Which credential wins, what it beats, and whether it can be used.
pub(super) async fn look(args: &DoctorArgs, env: &Env, files: &[Finding]) -> (Vec<Finding>, Setup) {
    let found = match &args.connection.profile {
        Some(name) => Resolution::profile(name.clone(), env),
        None => Resolution::of(env),
    };
    let found = match found {
        Ok(found) => found,
        Err(_) if is_no_text(env, VARIABLE) => {
            let evidence = format!("{VARIABLE} is no text in UTF-8");
            let next = format!("set {VARIABLE} anew to an address that begins with https://, or unset it");
            let findings = vec![Finding::because_of(CREDENTIAL, BASE_URL)];
            let base_url = Err(Finding::problem(BASE_URL, evidence, next));
            return (findings, Setup { base_url, profile: None });
        }
        Err(error) => {
            let next = "see what the variables that begin with ANTHROPIC_ say, and what `claudectl profile list` does";
            let finding = Finding::failed(CREDENTIAL, &error.into(), next);
            let base_url = Err(Finding::because_of("network", CREDENTIAL));
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
            Err(error) => Finding::failed(CREDENTIAL, &error, WHERE_IT_LEADS),
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
            findings.push(login::session(name, profile, env, files).await);
        }
    }
    (findings, Setup { base_url, profile })
}

fn is_no_text(env: &Env, name: &str) -> bool {
    env.lookup()(name).is_some_and(|value| value.to_str().is_none())
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
    let told = |evidence, next| Err(Finding::problem(BASE_URL, evidence, next));
    let problem = |evidence| told(evidence, ITS_PLACES);
    let url = match Url::parse(text) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => url,
        _ => return problem("the base URL is no address of a server"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        let evidence = "the base URL has a user or a password in it, and no call takes one there";
        return told(evidence, "take the user and the password out of it, with the `@` behind them");
    }
    if url.query().is_some() || url.fragment().is_some() {
        let evidence = "the base URL has a query or a fragment (`?` or `#`), and a call has its own";
        return told(evidence, "take out what begins with the `?` or the `#`");
    }
    let typed = text.split('/').nth(2).unwrap_or_default();
    // Whoever is asked where that is would read it.
    if has_secrets(typed) || has_secrets(url.host_str().unwrap_or_default()) {
        return problem("the base URL has a key where a server's name belongs [not shown]");
    }
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
    // What it is for has a say in whether it can be used.
    let Some(base_url) = base_url else { return Finding::because_of(CREDENTIAL, BASE_URL) };
    let backend = backend(base_url).map_err(Error::from);
    let usable = backend.and_then(|backend| found.provider(base_url, backend, Arc::new(SystemClock)));
    if let Err(error) = usable {
        let error = at_a_terminal(error).context(format!("{source} cannot be used"));
        return Finding::failed(CREDENTIAL, &error, &mended(source));
    }
    let others: Vec<_> = found.shadowed().iter().map(ToString::to_string).collect();
    if others.is_empty() {
        return Finding::ok(CREDENTIAL, format!("a call uses {source}"));
    }
    let evidence = format!("a call uses {source}, and not {}", others.join(", "));
    Finding::warning(CREDENTIAL, evidence, "take away what you do not mean to use; the first one wins")
}

/// How a credential is put right that cannot be used as it is.
fn mended(source: &Source) -> String {
    match source.profile() {
        Some(name) => format!(
            "`claudectl env check {name}` says what is wrong in it, and `claudectl profile set {name}` mends it"
        ),
        None => format!("set anew what {source} says, without blanks or line breaks, or unset it"),
    }
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
    /// What the servers of the profile's login say, if it has one.
    pub(super) async fn login_servers(&self, env: &Env) -> Vec<Asked> {
        match self.profile.as_ref().filter(|profile| profile.kind() == Kind::UserOAuth) {
            Some(profile) => login::servers(profile, env).await,
            None => Vec::new(),
        }
    }
}
