//! Profiles and clients that say where a secret is, and hold none.

use std::sync::atomic::{AtomicUsize, Ordering};

use claude_sdk::{
    AuthError, ConfigError, Error, auth_core,
    secrets::{self, Resolver, Secret, SecretName, SecretProvider, providers::Memory},
};

use super::*;
use crate::{
    redaction::Tape,
    rig::{Place, SCOPES, access, backend, held, hello, told},
};

const KEY_PLACE: &str = "secret/data/claude#key";

/// A Vault that gives one value after the other, and counts.
#[derive(Debug, Clone, Default)]
struct Turns(Arc<(Vec<String>, AtomicUsize)>);

impl Turns {
    fn of(values: &[&str]) -> Self {
        Self(Arc::new((values.iter().map(|value| (*value).to_owned()).collect(), AtomicUsize::new(0))))
    }

    fn asked(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl SecretProvider for Turns {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, secrets::Error> {
        assert_eq!(name.as_str(), KEY_PLACE);
        let turn = self.0.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0.0.get(turn).map(|value| Secret::from(value.clone())))
    }
}

fn builder(url: &url::Url) -> claude_sdk::ClientBuilder {
    claude_sdk::Client::builder().base_url(url.as_str()).backend(backend()).max_retries(0)
}

#[tokio::test]
async fn a_client_fetches_its_key_once_and_again_when_the_service_refuses_it() {
    let server = held().start().await.unwrap();
    let vault = Turns::of(&["sk-ant-api03-old", server.api_key()]);
    let resolver = Resolver::new().with("vault", vault.clone());
    let client = builder(&server.base_url()).resolver(resolver).api_key_from(format!("vault:{KEY_PLACE}"));
    let client = client.build().unwrap();
    assert_eq!(vault.asked(), 0, "nothing is fetched before it is needed");
    for _ in 0..3 {
        client.messages().create(&hello()).await.unwrap();
    }
    assert_eq!(vault.asked(), 2, "the key that was refused was replaced, and the new one kept");
}

#[tokio::test]
async fn a_token_a_variable_and_a_clients_secret_may_be_references() {
    let place = Place::new(held()).await;
    let server = &place.mock;
    let resolver = |value: &str| Resolver::new().with("vault", Turns::of(&[value]));
    let reference = format!("vault:{KEY_PLACE}");
    let token = access(&place.login(SCOPES).await).to_owned();
    let client = builder(&server.base_url()).resolver(resolver(&token)).auth_token_from(reference.as_str());
    client.build().unwrap().messages().create(&hello()).await.unwrap();

    for (variable, value) in
        [("ANTHROPIC_AUTH_TOKEN", token.as_str()), ("ANTHROPIC_API_KEY", server.api_key())]
    {
        let env = env(&[(variable, &reference)]);
        let client = builder(&server.base_url()).environment(&env).unwrap().resolver(resolver(value));
        client.build().unwrap().messages().create(&hello()).await.unwrap();
        // What is meant as a reference and is none is neither sent nor repeated.
        let env = self::env(&[(variable, "vault:canary")]);
        let error = builder(&server.base_url()).environment(&env).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains("the vault reference") && !told.contains("canary"), "{told}");
    }

    let mut profile = Profile::user_oauth();
    profile.set(Member::ClientId, Some("app")).unwrap();
    let env = env(&[("CLAUDE_CLIENT_SECRET", &reference)]);
    let client = profile.client(&env, &resolver("from-the-vault")).await.unwrap().unwrap();
    let server = auth_core::Server::new("https://auth.example/token".parse().unwrap()).unwrap();
    let (request, _) =
        auth_core::exchange::client_credentials(&server, &client, &auth_core::ScopeSet::default());
    assert!(String::from_utf8_lossy(request.body()).contains("client_secret=from-the-vault"));
}

#[tokio::test]
async fn a_profile_says_where_its_key_is() {
    let server = held().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let profiles = Profiles::at(folder.path());
    let mut profile = Profile::api_key();
    profile.set(Member::BaseUrl, Some(server.base_url().as_str())).unwrap();
    profile.set(Member::ApiKey, Some(&format!("vault:{KEY_PLACE}"))).unwrap();
    profiles.save(&name("prod"), &profile).unwrap();
    assert_eq!(profiles.load(&name("prod")).unwrap().kind(), Kind::ApiKey);

    let env = env(&[("ANTHROPIC_CONFIG_DIR", folder.path().to_str().unwrap())]);
    let vault = Turns::of(&[server.api_key()]);
    let client = claude_sdk::Client::builder().backend(backend()).profile(name("prod"), &env).unwrap();
    let client = client.resolver(Resolver::new().with("vault", vault.clone())).build().unwrap();
    client.messages().create(&hello()).await.unwrap();
    client.messages().create(&hello()).await.unwrap();
    assert_eq!(vault.asked(), 1);

    // The key is the profile's deployment's, whatever a client is told.
    let elsewhere =
        builder(&"https://elsewhere.example".parse().unwrap()).profile(name("prod"), &env).unwrap();
    let error = elsewhere.build().unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::ForeignOrigin { .. }, ..)), "{error:?}");
    // And without a Vault it says what is missing.
    let client = claude_sdk::Client::builder().backend(backend()).profile(name("prod"), &env).unwrap();
    let error = client.build().unwrap().messages().create(&hello()).await.unwrap_err();
    assert!(told(&error).contains("vault"), "{error:?}");
}

#[tokio::test]
async fn the_secret_of_a_client_is_where_its_profile_says() {
    let mut profile = Profile::user_oauth();
    profile.set(Member::ClientId, Some("app")).unwrap();
    profile.set(Member::ClientSecret, Some("env:APP_SECRET")).unwrap();
    // Its own reference counts more than the variable, and never falls back to it.
    let both = env(&[("APP_SECRET", "canary-own"), ("CLAUDE_CLIENT_SECRET", "canary-other")]);
    let client = profile.client(&both, &Resolver::of(&both)).await.unwrap().unwrap();
    let server = auth_core::Server::new("https://auth.example/token".parse().unwrap()).unwrap();
    let (request, _) =
        auth_core::exchange::client_credentials(&server, &client, &auth_core::ScopeSet::default());
    assert!(String::from_utf8_lossy(request.body()).contains("client_secret=canary-own"));
    assert!(!format!("{client:?}").contains("canary"));

    let tape = Tape::default();
    let log = tape.log();
    let trimmed = env(&[("APP_SECRET", "CANARY-own\n")]);
    assert!(profile.client(&trimmed, &Resolver::of(&trimmed)).await.unwrap().is_some());
    assert!(
        tape.contents().contains("WARN") && tape.contents().contains("client_secret"),
        "{}",
        tape.contents()
    );
    tape.assert_clean(&[]);
    drop(log);

    let other = env(&[("CLAUDE_CLIENT_SECRET", "canary-other")]);
    let error = profile.client(&other, &Resolver::of(&other)).await.unwrap_err();
    assert!(error.to_string().contains("the environment variable APP_SECRET does not exist"), "{error}");
}

#[tokio::test]
async fn a_secret_where_a_reference_belongs_is_refused_and_not_repeated() {
    for member in [Member::ClientSecret, Member::ApiKey] {
        let error = Profile::user_oauth().set(member, Some("sk-ant-api03-canary")).unwrap_err();
        assert!(error.to_string().contains("never the secret itself"), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    // One behind a scheme of files has no slash before it.
    for text in ["file:canary", "mount:canary/key"] {
        let mut profile = Profile::api_key();
        let error = profile.set(Member::ApiKey, Some(text)).unwrap_err();
        let of_variable = profile.set_variable("DATABASE", Some(text)).unwrap_err();
        for error in [error, of_variable] {
            assert!(error.to_string().contains("make it absolute"), "{error}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
    // What somebody else wrote into the file is kept, never shown, and never taken for no secret.
    let theirs = json!({
        "version": "1.0",
        "authentication": {"type": "user_oauth", "client_id": "app", "client_secret": "canary"},
    });
    let (_folder, profiles) = written("configs/work.json", theirs.to_string());
    let profile = profiles.load(&name("work")).unwrap();
    assert_eq!((profile.get(Member::ClientSecret), document(&profile)), (None, theirs));
    let error = profile.client(&env(&[]), &Resolver::new()).await.unwrap_err();
    assert!(error.to_string().contains("client_secret is no reference"), "{error}");
    assert!(!format!("{error} {error:?} {profile:?}").contains("canary"));

    let builder = claude_sdk::Client::builder().backend(backend()).api_key_from("sk-ant-api03-canary");
    let debug = format!("{builder:?}");
    let error = builder.build().unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::Secret(_))), "{error:?}");
    assert!(!format!("{debug} {error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_scheme_of_ones_own_is_a_reference_for_a_client_too() {
    let server = held().start().await.unwrap();
    let drawer = Memory::new().with(SecretName::new("spare").unwrap(), server.api_key().to_owned());
    let client = builder(&server.base_url()).resolver(Resolver::new().with("drawer", drawer));
    client.api_key_from("drawer:spare").build().unwrap().messages().create(&hello()).await.unwrap();
}
