//! The server: the one file that knows the crate `redis`.

use std::{
    fmt,
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use redis::{
    Client, ConnectionAddr, ErrorKind, IntoConnectionInfo as _, RedisError, Script, ServerErrorKind,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
};
use tokio::sync::OnceCell;

use super::{
    BuildError,
    question::{Answer, Question, SCRIPT},
};

/// How long a connection may take, which nobody waits for in full.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where questions about keys are answered.
#[async_trait]
pub(super) trait Store: fmt::Debug + Send + Sync + 'static {
    async fn ask(&self, key: &str, question: &Question) -> Result<Answer, Trouble>;
}

/// Why there is no answer: what went wrong, in words of the crate's and never of the server's.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The server cannot be asked about anything.
    #[error("redis: {0}")]
    Server(Arc<str>),
    /// It cannot be asked about this key.
    #[error("redis: {0} holds something else than a limit: delete it, or choose another prefix")]
    Key(Arc<str>),
}

/// A Redis server, or a cluster of them. Nothing is connected before it is needed.
pub(super) struct Server {
    nodes: Nodes,
    prefix: Box<str>,
}

enum Nodes {
    One(Box<Client>, OnceLock<ConnectionManager>),
    Many(Box<ClusterClient>, OnceCell<ClusterConnection>),
}

static CALL: LazyLock<Script> = LazyLock::new(|| Script::new(SCRIPT));

impl Server {
    /// The server at one address, or the cluster that several addresses lead to.
    pub(super) fn new(urls: &[String], prefix: &str, in_clear: bool) -> Result<Self, BuildError> {
        if urls.is_empty() {
            return Err(BuildError::Address);
        }
        for url in urls {
            // The address may hold a password: it is in no error.
            if url.starts_with("rediss:") {
                return Err(BuildError::Encrypted);
            }
            let address = url.as_str().into_connection_info().map_err(|_| BuildError::Address)?;
            let has_password = address.redis_settings().password().is_some();
            if has_password && !in_clear && !is_confidential(address.addr()) {
                return Err(BuildError::Cleartext);
            }
        }
        let nodes = match urls {
            [url] => {
                let client = Client::open(url.as_str()).map_err(|_| BuildError::Address)?;
                Nodes::One(Box::new(client), OnceLock::new())
            }
            urls => {
                let builder = ClusterClientBuilder::new(urls.iter().map(String::as_str));
                let builder = builder.connection_timeout(PATIENCE).response_timeout(PATIENCE).retries(2);
                let client = builder.build().map_err(|_| BuildError::Address)?;
                Nodes::Many(Box::new(client), OnceCell::new())
            }
        };
        Ok(Self { nodes, prefix: prefix.into() })
    }
}

#[async_trait]
impl Store for Server {
    async fn ask(&self, key: &str, question: &Question) -> Result<Answer, Trouble> {
        // What is in braces decides the node of a cluster, so both keys are on one.
        let hash = format!("{{{}:{key}}}", self.prefix);
        let answer = match &self.nodes {
            Nodes::One(client, connection) => call(&mut connect(client, connection)?, &hash, question).await,
            Nodes::Many(client, connection) => {
                let connection = connection.get_or_try_init(|| client.get_async_connection()).await;
                call(&mut connection.map_err(|error| trouble(&error))?.clone(), &hash, question).await
            }
        };
        answer.map_err(|error| match error.code() {
            Some("WRONGTYPE") => Trouble::Key(hash.into()),
            _ => trouble(&error),
        })
    }
}

fn connect(client: &Client, connection: &OnceLock<ConnectionManager>) -> Result<ConnectionManager, Trouble> {
    if let Some(connection) = connection.get() {
        return Ok(connection.clone());
    }
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        .set_number_of_retries(0);
    let made = ConnectionManager::new_lazy_with_config(client.clone(), config);
    let made = made.map_err(|error| trouble(&error))?;
    Ok(connection.get_or_init(|| made).clone())
}

/// Runs the script, by its hash first. A server that does not know it gets the text, which has not run then.
async fn call(
    connection: &mut impl ConnectionLike,
    hash: &str,
    question: &Question,
) -> Result<Answer, RedisError> {
    let run = |how: &str, script: &str| {
        let mut command = redis::cmd(how);
        command.arg(script).arg(2).arg(hash).arg(format!("{hash}:holders")).arg(&question.arguments());
        command
    };
    let answer: Result<[i64; 5], RedisError> = run("EVALSHA", CALL.get_hash()).query_async(connection).await;
    let answer = match answer {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            run("EVAL", SCRIPT).query_async(connection).await
        }
        answer => answer,
    };
    answer.map(Answer::from)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// The server's own words are left out: it may repeat what it was sent.
fn trouble(error: &RedisError) -> Trouble {
    let is_plain = |code: &&str| code.bytes().all(|byte| byte.is_ascii_uppercase());
    let code = error.code().filter(is_plain).unwrap_or_default();
    let what = match error.kind() {
        _ if error.is_timeout() => "timed out",
        ErrorKind::AuthenticationFailed => "the user or the password in the address is wrong",
        _ if code == "NOAUTH" => "it wants a password: write redis://user:password@host",
        ErrorKind::Io => "no connection: check the host and the port, and whether it runs",
        ErrorKind::Server(ServerErrorKind::ResponseError) => {
            "it refuses: is it a cluster, and this one node of it?"
        }
        _ => error.category(),
    };
    Trouble::Server(format!("{what} {code}").trim().into())
}

/// Whether what is sent there cannot be read on the way. The host is compared as parsed, never as text.
fn is_confidential(address: &ConnectionAddr) -> bool {
    match address {
        ConnectionAddr::Tcp(host, _) => {
            let parsed = host.parse::<std::net::IpAddr>();
            host == "localhost" || parsed.is_ok_and(|address| address.is_loopback())
        }
        ConnectionAddr::Unix(_) => true,
        _ => false,
    }
}
