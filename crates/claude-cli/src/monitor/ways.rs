//! How somebody is told of an alarm: by a program, or by a message to a server.

use std::{fmt, path::Path, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use async_trait::async_trait;
use bytes::Bytes;
use claude_sdk::{
    secrets::{ChildEnvironment, providers::Env},
    transport::{self, ErrorKind, HttpBackend as _, backends::Reqwest},
};
use http::{Request, header};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};
use url::{Host, Url};

use crate::{args::MonitorArgs, auth::backend, references::resolver};

/// A way to tell.
#[async_trait]
pub(super) trait Way: fmt::Debug + Send + Sync + 'static {
    /// By which it is known in the history.
    fn name(&self) -> &'static str;

    /// What it is called where it does not work.
    fn whom(&self) -> String;

    /// How long one try may take; it is dropped then.
    fn patience(&self) -> Duration;

    /// Tells of an alert, which is JSON.
    async fn tell(&self, alert: &str) -> anyhow::Result<()>;
}

/// The ways that the arguments name.
pub(super) async fn ways(args: &MonitorArgs, env: &Env) -> anyhow::Result<Vec<Arc<dyn Way>>> {
    let mut ways: Vec<Arc<dyn Way>> = Vec::new();
    if let Some(program) = &args.alert_command {
        if !can_run(program, env) {
            bail!(
                "--alert-command: there is no program {program} that can be run; name one, without arguments, and see that it is \
                 executable"
            );
        }
        ways.push(Arc::new(Program(program.clone())));
    }
    if let Some(reference) = &args.alert_webhook {
        ways.push(Arc::new(Webhook::at(reference, env).await?));
    }
    Ok(ways)
}

/// Whether there is such a program, by its path or in a folder of `PATH`.
fn can_run(program: &str, env: &Env) -> bool {
    if Path::new(program).components().count() != 1 {
        return is_executable(Path::new(program));
    }
    let folders = (env.lookup())("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&folders).any(|folder| is_executable(&folder.join(program)))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Elsewhere a program need not be named whole.
#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

/// A program that gets the alert on its standard input, and none of this program's secrets.
#[derive(Debug)]
pub(super) struct Program(pub(super) String);

#[async_trait]
impl Way for Program {
    fn name(&self) -> &'static str {
        "command"
    }

    fn whom(&self) -> String {
        format!("the program {}", self.0)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn tell(&self, alert: &str) -> anyhow::Result<()> {
        let mut command = Command::new(&self.0);
        command.env_clear().envs(ChildEnvironment::process().variables());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut running = Running(command.spawn()?);
        if let Some(mut input) = running.0.stdin.take() {
            // A program that does not want to know need not read.
            let _ = input.write_all(format!("{alert}\n").as_bytes()).await;
        }
        match running.0.wait().await? {
            status if status.success() => Ok(()),
            status => bail!("it ended with {status}"),
        }
    }
}

/// A running program, which is killed with its process group when nobody waits for its end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // While it has not been waited for, nobody else can have its number.
        #[cfg(unix)]
        if let Some(group) =
            self.0.id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().unwrap_or_default()))
        {
            // It fails only where nobody of the group is left.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// An address, which may be all it takes to write there.
struct Webhook {
    url: Url,
    backend: Arc<Reqwest>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.url.host_str()).finish_non_exhaustive()
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
}

#[async_trait]
impl Way for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn whom(&self) -> String {
        "the webhook".to_owned()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(15)
    }

    async fn tell(&self, alert: &str) -> anyhow::Result<()> {
        let request = Request::post(self.url.as_str()).header(header::CONTENT_TYPE, "application/json");
        let sent = self.backend.send(request.body(Bytes::from(alert.to_owned()))?).await;
        let answer = sent.map_err(|error| anyhow!("{}", unsent(error)))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => bail!("it answers {status}"),
        }
    }
}

/// Why, without the address, which others may not know.
fn unsent(error: transport::Error) -> String {
    let why = match error.kind() {
        ErrorKind::Dns => "its name could not be resolved",
        ErrorKind::Connect => return anyhow::Error::from(error).root_cause().to_string(),
        ErrorKind::Tls => "the connection to it could not be secured",
        ErrorKind::Proxy => "the proxy on the way to it refused or could not be reached",
        ErrorKind::Timeout(_) => "it took too long to answer",
        _ => "the connection to it broke",
    };
    why.to_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use claude_sdk::transport::{Clock as _, SystemClock};
    use rustix::process::{Pid, test_kill_process};

    use super::*;

    #[tokio::test]
    async fn a_program_that_is_given_up_is_killed_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hangs");
        fs::write(&path, "#!/bin/sh\nsleep 1000 &\necho $! > \"$0.tmp\"; mv \"$0.tmp\" \"$0.child\"; wait\n")
            .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let program = Program(path.to_str().unwrap().to_owned());
        let child = folder.path().join("hangs.child");
        tokio::select! {
            ended = program.tell("{}") => panic!("{ended:?}"),
            () = until(|| child.exists()) => {}
        }
        let child = fs::read_to_string(child).unwrap().trim().parse().ok().and_then(Pid::from_raw).unwrap();
        // Whoever was its parent is gone, so that somebody else has to bury it.
        until(|| test_kill_process(child).is_err() || is_dead(child)).await;
    }

    async fn until(is: impl Fn() -> bool) {
        while !is() {
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
    }

    fn is_dead(process: Pid) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    }
}
