//! `claudectl quickstart`: the whole job on an embedded mock server, as a real client over TCP.
//!
//! Every step checks what came back before it counts as done, and the last one compares what the server saw with
//! what the client believes it did.

use std::{
    future::ready,
    io::{self, Write},
};

use claude_sdk::transport::{Clock, SystemClock};
use mock_server::MockServer;

use crate::console;

mod browser;
mod clock;
mod recorder;
mod report;
mod session;

pub use report::{Report, Reporter, Step};
use session::Session;

/// Runs the quickstart and prints it; as one JSON document where `json` is set.
pub(crate) async fn run(json: bool) -> anyhow::Result<()> {
    let started = SystemClock.now();
    let out = (!json).then(|| Box::new(io::stdout()) as Box<dyn Write + Send>);
    let mut reporter = Reporter::new(SystemClock, out);
    reporter.line("The whole job on a mock server of our own: no network, no account.\n")?;

    let server = MockServer::start().await?;
    reporter.done_since(started, "mock server", format!("listens on {}", server.base_url()))?;
    // In this order, so that no interrupt comes before it is heard: one that is not would leave the profile behind.
    let result = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; nothing was left behind")),
        result = steps(&server, &mut reporter) => result,
    };
    server.shutdown().await;

    let report = reporter.finish(started, result.is_ok())?;
    // What became of the steps comes first: the status is about them, also where nobody reads the report.
    let printed = if json { console::print(serde_json::to_string_pretty(&report)? + "\n") } else { Ok(()) };
    result.and(printed.map_err(Into::into))
}

/// Goes through the steps against `server`, telling `reporter` of each.
///
/// # Errors
///
/// The first step that did not do what it should.
pub async fn steps(server: &MockServer, reporter: &mut Reporter) -> anyhow::Result<()> {
    let session = Session::new(server)?;
    let login = reporter.step("authorization request", session.authorization()).await?;
    let target = reporter.step("consent", session.consent(login.url())).await?;
    let login = reporter.step("redirect", session.redirect(login, target)).await?;
    let oauth = reporter.step("code exchange", session.exchange(login)).await?;

    let client = session.client(oauth)?;
    let model = reporter.step("models", session.models(&client)).await?;
    reporter.step("message", session.message(&client, &model, "hello")).await?;
    reporter.step("stream", session.stream(&client, &model)).await?;

    reporter.step("expiry", session.expiry()).await?;
    reporter.step("refresh", session.refresh(&client, &model)).await?;
    reporter.step("replay of the code", session.replay(&client)).await?;
    reporter.step("limits", ready(session.limits(&client))).await?;
    reporter.step("journal", ready(session.journal())).await
}
