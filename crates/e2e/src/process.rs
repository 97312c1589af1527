//! A server that runs beside a test and never outlives it.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use mock_server::leaks;

/// A running program, stopped by its own process id when this is dropped.
///
/// Its two outputs are read all the time, so that it never waits for a reader. What it prints, and what this process logs, is
/// searched for secrets.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    /// Starts the program with no input.
    ///
    /// # Errors
    ///
    /// When the program is missing or may not run.
    pub fn start(mut command: Command) -> Result<Self> {
        leaks::listen();
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {name}; {}", crate::installed("it")))?;
        let (sender, lines) = channel();
        forward(child.stdout.take(), sender.clone());
        forward(child.stderr.take(), sender);
        Ok(Self { name, child, lines, seen: Vec::new() })
    }

    /// Waits until the program writes a line that contains `text`, and returns that line.
    ///
    /// Lines before it are passed over. `patience` is how long the program may be silent.
    ///
    /// # Errors
    ///
    /// When the program ends or falls silent first; the error carries all it wrote.
    pub fn wait_for(&mut self, text: &str, patience: Duration) -> Result<String> {
        loop {
            match self.lines.recv_timeout(patience) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return Ok(line);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{} does not say {text:?}; {}", self.name, self.wrote())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} ended and did not say {text:?}; {}", self.name, self.wrote())
                }
            }
        }
    }

    /// The process id, for a test that looks at the process from outside.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn wrote(&self) -> String {
        format!("it wrote:\n{}", self.seen.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and was waited for, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end on a thread of its own, also when nobody receives.
fn forward(output: Option<impl Read + Send + 'static>, sender: Sender<String>) {
    let Some(output) = output else { return };
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            leaks::heard(&line);
            let _ = sender.send(line);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command).unwrap()
    }

    #[test]
    fn a_line_on_either_output_is_found() {
        let mut process = shell("echo first; echo second >&2; exec sleep 60");
        assert_eq!(process.wait_for("second", PATIENCE).unwrap(), "second");
    }

    #[test]
    fn a_secret_on_either_output_is_found() {
        let found = leaks::planted(|| {
            let mut process = shell("echo key CANARY; echo 43414e415259 >&2; echo end");
            process.wait_for("nothing like it", PATIENCE).unwrap_err();
        });
        assert_eq!(found, 2);
    }

    #[test]
    fn a_program_that_ends_early_is_an_error_with_what_it_wrote() {
        let error = shell("echo out of coffee").wait_for("ready", PATIENCE).unwrap_err().to_string();
        assert!(error.contains("ended") && error.contains("out of coffee"), "{error}");
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let process = shell("exec sleep 60");
        let running =
            |id: u32| Command::new("kill").args(["-0", &id.to_string()]).status().unwrap().success();
        let id = process.id();
        assert!(running(id));
        drop(process);
        assert!(!running(id));
    }

    #[test]
    fn a_missing_program_names_the_command_that_installs_it() {
        let error = Process::start(Command::new("no-such-program-here")).unwrap_err();
        assert!(error.to_string().contains("cargo xtask test"), "{error}");
    }
}
