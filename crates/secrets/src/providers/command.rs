//! Secrets that a program prints.

use std::{ffi::OsString, fmt, io, process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::zeroize::Zeroizing;
use tokio::{io::AsyncReadExt as _, process::Child, runtime::Handle};

use crate::{
    ChildEnvironment, Error, ErrorKind, Secret, SecretName, SecretProvider, SystemTimer, Timer,
    child_family::kill_family, text, words,
};

/// The most a program may print, in bytes.
const LARGEST: usize = 64 * 1024;

/// A secret that a program prints, as password managers do.
///
/// - It is run by no shell, with nothing on its standard input, and with few variables of the environment
///   ([`ChildEnvironment`]).
/// - It prints the secret, and only it, to its standard output: at most 64 KiB, by the rules of
///   [`providers::File`](crate::providers::File) for what is in a file. It ends with status 0.
/// - What it writes to its standard error is not read: a program that fails may say more than it should.
/// - When it takes longer than its time (30 s) it is killed, on a Unix with all that it started.
///
/// It answers every name with the same secret. It is run on a tokio runtime, and anew each time: wrap it in
/// [`providers::Cached`](crate::providers).
#[derive(Clone)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: ChildEnvironment,
    timeout: Duration,
    timer: Arc<dyn Timer>,
}

impl Command {
    /// Reads a command line: `pass show claude`, `op read 'op://a vault/key'`. Quotes keep words together; nothing else of a
    /// shell is known. The program is a path, or a name that is looked up in `PATH`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`].
    pub fn parse(line: &str, environment: ChildEnvironment) -> Result<Self, Error> {
        let refused = || Error::new(ErrorKind::InvalidReference, "the command reference");
        let mut words = words::split(line).ok_or_else(refused)?.into_iter().map(OsString::from);
        Ok(Self {
            program: words.next().filter(|program| !program.is_empty()).ok_or_else(refused)?,
            arguments: words.collect(),
            environment,
            timeout: Duration::from_secs(30),
            timer: Arc::new(SystemTimer),
        })
    }

    /// Stops the program after this time; 30 s by default.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Takes the time from `timer`.
    #[must_use]
    pub fn timer(self, timer: impl Timer) -> Self {
        Self { timer: Arc::new(timer), ..self }
    }

    /// Runs the program to its end, and gives what it printed.
    async fn run(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let unreadable = |error: io::Error| self.refused(ErrorKind::Unreadable).with_source(error);
        let mut running = self.start().map_err(|error| match error.kind() {
            // One word that is no program may be the secret itself.
            io::ErrorKind::NotFound if self.arguments.is_empty() => {
                Error::new(ErrorKind::Unreadable, "the program of the command reference").with_source(error)
            }
            _ => unreadable(error),
        })?;
        // The whole room at once: a buffer that grows would leave pieces of the secret behind.
        let mut printed = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
        if let Some(stdout) = running.0.stdout.take() {
            stdout.take(LARGEST as u64 + 1).read_to_end(&mut printed).await.map_err(unreadable)?;
        }
        if printed.len() > LARGEST {
            return Err(self.refused(ErrorKind::TooLarge));
        }
        let status = running.0.wait().await.map_err(unreadable)?;
        if !status.success() {
            return Err(self.refused(ErrorKind::Failed).with_source(io::Error::other(status.to_string())));
        }
        Ok(printed)
    }

    fn start(&self) -> io::Result<Running> {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(self.environment.variables());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        // A group of its own, so that what it starts can be ended with it.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map(Running)
    }

    fn refused(&self, kind: ErrorKind) -> Error {
        let program: String = self.program.to_string_lossy().chars().filter(|c| !c.is_control()).collect();
        Error::new(kind, format!("the command {program}"))
    }
}

#[async_trait]
impl SecretProvider for Command {
    async fn get(&self, _: SecretName) -> Result<Option<Secret>, Error> {
        let late =
            |why: &str| self.refused(ErrorKind::Unavailable).with_source(io::Error::other(why.to_owned()));
        if Handle::try_current().is_err() {
            return Err(late("it needs a tokio runtime"));
        }
        let mut printed = tokio::select! {
            printed = self.run() => printed?,
            () = self.timer.sleep(self.timeout) => {
                return Err(late(&format!("it took longer than {} s", self.timeout.as_secs())));
            }
        };
        match text::parse(std::mem::take(&mut *printed)) {
            // A newline at the end is how programs print: no news.
            Ok(Some(secret)) => Ok(Some(secret.with_trimmed(false))),
            Ok(None) => Err(self.refused(ErrorKind::Empty)),
            Err(kind) => Err(self.refused(kind)),
        }
    }
}

/// Arguments are no secret, but they are nobody's business either.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A running program, which is killed when it is not waited for to its end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // While it has not been waited for, nobody else can have its number.
        if let Some(id) = self.0.id() {
            kill_family(id);
        }
    }
}
