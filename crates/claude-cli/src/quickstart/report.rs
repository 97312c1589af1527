//! What the quickstart tells: one line a step for people, one document for machines.

use std::{
    future::Future,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::bail;
use claude_sdk::transport::Clock;
use serde::Serialize;

use crate::console::OutputError;

/// The whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether every step did what it should.
    pub ok: bool,
    /// How long it took in all, in milliseconds.
    pub milliseconds: f64,
    /// The steps, in order; the last one is where it ended.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// Whether it did what it should.
    pub ok: bool,
    /// What came of it, or why it failed.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
}

/// Runs steps, times them, and tells of each as it ends.
pub struct Reporter {
    clock: Box<dyn Clock>,
    out: Option<Box<dyn Write + Send>>,
    steps: Vec<Step>,
    interrupt: Arc<AtomicBool>,
}

impl Reporter {
    /// Tells people on `out`, where there is one, and keeps the steps for the [`Report`].
    #[must_use]
    pub fn new(clock: impl Clock, out: Option<Box<dyn Write + Send>>) -> Self {
        Self { clock: Box::new(clock), out, steps: Vec::new(), interrupt: Arc::default() }
    }

    /// The steps so far.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What to set for the steps to end before the next one.
    pub(super) fn interrupt(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupt)
    }

    /// Runs one step, which gives its result and what to tell of it.
    ///
    /// # Errors
    ///
    /// The step's own error, or that somebody wants the program to end.
    pub async fn step<T>(
        &mut self,
        name: &'static str,
        step: impl Future<Output = anyhow::Result<(T, String)>>,
    ) -> anyhow::Result<T> {
        if self.interrupt.load(Ordering::Relaxed) {
            bail!("interrupted; nothing was left behind");
        }
        let started = self.clock.now();
        match step.await {
            Ok((value, detail)) => {
                self.done_since(started, name, detail)?;
                Ok(value)
            }
            Err(error) => {
                self.tell(started, name, false, format!("{error:#}"))?;
                Err(error.context(format!("the step {name:?} failed")))
            }
        }
    }

    /// Tells of a step that began at `started` and is done.
    pub(super) fn done_since(
        &mut self,
        started: SystemTime,
        name: &'static str,
        detail: String,
    ) -> Result<(), OutputError> {
        self.tell(started, name, true, detail)
    }

    pub(super) fn line(&mut self, text: &str) -> Result<(), OutputError> {
        let Some(out) = &mut self.out else { return Ok(()) };
        match writeln!(out, "{text}").map_err(OutputError) {
            // The steps go on, because the exit status still tells of them.
            Err(error) if error.is_unread() => {
                self.out = None;
                Ok(())
            }
            written => written,
        }
    }

    /// Ends the run.
    pub(super) fn finish(mut self, started: SystemTime, ok: bool) -> Result<Report, OutputError> {
        let elapsed = self.elapsed(started);
        if ok {
            let steps = self.steps.len();
            self.line(&format!(
                "\nAll {steps} steps done in {:.2} s; nothing was left behind.",
                elapsed.as_secs_f64()
            ))?;
            self.line(
                "Next, with a key of your own:\n  ANTHROPIC_API_KEY=… cargo run --release -p claude-cli -- messages stream \"hello\"",
            )?;
        }
        Ok(Report { ok, milliseconds: milliseconds(elapsed), steps: self.steps })
    }

    fn tell(
        &mut self,
        started: SystemTime,
        name: &'static str,
        ok: bool,
        detail: String,
    ) -> Result<(), OutputError> {
        let elapsed = milliseconds(self.elapsed(started));
        let mark = if ok { "ok    " } else { "FAILED" };
        self.line(&format!("  {mark} {elapsed:>8.1} ms  {name:<22} {detail}"))?;
        self.steps.push(Step { name, ok, detail, milliseconds: elapsed });
        Ok(())
    }

    fn elapsed(&self, started: SystemTime) -> Duration {
        self.clock.now().duration_since(started).unwrap_or_default()
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("steps", &self.steps).finish_non_exhaustive()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}
