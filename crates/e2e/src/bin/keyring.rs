//! `keyring WORD…`: what a test has done in a session of its own, which is found by the environment of a process.
//!
//! `contract` runs the public contracts over the keyring of the session; `chain` asks it before something weaker and prints
//! what comes of that. All other words are those of `claudectl`.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use std::process::ExitCode;

use anyhow::Result;
use claude_sdk::secrets::{
    Secret, SecretName, SecretProvider as _, SecretStore as _,
    providers::{Chain, Keyring, Memory},
    test_util::{contract, store_contract},
};

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("contract") => in_runtime(keeps_contracts()),
        Some("chain") => in_runtime(chain()),
        _ => match claude_cli::args::parse(std::env::args_os()) {
            Ok(args) => return claude_cli::run_to_end(args),
            Err(status) => return status,
        },
    };
    match outcome {
        Ok(told) => println!("{told}"),
        Err(error) => println!("{error:#}"),
    }
    ExitCode::SUCCESS
}

fn in_runtime(doing: impl Future<Output = Result<String>>) -> Result<String> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(doing)
}

async fn keeps_contracts() -> Result<String> {
    let keyring = Keyring::new();
    store_contract(keyring.clone(), SecretName::new("e2e/store")?).await;
    let present = SecretName::new("e2e/present")?;
    keyring.put(present.clone(), Secret::from("canary-1".to_owned())).await?;
    contract(keyring.clone(), present.clone(), "canary-1", SecretName::new("e2e/absent")?).await;
    keyring.delete(present).await?;
    Ok("kept".to_owned())
}

async fn chain() -> Result<String> {
    let name = SecretName::new("claude/prod")?;
    let weaker = Memory::new().with(name.clone(), "a weaker secret".to_owned());
    let found = Chain::new().with(Keyring::new()).with(weaker).get(name).await?;
    Ok(found.map(|secret| secret.expose().to_owned()).unwrap_or_default())
}
