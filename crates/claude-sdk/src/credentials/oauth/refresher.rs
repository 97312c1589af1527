use std::{ffi::OsString, process::Stdio};

use async_trait::async_trait;
use secrets::ChildEnvironment;
use tokio::process::Command;

use super::driver::{Renew, Renewed};
use crate::credentials::children::equipped;

/// A command that renews a stored session in a process of its own.
///
/// A server that takes each refresh token once, and a process that is killed between its answer and the disk, lose a
/// login. A process of its own, that does nothing else and that nobody kills, makes this unlikely: killing the program,
/// or all of its process group, does not reach it, and whoever opens the session next finds it renewed.
///
/// The command works on the same store as the [`OAuth`](super::OAuth) that runs it. It takes the store's lock, renews with
/// [`OAuth::renew`](super::OAuth::renew) and ends:
///
/// - with status 0 when the store holds good tokens, its own or those of somebody who was faster;
/// - with [`LOGIN_REQUIRED`](Self::LOGIN_REQUIRED) when only a new login can help;
/// - with any other status when it may be tried again.
///
/// It is told by its arguments and by a few variables ([`environment`](Self::environment)) which session it is, and no
/// secret: it reads the store itself. It has no input and its output is dropped.
///
/// ```no_run
/// # use claude_sdk::credentials::{OAuth, Refresher};
/// # fn with(oauth: OAuth) {
/// let refresher = Refresher::new("claudectl").args(["auth", "refresh", "--profile", "work"]);
/// let oauth = oauth.renewed_by(refresher);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Refresher {
    program: OsString,
    arguments: Vec<OsString>,
    environment: ChildEnvironment,
}

impl Refresher {
    /// The exit status by which the command says that only a new login can help.
    pub const LOGIN_REQUIRED: i32 = 4;

    /// Runs `program`, which is looked up as a shell would, without one.
    pub fn new(program: impl Into<OsString>) -> Self {
        let environment = equipped(ChildEnvironment::process());
        Self { program: program.into(), arguments: Vec::new(), environment }
    }

    /// Gives it these arguments too. Everybody on the machine can read them.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs it in this environment.
    ///
    /// By default that is what is [kept](ChildEnvironment) of the environment of this process, with
    /// `ANTHROPIC_CONFIG_DIR`, `ANTHROPIC_PROFILE`, `ANTHROPIC_BASE_URL`, `CLAUDE_CLIENT_ID`, and the variables for proxies
    /// (`HTTPS_PROXY`…) and certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`). A command that authenticates with a secret of the
    /// environment has to be given it by name.
    #[must_use]
    pub fn environment(self, environment: ChildEnvironment) -> Self {
        Self { environment, ..self }
    }
}

#[async_trait]
impl Renew for Refresher {
    async fn renew(&self) -> Renewed {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(self.environment.variables());
        // Nothing of this process that could break when it goes away. It is not killed when nobody waits for it any more.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        command.process_group(0);
        match command.status().await {
            Ok(status) => match status.code() {
                Some(0) => Renewed::Well,
                Some(Self::LOGIN_REQUIRED) => Renewed::Over,
                Some(code) => Renewed::Failed(format!("it ended with status {code}")),
                None => Renewed::Unknown,
            },
            Err(error) => Renewed::Failed(format!("it could not be started ({})", error.kind())),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// What the command finds in a variable of an environment in which every one is set.
    async fn seen(set: impl FnOnce(ChildEnvironment) -> ChildEnvironment, name: &str) -> String {
        let everything = ChildEnvironment::of(Arc::new(|name| match name {
            "PATH" => Some("/usr/bin:/bin".into()),
            name => Some(format!("of-{name}").into()),
        }));
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let script = format!("printf %s \"${name}\" > '{}'", out.display());
        let refresher = Refresher::new("sh").args(["-c", &script]);
        let outcome = refresher.environment(set(everything)).renew().await;
        assert!(matches!(outcome, Renewed::Well));
        std::fs::read_to_string(out).unwrap()
    }

    #[tokio::test]
    async fn a_command_is_told_where_its_session_is_and_no_secret() {
        for name in ["HOME", "ANTHROPIC_CONFIG_DIR", "HTTPS_PROXY"] {
            assert_eq!(seen(equipped, name).await, format!("of-{name}"));
        }
        for name in ["ANTHROPIC_API_KEY", "CLAUDE_CLIENT_SECRET", "VAULT_TOKEN"] {
            assert_eq!(seen(equipped, name).await, "");
        }
        assert_eq!(seen(|few| few.pass(["VAULT_TOKEN"]), "VAULT_TOKEN").await, "of-VAULT_TOKEN");
    }
}
