//! `session FOLDER PROFILE SERVER CLIENT WORD…`: a program that has a session and makes one call, as one of many
//! processes that share it.
//!
//! It says in a line of JSON how that went, and leaves out every secret. `SERVER` is the base URL of the service, which
//! is its authorization server too. The words: `wait` opens the session, says `ready` and waits for a line; `impatient` waits for a lock a hundred times shorter than other programs do; `lock` takes the lock
//! for a moment first, to say how long that took.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use claude_sdk::auth_core::{self, Policy, Server, Wire};
use claude_sdk::credentials::{CredentialProvider as _, OAuth};
use claude_sdk::token_store::{FileTokenStore, TokenStore as _};
use claude_sdk::transport::backends::Reqwest;
use claude_sdk::transport::{Clock, SystemClock};
use claude_sdk::types::Model;
use claude_sdk::{AuthError, Client, Error, StoreError};
use serde_json::{Map, Value};
use url::Url;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mut word = |what| words.next().with_context(|| format!("{what} is missing"));
    let (folder, profile, server, client) =
        (word("the folder")?, word("the profile")?, word("the server")?, word("the client")?);
    let words: Vec<String> = words.collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    let clock = Hasty { by: if has("impatient") { 100 } else { 1 } };
    let base: Url = server.parse()?;
    let mut report = Map::new();
    let mut say = |name: &str, value: Value| report.insert(name.to_owned(), value);

    let began = clock.now();
    let store = FileTokenStore::new(folder, &profile)?.clock(clock);
    if has("lock") {
        drop(store.lock().await?);
        say("lock_us", micros(began, clock.now()));
    }
    let server = Server::new(base.join("v1/oauth/token")?)?.with_wire(Wire::claude());
    let app = auth_core::Client::public(client);
    let backend = Reqwest::builder().no_proxy().build()?;
    let (opening, work) = (clock.now(), work());
    let opened = OAuth::open_with(server, app, store, backend.clone(), SystemClock, Policy::default()).await;
    if has("wait") {
        println!("ready");
        std::io::stdin().read_line(&mut String::new())?;
    }
    let asked = clock.now();
    let credential = match &opened {
        Ok(session) => session.credential().await.map(drop),
        Err(error) => Err(error.clone()),
    };
    say("work_us", (self::work() - work).into());
    say("credential_us", micros(if has("wait") { asked } else { opening }, clock.now()));
    let outcome = match (credential, opened) {
        (Ok(()), Ok(session)) => call(base, session, backend).await,
        (Err(error), _) | (_, Err(error)) => Err(error.into()),
    };
    say("ok", outcome.is_ok().into());
    if let Err(error) = outcome {
        say("kind", kind(&error).into());
        say("error", format!("{:#}", anyhow::Error::from(error)).into());
    }
    println!("{}", Value::Object(report));
    Ok(())
}

/// One call to the service with the session's credential.
async fn call(base: Url, session: OAuth, backend: Reqwest) -> Result<(), Error> {
    let client =
        Client::builder().base_url(base).credentials(session).backend(backend).max_retries(0).build()?;
    client.models().get(&Model::CLAUDE_HAIKU_4_5).await?;
    Ok(())
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Auth(AuthError::LoginRequired { .. }) => "login",
        Error::Auth(AuthError::Store(StoreError::Locked { .. })) => "locked",
        Error::Auth(AuthError::Store(_)) => "store",
        Error::Auth(_) => "renewal",
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

/// The real clock, on which waits are shorter by a factor.
#[derive(Debug, Clone, Copy)]
struct Hasty {
    by: u32,
}

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> SystemTime {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration / self.by).await;
    }
}
