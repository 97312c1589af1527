//! Secrets in Redis, with leases: the one file that knows the crate `redis`.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use redis::{
    Client, ConnectionAddr, ErrorKind as Kind, RedisError, Script, ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{Error, ErrorKind, Lease, Leased, Secret, SecretName, SecretProvider, SecretStore};

/// How long to wait for a connection, and for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
const RECONNECTIONS: usize = 1;

/// Secrets in a Redis server (or one that speaks its protocol), for programs on many machines.
///
/// It has leases: [`SecretStore::lease`] is a key that expires, with a number that grows with each lease, and a script
/// compares the number before it writes. So a holder that was stopped until its lease ran out cannot overwrite what came
/// after it. The keys of one secret are on one node of a cluster.
///
/// What is written survives what the server is set up to survive: with `appendfsync everysec` the last second can be
/// lost when its machine dies, and an asynchronous replica that takes over may not have the last write. Secrets are kept
/// as they are: who may read the keys (`PREFIX:*`) should be said by the server's ACLs.
///
/// A call that gets no answer ends after some seconds with [`ErrorKind::Unavailable`]. Calls are made on a tokio runtime.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    /// Made when it is first needed, for that takes a runtime.
    connections: Arc<OnceLock<ConnectionManager>>,
    prefix: Arc<str>,
}

impl Redis {
    /// The server at `url`, such as `redis://user:password@127.0.0.1:6379/0` or `unix:///run/redis.sock`; nothing is sent
    /// yet. It has to be on this machine, for the connection is not encrypted.
    ///
    /// Its keys begin with `prefix`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAddress`] where `url` is none, [`ErrorKind::Cleartext`] where it leads to another machine.
    pub fn new(url: &str, prefix: &str) -> Result<Self, Error> {
        Self::open(url, prefix, false)
    }

    /// As [`new`](Self::new), on any machine: whoever can listen on the way reads the secrets.
    ///
    /// For networks that are private to the fleet, or encrypted beneath.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), but for [`ErrorKind::Cleartext`].
    pub fn danger_in_clear(url: &str, prefix: &str) -> Result<Self, Error> {
        Self::open(url, prefix, true)
    }

    fn open(url: &str, prefix: &str, in_clear: bool) -> Result<Self, Error> {
        // The address may hold a password: it is in no error.
        let refused = |kind| Error::new(kind, "the address of Redis");
        let client = Client::open(url).map_err(|_| refused(ErrorKind::InvalidAddress))?;
        if !in_clear && !is_confidential(client.get_connection_info().addr()) {
            return Err(refused(ErrorKind::Cleartext));
        }
        Ok(Self { client, connections: Arc::default(), prefix: prefix.into() })
    }

    fn connection(&self, name: &SecretName) -> Result<ConnectionManager, Error> {
        if let Some(connections) = self.connections.get() {
            return Ok(connections.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(RECONNECTIONS);
        let made = ConnectionManager::new_lazy_with_config(self.client.clone(), config);
        let made = made.map_err(|error| failed(name, &error))?;
        Ok(self.connections.get_or_init(|| made).clone())
    }

    /// The hash of a secret, and its lease. What is in braces decides the node of a cluster.
    fn keys(&self, name: &SecretName) -> (String, String) {
        let key = format!("{{{}:{name}}}", self.prefix);
        let lease = format!("{key}:lease");
        (key, lease)
    }

    /// Writes, with the number of a lease or with none; `false` where a later one has written.
    async fn write(
        &self,
        name: &SecretName,
        fence: Option<u64>,
        secret: Option<Secret>,
    ) -> Result<bool, Error> {
        let (key, _) = self.keys(name);
        let fence = fence.map(|fence| fence.to_string()).unwrap_or_default();
        let value = secret.as_ref().map_or("", Secret::expose);
        let mut write = WRITE.key(key);
        write.arg(fence).arg(value);
        write.invoke_async(&mut self.connection(name)?).await.map_err(|error| failed(name, &error))
    }
}

#[async_trait]
impl SecretProvider for Redis {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        let (key, _) = self.keys(&name);
        let mut get = redis::cmd("HGET");
        get.arg(key).arg("secret");
        let found: Result<Option<Vec<u8>>, RedisError> = get.query_async(&mut self.connection(&name)?).await;
        let Some(raw) = found.map_err(|error| failed(&name, &error))? else { return Ok(None) };
        let text = String::from_utf8(raw).map_err(|_| Error::new(ErrorKind::NotText, place(&name)))?;
        Ok(Some(text.into()))
    }
}

#[async_trait]
impl SecretStore for Redis {
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        if secret.expose().is_empty() {
            return Err(Error::new(ErrorKind::Empty, place(&name)));
        }
        self.write(&name, None, Some(secret)).await.map(drop)
    }

    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        self.write(&name, None, None).await.map(drop)
    }

    async fn lease(&self, name: SecretName, lasting: Duration) -> Result<Option<Leased>, Error> {
        let (key, lease) = self.keys(&name);
        let mut take = LEASE.key(key);
        take.key(lease).arg(millis(lasting));
        let taken: Result<(u64, u64), RedisError> = take.invoke_async(&mut self.connection(&name)?).await;
        Ok(Some(match taken.map_err(|error| failed(&name, &error))? {
            (0, left) => Leased::Busy(Duration::from_millis(left)),
            (fence, _) => Leased::Held(Arc::new(Numbered { redis: self.clone(), name, fence })),
        }))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// A lease with its number.
#[derive(Debug)]
struct Numbered {
    redis: Redis,
    name: SecretName,
    fence: u64,
}

#[async_trait]
impl Lease for Numbered {
    async fn replace(&self, secret: Option<Secret>) -> Result<(), Error> {
        match self.redis.write(&self.name, Some(self.fence), secret).await? {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Superseded, place(&self.name))),
        }
    }

    async fn extend(&self, lasting: Duration) -> Result<bool, Error> {
        let (_, lease) = self.redis.keys(&self.name);
        let mut extend = EXTEND.key(lease);
        extend.arg(self.fence).arg(millis(lasting));
        let kept = extend.invoke_async(&mut self.redis.connection(&self.name)?).await;
        kept.map_err(|error| failed(&self.name, &error))
    }
}

/// Takes the lease, if nobody has it: its number, or 0 and the time that is left to the other one.
///
/// A server that was emptied counts anew, but never below what was written since.
static LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local left = redis.call('PTTL', KEYS[2])
        if left == -1 then left = tonumber(ARGV[1]) end
        if left > 0 then return {0, left} end
        local fence = redis.call('HINCRBY', KEYS[1], 'leases', 1)
        local last = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
        if fence <= last then
            fence = last + 1
            redis.call('HSET', KEYS[1], 'leases', fence)
        end
        redis.call('SET', KEYS[2], fence, 'PX', ARGV[1])
        return {fence, 0}",
    )
});

/// Writes, unless a later number has written. Whoever has no number gets the next one: all leases so far are earlier.
static WRITE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local last = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
        local fence
        if ARGV[1] == '' then
            fence = math.max(redis.call('HINCRBY', KEYS[1], 'leases', 1), last + 1)
            redis.call('HSET', KEYS[1], 'leases', fence)
        else
            fence = tonumber(ARGV[1])
            if fence < last then return 0 end
        end
        redis.call('HSET', KEYS[1], 'fence', fence)
        if ARGV[2] == '' then
            redis.call('HDEL', KEYS[1], 'secret')
        else
            redis.call('HSET', KEYS[1], 'secret', ARGV[2])
        end
        return 1",
    )
});

/// Makes the lease last longer, or gives it up, if it is still the same one.
static EXTEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    )
});

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

/// Whether what is sent there cannot be read on the way. The host is compared as parsed, never as text.
fn is_confidential(address: &ConnectionAddr) -> bool {
    match address {
        ConnectionAddr::Tcp(host, _) => {
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        ConnectionAddr::Unix(_) => true,
        _ => false,
    }
}

fn place(name: &SecretName) -> String {
    format!("the secret {name} in Redis")
}

/// The server's own words are left out: it may repeat what it was sent.
fn failed(name: &SecretName, error: &RedisError) -> Error {
    let kind = match error.kind() {
        Kind::AuthenticationFailed | Kind::Server(ServerErrorKind::NoPerm) => ErrorKind::Unreadable,
        Kind::UnexpectedReturnType => ErrorKind::Unreadable,
        _ if error.code() == Some("WRONGTYPE") || error.code() == Some("NOAUTH") => ErrorKind::Unreadable,
        _ => ErrorKind::Unavailable,
    };
    let code =
        error.code().filter(|code| code.bytes().all(|byte| byte.is_ascii_uppercase())).unwrap_or_default();
    let what = if error.is_timeout() { "timed out" } else { error.category() };
    Error::new(kind, place(name))
        .with_source(std::io::Error::other(format!("{what} {code}").trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_sent_to_another_machine_in_clear_unless_somebody_says_so() {
        for url in ["redis://127.0.0.1", "redis://localhost:1", "redis://[::1]/3", "unix:///run/redis.sock"] {
            assert!(Redis::new(url, "test").is_ok(), "{url}");
        }
        for url in
            ["redis://10.0.0.1", "redis://localhost.evil.example", "redis://:canary@redis.example:6379"]
        {
            let error = Redis::new(url, "test").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Cleartext, "{url}");
            assert!(!format!("{error} {error:?}").contains("canary"));
            assert!(Redis::danger_in_clear(url, "test").is_ok(), "{url}");
        }
        for url in ["", "http://127.0.0.1", "redis://:canary@127.0.0.1:x"] {
            let error = Redis::new(url, "test").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidAddress, "{url}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_typed_error() {
        let redis = Redis::new("redis://127.0.0.1:1", "test").unwrap();
        let error = redis.get(SecretName::new("key").unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
        assert!(error.to_string().contains("the secret key in Redis"), "{error}");
    }
}
