//! How somebody is told of an alarm: by a program, or by a message to a server.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use async_trait::async_trait;
use bytes::Bytes;
use claude_sdk::{
    secrets::providers::Env,
    transport::{self, ErrorKind, HttpBackend as _, backends::Reqwest},
};
use http::{Request, header};
use url::{Host, Url};

mod program;

use program::Program;

use crate::{args::MonitorArgs, auth::backend, references::resolver, wording::spoken};

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
        ways.push(Arc::new(Program::new(program)));
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
        // What stands behind a scheme of ours may have an address in it.
        if reference.split_once(':').is_none_or(|(_, place)| place.starts_with("//")) {
            bail!(
                "--alert-webhook takes no address, because others can read it there and some are secret; put it into a file \
                 (mode 600) and say file:PATH, or into a variable and say env:NAME"
            );
        }
        let resolver = resolver(env);
        let reference = resolver.reference(reference).context("--alert-webhook")?;
        let address = resolver.resolve(&reference).await.context("--alert-webhook")?;
        // Its error may repeat what it is of.
        let url = Url::parse(address.expose()).map_err(|_| {
            anyhow!("--alert-webhook leads to no address; let it lead to one that begins with https://, and nothing beside it")
        })?;
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
            status => bail!("it answers {}", spoken(status)),
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// What comes of an alert to this address, which may be all it takes to write there.
    async fn told_of(address: String) -> String {
        let env = Env::new(Arc::new(move |name| (name == "HOOK").then(|| address.clone().into())));
        let hook = Webhook::at("env:HOOK", &env).await.unwrap();
        let told = format!("{:#}", hook.tell("{}").await.unwrap_err());
        assert!(!told.contains("CANARY") && !format!("{hook:?}").contains("CANARY"), "{told}, {hook:?}");
        told
    }

    #[tokio::test]
    async fn a_reference_may_have_an_address_in_it_and_what_is_one_or_leads_to_none_is_refused() {
        let env = Env::new(Arc::new(|name| (name == "PATH").then(|| "/bin:/usr/bin".into())));
        let hook = |reference: &'static str| Webhook::at(reference, &env);
        let found = hook("command:echo https://hooks.example/CANARY").await.unwrap();
        assert_eq!(found.url.as_str(), "https://hooks.example/CANARY");
        for (reference, why) in [
            ("https://hooks.example/CANARY", "takes no address"),
            ("hooks.example/CANARY", "takes no address"),
            ("command:echo CANARY is no url", "leads to no address; let it lead"),
            ("command:echo http://hooks.example/CANARY", "without TLS; it has to begin with https://"),
        ] {
            let told = format!("{:#}", hook(reference).await.unwrap_err());
            assert!(told.contains(why) && !told.contains("CANARY"), "{told}");
        }
    }

    #[tokio::test]
    async fn a_webhook_that_cannot_be_told_says_why_and_not_where_it_is() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let told = told_of(format!("http://{closed}/hooks/CANARY")).await;
        assert!(told.contains("refused") && !told.contains(&closed.to_string()), "{told}");
        let told = told_of("https://hooks.CANARY.invalid/hooks/CANARY".to_owned()).await;
        assert_eq!(told, "its name could not be resolved");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let refuses = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 1024]).await.unwrap();
            let answer = b"HTTP/1.1 529 Later\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            socket.write_all(answer).await.unwrap();
            // Until it has been read.
            let _ = socket.read_to_end(&mut Vec::new()).await;
        };
        let (told, ()) = tokio::join!(told_of(format!("http://{address}/hooks/CANARY")), refuses);
        assert_eq!(told, "it answers 529 Overloaded");
    }
}
