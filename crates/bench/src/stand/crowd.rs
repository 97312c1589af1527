//! Several processes of one contender that begin at the same moment.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use anyhow::{Context as _, Result, ensure};
use bench_probe::{Report, Task};

use super::{Contender, Stand};

/// A process that is ready and waits for the others.
struct Ready {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Stand {
    /// Has as many processes of a contender as there are tasks do one each, all from the same moment on.
    ///
    /// # Errors
    ///
    /// One of them does not start, or fails.
    pub fn at_once(&self, contender: &Contender, tasks: &[Task]) -> Result<Vec<Report>> {
        let mut processes = Vec::new();
        for task in tasks {
            processes.push(self.make_ready(contender, task)?);
        }
        for process in &mut processes {
            // Each begins when its input ends.
            drop(process.child.stdin.take());
        }
        processes.into_iter().map(|process| process.report(contender)).collect()
    }

    fn make_ready(&self, contender: &Contender, task: &Task) -> Result<Ready> {
        let mut command = self.command(contender)?;
        command.arg(serde_json::to_string(task)?).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", contender.name))?;
        let output = child.stdout.take().context("a contender has no output")?;
        let mut ready = Ready { child, output: BufReader::new(output) };
        let mut line = String::new();
        ready.output.read_line(&mut line)?;
        ensure!(line == "ready\n", "{} is not ready, it says {line:?}", contender.name);
        Ok(ready)
    }
}

impl Ready {
    fn report(mut self, contender: &Contender) -> Result<Report> {
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        ensure!(self.child.wait()?.success(), "{} failed", contender.name);
        serde_json::from_str(&text).with_context(|| format!("{} reported {text:?}", contender.name))
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
