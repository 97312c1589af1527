//! `session WORD…`: a program that makes one call as the profile of its environment, as one of many processes that share
//! it.
//!
//! It says in a line of JSON how that went, and leaves out every secret. The words: `wait` says `ready` and waits for a
//! line; `delegates` has another process renew the session, which is this program with the word `refresh`; `impatient`
//! waits a hundred times shorter than other programs do; `lock` takes the lock for a moment first, to say how long it had
//! to be waited for; `listens` ends it when it logs a secret.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use claude_sdk::credentials::{CredentialProvider, OAuth, Refresher, Resolution};
use claude_sdk::profile::{ProfileName, Profiles};
use claude_sdk::secrets::{Resolver, providers::Env};
use claude_sdk::token_store::TokenStore as _;
use claude_sdk::transport::backends::Reqwest;
use claude_sdk::transport::{Clock, SystemClock};
use claude_sdk::types::Model;
use claude_sdk::{AuthError, Client, Error, StoreError};
use e2e::fleet::PROFILE;
use mock_server::leaks;
use serde_json::{Map, Value};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    if has("listens") {
        leaks::listen();
    }
    let clock = Hasty { by: if has("impatient") { 100 } else { 1 }, slept: Arc::default() };
    let env = Env::process();
    let mut report = Map::new();
    let mut say = |name: &str, value: Value| report.insert(name.to_owned(), value);

    if has("refresh") {
        let status = match open(&env, Reqwest::builder().no_proxy().build()?).await?.credential().await {
            Ok(_) => 0,
            Err(AuthError::LoginRequired { .. }) => Refresher::LOGIN_REQUIRED,
            Err(_) => 1,
        };
        std::process::exit(status);
    }
    if has("lock") {
        let (profiles, name) = (Profiles::of(&env)?, ProfileName::new(PROFILE)?);
        let store = profiles.tokens(&name, &profiles.load(&name)?)?.clock(clock.clone());
        drop(store.lock().await?);
        say("lock_us", clock.slept.load(Ordering::Relaxed).into());
    }
    let backend = Reqwest::builder().no_proxy().build()?;
    if has("wait") {
        println!("ready");
        std::io::stdin().read_line(&mut String::new())?;
    }
    let (began, work) = (clock.now(), work());
    let found = Resolution::of(&env)?;
    let provider = if has("delegates") {
        let refresher = Refresher::new(std::env::current_exe()?).args(["refresh"]);
        Arc::new(open(&env, backend.clone()).await?.renewed_by(refresher))
    } else {
        found.provider(&found.base_url().parse()?, Arc::new(backend.clone()), Arc::new(clock.clone()))?
    };
    let credential = provider.credential().await;
    say("work_us", (self::work() - work).into());
    say("credential_us", micros(began, clock.now()));
    let outcome = match credential {
        Ok(_) => call(found.base_url(), provider, backend).await,
        Err(error) => Err(error.into()),
    };
    say("ok", outcome.is_ok().into());
    if let Err(error) = outcome {
        say("kind", kind(&error).into());
        let lost = matches!(error, Error::Auth(AuthError::LoginRequired { maybe_consumed: true, .. }, ..));
        say("maybe_consumed", lost.into());
        say("error", format!("{:#}", anyhow::Error::from(error)).into());
    }
    println!("{}", Value::Object(report));
    Ok(())
}

/// The session of the profile, which a provider opens by itself.
async fn open(env: &Env, backend: Reqwest) -> Result<OAuth> {
    let (profiles, name) = (Profiles::of(env)?, ProfileName::new(PROFILE)?);
    let profile = profiles.load(&name)?;
    let client = profile.client(env, &Resolver::of(env)).await?.context("the profile has a client id")?;
    Ok(OAuth::open(profile.server()?, client, profiles.tokens(&name, &profile)?, backend).await?)
}

/// One call to the service as the profile.
async fn call(base_url: &str, provider: Arc<dyn CredentialProvider>, backend: Reqwest) -> Result<(), Error> {
    let client = Client::builder().base_url(base_url).credentials(provider).backend(backend).max_retries(0);
    client.build()?.models().get(&Model::CLAUDE_HAIKU_4_5).await?;
    Ok(())
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Auth(AuthError::LoginRequired { .. }, ..) => "login",
        Error::Auth(AuthError::Store(StoreError::Locked { .. }), ..) => "locked",
        Error::Auth(AuthError::Store(_), ..) => "store",
        Error::Auth(..) => "renewal",
        _ => "call",
    }
}

/// How long processors have worked for this process, in microseconds.
fn work() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let time = Duration::try_from(time).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn micros(from: SystemTime, to: SystemTime) -> Value {
    let micros = to.duration_since(from).unwrap_or_default().as_micros();
    u64::try_from(micros).unwrap_or(u64::MAX).into()
}

/// The real clock, on which waits are shorter by a factor, and add up.
#[derive(Debug, Clone)]
struct Hasty {
    by: u32,
    /// In microseconds.
    slept: Arc<AtomicU64>,
}

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> SystemTime {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration / self.by).await;
        self.slept.fetch_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
