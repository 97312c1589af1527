//! One process that has the session.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mock_server::leaks;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A running program; it is killed when this is dropped.
///
/// It says `ready` if it waits for a sign, which is a line, and a line of JSON after each call.
#[derive(Debug)]
pub struct Member {
    name: &'static str,
    child: Child,
    sign: ChildStdin,
    out: BufReader<ChildStdout>,
}

/// How the program's call went, in its own words.
#[derive(Debug)]
pub struct Report(Value);

impl Member {
    /// Starts the program; `name` is what an error calls it.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(mut command: Command, name: &'static str) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let sign = child.stdin.take().context("the input is piped")?;
        let out = child.stdout.take().context("the output is piped")?;
        Ok(Self { name, child, sign, out: BufReader::new(out) })
    }

    /// Waits until it says `ready`.
    ///
    /// # Errors
    ///
    /// When it says something else.
    pub async fn ready(&mut self) -> Result<()> {
        let line = self.said().await?;
        ensure!(line == "ready", "{} says {line:?} and not that it is ready", self.name);
        Ok(())
    }

    /// Gives the sign to make a call.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub async fn go(&mut self) -> Result<()> {
        self.sign.write_all(b"go\n").await.with_context(|| format!("{} is gone", self.name))
    }

    /// Waits for its call and reads what it says of it.
    ///
    /// # Errors
    ///
    /// When it says anything but a report.
    pub async fn report(&mut self) -> Result<Report> {
        let line = self.said().await?;
        Ok(Report(serde_json::from_str(&line).with_context(|| format!("{} says {line:?}", self.name))?))
    }

    /// As [`report`](Self::report), of a program that ends with its call; it has ended then.
    ///
    /// # Errors
    ///
    /// As [`report`](Self::report), and when it fails.
    pub async fn end(mut self) -> Result<Report> {
        let report = self.report().await?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "{} failed ({status})", self.name);
        Ok(report)
    }

    /// Lets one that waits for signs go home, and waits until it has.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub async fn leave(self) -> Result<()> {
        let Self { name, mut child, sign, .. } = self;
        drop(sign);
        let status = child.wait().await?;
        ensure!(status.success(), "{name} failed ({status})");
        Ok(())
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    ///
    /// When the system does not let go of it.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("{} cannot be killed", self.name))
    }

    /// Waits for its next line.
    ///
    /// # Errors
    ///
    /// When its output cannot be read.
    pub async fn said(&mut self) -> Result<String> {
        let mut line = String::new();
        self.out.read_line(&mut line).await?;
        leaks::heard(&line);
        Ok(line.trim_end().to_owned())
    }
}

impl Report {
    /// Whether the call went well.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.text("ok") == "true"
    }

    /// The kind of its error: `login`, `locked`, `store`, `renewal` or `call`.
    #[must_use]
    pub fn kind(&self) -> String {
        self.text("kind")
    }

    /// The words of its error.
    #[must_use]
    pub fn error(&self) -> String {
        self.text("error")
    }

    /// Whether the session is over and an answer that was lost may be why.
    #[must_use]
    pub fn maybe_consumed(&self) -> bool {
        self.text("maybe_consumed") == "true"
    }

    /// How long it waited for the lock.
    #[must_use]
    pub fn lock(&self) -> Duration {
        self.micros("lock_us")
    }

    /// How long it took from opening the session, or from the sign, to a credential.
    #[must_use]
    pub fn credential(&self) -> Duration {
        self.micros("credential_us")
    }

    /// How much of a processor it took to open the session and get a credential.
    #[must_use]
    pub fn work(&self) -> Duration {
        self.micros("work_us")
    }

    fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            other => other.map(Value::to_string).unwrap_or_default(),
        }
    }

    fn micros(&self, name: &str) -> Duration {
        Duration::from_micros(self.0.get(name).and_then(Value::as_u64).unwrap_or_default())
    }
}
