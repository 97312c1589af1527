//! Runs the program with an environment of the test's own.

use std::{
    ffi::OsStr,
    io::Write,
    process::{Child, Command, Stdio},
};

use mock_server::{Entry, MockServer};
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

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    /// `None` where a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Run {
    Run::of(command.spawn().unwrap())
}

/// Runs to the end, with `input` on standard input.
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that fails before it reads closes its end.
    drop(child.stdin.take().unwrap().write_all(input));
    Run::of(child)
}

impl Run {
    pub fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts that it went well and had nothing to remark; gives standard output.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        &self.stdout
    }

    /// Asserts that it failed with `status`, in one line that says `advice`, and gave no secret away.
    #[track_caller]
    pub fn failed(&self, status: i32, advice: &str) {
        assert_eq!(self.status, Some(status), "{self:?}");
        let line = self.stderr.strip_prefix("claudectl: ").and_then(|rest| rest.strip_suffix('\n'));
        let line = line.unwrap_or_else(|| panic!("not a line of ours: {self:?}"));
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
