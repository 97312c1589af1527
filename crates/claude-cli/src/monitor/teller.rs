//! Who is told of an alarm: a program, or somebody's server.

use std::{process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use claude_sdk::{
    secrets::{ChildEnvironment, providers::Env},
    transport::{Clock, HttpBackend as _, backends::Reqwest},
};
use http::{Request, header};
use tokio::{io::AsyncWriteExt as _, process::Command, sync::mpsc};
use url::{Host, Url};

use super::alarm::News;
use crate::{
    args::MonitorArgs,
    auth::backend,
    console::{one_line, tell},
    references::resolver,
};

/// How long one try may take, and how long to wait between two.
const PATIENCE: Duration = Duration::from_secs(15);
const WAITS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60)];

/// The ways to tell.
#[derive(Debug)]
pub(super) struct Teller {
    program: Option<String>,
    webhook: Option<Webhook>,
    clock: Arc<dyn Clock>,
}

/// An address, which may be all it takes to write there.
struct Webhook {
    url: Url,
    backend: Arc<Reqwest>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Teller {
    pub(super) async fn new(args: &MonitorArgs, env: &Env, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let webhook = match &args.alert_webhook {
            Some(reference) => Some(Webhook::at(reference, env).await?),
            None => None,
        };
        Ok(Self { program: args.alert_command.clone(), webhook, clock })
    }

    /// Tells all that comes, in its order.
    pub(super) async fn work(self, mut news: mpsc::Receiver<News>) {
        while let Some(news) = news.recv().await {
            // A list of members that are all text cannot fail to be JSON.
            let text = serde_json::to_string(&news).unwrap_or_default();
            if let Some(program) = &self.program {
                self.persist(&format!("the program {program}"), || run(program, &text)).await;
            }
            if let Some(webhook) = &self.webhook {
                self.persist("the webhook", || webhook.post(&text)).await;
            }
        }
    }

    /// Tries until it works, for a time.
    async fn persist<F: Future<Output = anyhow::Result<()>>>(
        &self,
        whom: &str,
        mut attempt: impl FnMut() -> F,
    ) {
        let mut waits = WAITS.iter();
        loop {
            let result = tokio::select! {
                result = attempt() => result,
                () = self.clock.sleep(PATIENCE) => Err(anyhow!("no end within {} s", PATIENCE.as_secs())),
            };
            let Err(error) = result else { return };
            let Some(wait) = waits.next() else {
                return tell(format!("{whom} could not be told of an alert: {}", one_line(&error)));
            };
            self.clock.sleep(*wait).await;
        }
    }
}

impl Webhook {
    async fn at(reference: &str, env: &Env) -> anyhow::Result<Self> {
        if reference.contains("://") {
            bail!(
                "--alert-webhook takes no address, because others can read it there and some are secret; put it into a file \
                 (mode 600) and say file:PATH, or into a variable and say env:NAME"
            );
        }
        let resolver = resolver(env);
        let reference = resolver.reference(reference).context("--alert-webhook")?;
        let address = resolver.resolve(&reference).await.context("--alert-webhook")?;
        // Its error may repeat what it is of.
        let url = Url::parse(address.expose()).map_err(|_| anyhow!("--alert-webhook leads to no address"))?;
        let is_local = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
            bail!("--alert-webhook leads to an address without TLS; it has to begin with https://");
        }
        Ok(Self { backend: backend(&url)?, url })
    }

    async fn post(&self, text: &str) -> anyhow::Result<()> {
        let request = Request::post(self.url.as_str()).header(header::CONTENT_TYPE, "application/json");
        let answer = self.backend.send(request.body(Bytes::from(text.to_owned()))?).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => bail!("it answers {status}"),
        }
    }
}

/// Runs a program with the alert on its standard input, and none of this program's secrets.
async fn run(program: &str, text: &str) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.env_clear().envs(ChildEnvironment::process().variables());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not want to know need not read.
        let _ = input.write_all(format!("{text}\n").as_bytes()).await;
    }
    match child.wait().await? {
        status if status.success() => Ok(()),
        status => bail!("it ended with {status}"),
    }
}
