//! `claudectl quickstart`: the whole job on an embedded mock server, as a real client over TCP.
//!
//! Every step checks what came back before it counts as done, and the last one compares what the server saw with
//! what the client believes it did.

use std::{future::ready, io::Write, pin::pin, sync::atomic::Ordering};

use claude_sdk::transport::{Clock, SystemClock};
use mock_server::MockServer;

use crate::{console, interrupt::interrupted};

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
    let out = (!json).then(|| Box::new(console::Output::new()) as Box<dyn Write + Send>);
    let mut reporter = Reporter::new(SystemClock, out);
    reporter.line("The whole job on a mock server of our own: no network, no account.\n")?;

    let server = MockServer::start().await?;
    reporter.done_since(started, "mock server", format!("listens on {}", server.base_url()))?;
    let result = until_interrupted(&server, &mut reporter).await;
    server.shutdown().await;

    let report = reporter.finish(started, result.is_ok())?;
    // What became of the steps comes first: the status is about them, also where nobody reads the report.
    let printed = if json { console::print(serde_json::to_string_pretty(&report)? + "\n") } else { Ok(()) };
    result.and(printed.map_err(Into::into))
}

/// Goes through the steps, and ends before the next one where somebody asks for it.
///
/// The step an interrupt falls into still ends: its file may be half written, and would appear after all is cleared.
async fn until_interrupted(server: &MockServer, reporter: &mut Reporter) -> anyhow::Result<()> {
    let interrupt = reporter.interrupt();
    let mut steps = pin!(steps(server, reporter));
    // In this order, so that no interrupt comes before it is heard.
    tokio::select! {
        biased;
        _ = interrupted() => {
            interrupt.store(true, Ordering::Relaxed);
            steps.await
        }
        result = &mut steps => result,
    }
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
