use std::{
    borrow::Cow,
    ffi::OsString,
    fmt, io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::zeroize::Zeroizing;
use secrets::{ChildEnvironment, kill_family};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, ChildStderr},
};
use transport::Clock;

use super::{Grant, Scheme, TokenSource, children::equipped};
use crate::{
    error::{AuthError, HelperProblem, shown},
    types::ErrorBody,
};

mod output;

/// The most a helper may print, in bytes.
const LARGEST: usize = 64 * 1024;
/// How much of its errors is kept, in bytes: the end.
const TAIL: usize = 4 * 1024;
/// How long the end of a failed helper's errors is waited for, in case somebody else holds its output open.
const LINGER: Duration = Duration::from_secs(1);

/// A helper program that prints a token or a key, as password managers and cloud tools do.
///
/// It is run as it is given, by no shell, with nothing on its standard input and few variables of the environment
/// ([`environment`](Self::environment)). It prints one of these to its standard output, at most 64 KiB, and ends with
/// status 0:
///
/// - the token and nothing else, or the key, if [`prints_api_key`](Self::prints_api_key) says so; it is then used until
///   the service refuses it;
/// - a JSON object with one of `access_token`, `token` and `api_key`, and maybe `expires_at` (Unix seconds, or a time as
///   `2027-01-15T08:00:00Z`) or `expires_in` (seconds). Other members are ignored.
///
/// When it takes longer than its timeout it is killed, on a Unix with all that it started. What it printed is in no
/// error; the last line of its errors is, without what looks like a secret.
///
/// Wrap it in [`Cached`](super::Cached) to make a credential provider of it.
///
/// ```
/// use claude_sdk::{Client, credentials::{Cached, Command}};
///
/// # fn main() -> Result<(), claude_sdk::Error> {
/// let helper = Command::new("pass").args(["show", "claude/api-key"]).prints_api_key();
/// let client = Client::builder().credentials(Cached::new(helper)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: ChildEnvironment,
    timeout: Duration,
    prints: Scheme,
}

impl Command {
    /// The helper `program`: a path, or a name that is looked up in `PATH`.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: equipped(ChildEnvironment::process()),
            timeout: Duration::from_secs(30),
            prints: Scheme::Token,
        }
    }

    /// Adds arguments. Others on this machine can see them: they are no place for a secret.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs it in this environment.
    ///
    /// By default that is what is [kept](ChildEnvironment) of the environment of this process, with
    /// `ANTHROPIC_CONFIG_DIR`, `ANTHROPIC_PROFILE`, `ANTHROPIC_BASE_URL`, `CLAUDE_CLIENT_ID`, and the variables for proxies
    /// (`HTTPS_PROXY`…) and certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`). A tool that needs more is given it by name:
    /// `ChildEnvironment::process().pass(["AWS_PROFILE", "HTTPS_PROXY"])`.
    #[must_use]
    pub fn environment(self, environment: ChildEnvironment) -> Self {
        Self { environment, ..self }
    }

    /// Stops the helper after this time; 30 s by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes what is printed, if it is not JSON, for an API key rather than an access token.
    #[must_use]
    pub fn prints_api_key(mut self) -> Self {
        self.prints = Scheme::ApiKey;
        self
    }

    /// Runs the helper to its end, and gives what it printed.
    async fn run(&self, clock: &dyn Clock) -> Result<Zeroizing<Vec<u8>>, HelperProblem> {
        let mut helper = Helper::start(self)?;
        let (Some(mut stdout), Some(mut stderr)) = (helper.0.stdout.take(), helper.0.stderr.take()) else {
            return Err(HelperProblem::Unreadable(io::ErrorKind::BrokenPipe));
        };
        let mut tail = Vec::new();
        let ended = async {
            let printed = read(&mut stdout).await?;
            let status = helper.0.wait().await.map_err(|error| HelperProblem::Unreadable(error.kind()))?;
            Ok::<_, HelperProblem>((printed, status))
        };
        // Its errors are read all the time, so that it never waits for a reader.
        let (printed, status) = tokio::select! {
            ended = ended => ended?,
            never = async { drain(&mut stderr, &mut tail).await; std::future::pending().await } => never,
        };
        if status.success() {
            return Ok(printed);
        }
        tokio::select! {
            () = drain(&mut stderr, &mut tail) => {}
            () = clock.sleep(LINGER) => {}
        }
        Err(failed(status, &tail, &printed))
    }
}

#[async_trait]
impl TokenSource for Command {
    async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError> {
        let asked_at = clock.now();
        let printed = tokio::select! {
            printed = self.run(clock) => printed,
            () = clock.sleep(self.timeout) => Err(HelperProblem::TimedOut(self.timeout)),
        };
        let read = printed.and_then(|printed| output::read(&printed, self.prints, asked_at));
        read.map_err(|problem| AuthError::Helper { program: self.shown(), problem })
    }

    /// The timeout above is the first to end it: its error says more.
    fn patience(&self) -> Duration {
        self.timeout.saturating_add(Duration::from_secs(5))
    }
}

impl Command {
    fn shown(&self) -> String {
        shown(&self.program.to_string_lossy(), None)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A running helper, which is killed when it is not waited for to its end.
struct Helper(Child);

impl Helper {
    fn start(command: &Command) -> Result<Self, HelperProblem> {
        let mut helper = tokio::process::Command::new(&command.program);
        helper.args(&command.arguments).env_clear().envs(command.environment.variables());
        helper.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        helper.kill_on_drop(true);
        // A group of its own, so that what it starts can be ended with it.
        #[cfg(unix)]
        helper.process_group(0);
        helper.spawn().map(Self).map_err(|error| HelperProblem::NotStarted(error.kind()))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // While it has not been waited for, nobody else can have its number.
        if let Some(id) = self.0.id() {
            kill_family(id);
        }
    }
}

async fn read(stdout: &mut (impl AsyncRead + Unpin)) -> Result<Zeroizing<Vec<u8>>, HelperProblem> {
    // The whole room at once: a buffer that grows would leave pieces of the secret behind.
    let mut printed = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let mut stdout = stdout.take(LARGEST as u64 + 1);
    stdout.read_to_end(&mut printed).await.map_err(|error| HelperProblem::Unreadable(error.kind()))?;
    if printed.len() > LARGEST { Err(HelperProblem::TooLarge) } else { Ok(printed) }
}

/// Reads to the end and keeps the end.
async fn drain(stderr: &mut ChildStderr, tail: &mut Vec<u8>) {
    let mut piece = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut piece).await {
        tail.extend_from_slice(piece.get(..count).unwrap_or_default());
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
}

fn failed(status: ExitStatus, tail: &[u8], printed: &[u8]) -> HelperProblem {
    let tail = String::from_utf8_lossy(tail);
    let last = tail.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let said = scrubbed(&message(last), &String::from_utf8_lossy(printed));
    HelperProblem::Failed { status: status.code(), said }
}

/// What an error says that is told as JSON in the form of the API's, as by `claudectl … --json`; any other line as it is.
fn message(line: &str) -> Cow<'_, str> {
    let Ok(ErrorBody { error, .. }) = serde_json::from_str(line) else { return line.into() };
    match error.extra.get("next_step").and_then(Value::as_str) {
        Some(next) => format!("{}; {next}", error.message).into(),
        None => error.message.into(),
    }
}

/// A line of the helper's errors without what it printed to its output, and without what looks like a secret.
fn scrubbed(line: &str, printed: &str) -> String {
    let mut line = line.to_owned();
    for word in printed.split(delimits).filter(|word| word.len() >= 8) {
        line = line.replace(word, "[redacted]");
    }
    let words = line.split_inclusive(delimits).map(|word| {
        let bare = word.trim_end_matches(delimits);
        if is_like_a_secret(bare) { word.replace(bare, "[redacted]") } else { word.to_owned() }
    });
    shown(&words.collect::<String>(), None)
}

fn delimits(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ':' | ',' | ';' | '(' | ')' | '{' | '}' | '[' | ']')
}

/// Keys and tokens are long, and letters and digits in one; paths and hosts, which errors are about, are not touched.
fn is_like_a_secret(word: &str) -> bool {
    let known = word.starts_with("sk-") || word.starts_with("eyJ");
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let long = word.len() >= 20 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    known || (long && !word.contains(['/', '\\']))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
