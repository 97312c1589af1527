//! `log_in BASE_URL CLIENT_ID`: one login at a mock server, as a process that a test can starve and measure.
//!
//! It says `open URL`, `paused` whenever it could not accept a connection, and `done` when it has its session.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use auth_core::{Client, Server, Wire};
use claude_sdk::login::Login;
use mock_server::leaks;
use transport::backends::Reqwest;
use transport::{Clock, SystemClock};

/// The machine's clock; it tells of the short waits, which the listener makes when it cannot accept.
#[derive(Debug)]
struct Telling;

#[async_trait]
impl Clock for Telling {
    fn now(&self) -> SystemTime {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        if duration < Duration::from_secs(1) {
            println!("paused");
        }
        SystemClock.sleep(duration).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    leaks::listen();
    let mut arguments = std::env::args().skip(1);
    let (Some(base), Some(client)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: log_in BASE_URL CLIENT_ID");
    };
    let endpoint = |path: &str| format!("{}{path}", base.trim_end_matches('/')).parse();
    let server = Server::new(endpoint("/v1/oauth/token")?)?.with_wire(Wire::claude());
    let server = server.with_authorization_endpoint(endpoint("/oauth/authorize")?)?;
    let backend = Reqwest::builder().no_proxy().build()?;

    let login = Login::new(server, Client::public(client)).clock(Telling).begin().await?;
    println!("open {}", login.url());
    login.finish(&backend, Duration::from_secs(100)).await.context("no session")?;
    println!("done");
    Ok(())
}
