//! Runs the program with an environment of the test's own.

use std::{
    ffi::OsStr,
    io::Write,
    process::{Child, ChildStdout, Command, Stdio},
};

use mock_server::{Entry, MockServer, leaks};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What every secret of the tests has in it, the mock server's included: it may never be printed.
pub const CANARY: &str = "CANARY";

/// The program, with nothing in its environment.
pub fn claudectl<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claudectl"));
    command.args(arguments).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program, with `server` and its key in its environment.
pub fn against<A: AsRef<OsStr>>(server: &MockServer, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = claudectl(arguments);
    command.env("ANTHROPIC_BASE_URL", server.base_url().as_str()).env("ANTHROPIC_API_KEY", server.api_key());
    command
}

/// The commands that print what is a secret; whatever another one prints holds none.
const SHOWS: [&[&str]; 3] = [&["secrets", "get"], &["auth", "token"], &["env", "run"]];

/// A run that goes on; it is ended at the latest when the test is.
#[derive(Debug)]
pub struct Running {
    child: Option<Child>,
    /// Whether it is asked to print a secret.
    shows: bool,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let arguments: Vec<_> = command.get_args().filter_map(OsStr::to_str).take(2).collect();
        let is_ours = command.get_program() == env!("CARGO_BIN_EXE_claudectl");
        let shows = !is_ours || SHOWS.contains(&arguments.as_slice());
        Self { child: Some(command.spawn().unwrap()), shows }
    }

    pub fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    pub fn stdout(&mut self) -> ChildStdout {
        self.child().stdout.take().unwrap()
    }

    /// Sends what Ctrl-C sends.
    pub fn interrupt(&mut self) {
        self.signal(Signal::INT);
    }

    pub fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(self.child()), signal).unwrap();
    }

    /// Waits for the end.
    pub fn end(mut self) -> Run {
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        // Whatever a test is about: what the program says of itself holds no secret, in no form.
        assert_eq!(leaks::find(&stderr), None, "a secret leaked");
        if !self.shows {
            assert_eq!(leaks::find(&output.stdout), None, "a secret was printed");
        }
        Run { status: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    /// `None` where a signal ended it.
    pub status: Option<i32>,
    /// What it printed, apart from what the test has read already.
    pub stdout: String,
    pub stderr: String,
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Run {
    Running::start(command).end()
}

/// Runs to the end, with `input` on standard input.
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Run {
    let mut running = Running::start(command.stdin(Stdio::piped()));
    // A program that fails before it reads closes its end.
    drop(running.child().stdin.take().unwrap().write_all(input));
    running.end()
}

impl Run {
    /// Asserts that it went well and had nothing to remark; gives standard output.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        &self.stdout
    }

    /// What is told in one line, also in an object.
    fn line(&self) -> Option<String> {
        if let Ok(object) = serde_json::from_str::<Value>(&self.stderr) {
            let part = |name: &str| object["error"][name].as_str();
            let next = part("next_step").map(|next| format!("; {next}")).unwrap_or_default();
            return Some(part("message")?.to_owned() + &next);
        }
        Some(self.stderr.strip_prefix("claudectl: ")?.strip_suffix('\n')?.to_owned())
    }

    /// Asserts that it failed with `status`, in one line that says `advice`, and gave no secret away.
    #[track_caller]
    pub fn failed(&self, status: i32, advice: &str) {
        assert_eq!(self.status, Some(status), "{self:?}");
        let line = self.line().unwrap_or_else(|| panic!("not a line of ours: {self:?}"));
        assert!(!line.contains(char::is_control), "more than a line: {self:?}");
        assert!(line.contains(advice), "does not say {advice:?}: {self:?}");
        assert!(!line.contains("panicked"), "{self:?}");
        assert!(!self.stdout.contains(CANARY) && !line.contains(CANARY), "a secret leaked: {self:?}");
    }
}

/// The body of a request, which is JSON.
pub fn json(entry: &Entry) -> Value {
    serde_json::from_slice(&entry.body).unwrap()
}

/// The one request the server saw.
pub fn only(server: &MockServer) -> Entry {
    let journal = server.journal();
    assert_eq!(journal.len(), 1, "{journal:?}");
    journal[0].clone()
}
