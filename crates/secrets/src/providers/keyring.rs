//! Secrets in the keyring of the desktop: the one file that knows crates for keyrings.

use std::{fmt, io, sync::Arc, thread, time::Duration};

use async_trait::async_trait;
use keyring_core::{CredentialStore, Entry, Error as KeyringError};
use tokio::sync::{Semaphore, oneshot};

use crate::{Error, ErrorKind, Secret, SecretName, SecretProvider, SecretStore, SystemTimer, Timer, text};

/// The largest secret, in bytes.
const LARGEST: usize = 64 * 1024;

/// How many threads may wait for the keyring at the same time.
const AT_ONCE: usize = 4;

/// Secrets in the keyring of the user: the Secret Service of a Linux desktop (GNOME, KDE, `KeePassXC`), the keychain of
/// macOS, the credentials of Windows.
///
/// A name is a service and a user: `claude/prod` is what `secret-tool store --label=Claude service claude username prod`
/// has stored. Everything up to the first `/` is the service.
///
/// - Values are read by the rules of [`providers::File`](crate::providers::File) for what is in a file, and one that would
///   not be read as it is, is not stored.
/// - A keyring that is locked may ask the person to unlock it. Where nobody does in time (30 s), that is
///   [`ErrorKind::Unavailable`]; where nobody can be asked, [`ErrorKind::Locked`].
/// - Two entries of one name are [`ErrorKind::Ambiguous`]: none of them is taken.
/// - It counts no versions and has no leases: [`put_if`](SecretStore::put_if) is [`ErrorKind::Unsupported`], and of two who
///   write at once the later one wins.
///
/// Keyrings answer on their own time and have no other interface than one that waits. So each call has a connection and a
/// thread of its own, of which there are four at the most: a keyring that hangs keeps those, and whoever comes later is
/// told in time, too. On Linux the environment of this process says which session it is (`DBUS_SESSION_BUS_ADDRESS`).
#[derive(Clone)]
pub struct Keyring {
    open: Arc<Open>,
    threads: Arc<Semaphore>,
    timeout: Duration,
    timer: Arc<dyn Timer>,
}

type Open = dyn Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync;

impl Keyring {
    /// The keyring of this user. Nobody is asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::over(native)
    }

    fn over(open: impl Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync + 'static) -> Self {
        Self {
            open: Arc::new(open),
            threads: Arc::new(Semaphore::new(AT_ONCE)),
            timeout: Duration::from_secs(30),
            timer: Arc::new(SystemTimer),
        }
    }

    /// Waits this long for an answer; 30 s by default, in which a person can type a password.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Takes the time from `timer`.
    #[must_use]
    pub fn timer(self, timer: impl Timer) -> Self {
        Self { timer: Arc::new(timer), ..self }
    }

    /// Asks the keyring something about an entry; `None` where there is no such entry.
    async fn ask<T: Send + 'static>(
        &self,
        name: &SecretName,
        question: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        if !name.as_str().contains('/') {
            return Err(Error::new(ErrorKind::InvalidName, format!("{} without a user", place(name))));
        }
        let late = format!("there was no answer within {} s", self.timeout.as_secs());
        tokio::select! {
            answer = self.answer(name.clone(), question) => match answer {
                Ok(found) => Ok(Some(found)),
                Err(Problem::Keyring(KeyringError::NoEntry)) => Ok(None),
                Err(Problem::Keyring(error)) => Err(refused(name, &error)),
                Err(Problem::Thread(error)) => Err(unavailable(name, error)),
            },
            () = self.timer.sleep(self.timeout) => Err(unavailable(name, io::Error::other(late))),
        }
    }

    async fn answer<T: Send + 'static>(
        &self,
        name: SecretName,
        question: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.threads).acquire_owned().await.map_err(io::Error::other)?;
        let (sender, answer) = oneshot::channel();
        let open = Arc::clone(&self.open);
        let asking = move || {
            let (service, user) = name.as_str().split_once('/').unwrap_or_default();
            let answer = open().and_then(|store| question(&store.build(service, user, None)?));
            // Nobody may wait for it any more.
            drop(sender.send(answer));
            drop(turn);
        };
        thread::Builder::new().name("keyring".to_owned()).spawn(asking)?;
        Ok(answer.await.map_err(|_| io::Error::other("the keyring's library failed"))??)
    }
}

#[async_trait]
impl SecretProvider for Keyring {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        let Some(value) = self.ask(&name, Entry::get_secret).await? else { return Ok(None) };
        read(value).map(Some).map_err(|kind| Error::new(kind, place(&name)))
    }
}

#[async_trait]
impl SecretStore for Keyring {
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        let wrong = |kind| Error::new(kind, format!("what is to be {}", place(&name)));
        if read(secret.expose().into()).map_err(wrong)?.was_trimmed() {
            return Err(wrong(ErrorKind::Newline));
        }
        self.ask(&name, move |entry| entry.set_secret(secret.expose().as_bytes())).await.map(drop)
    }

    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        self.ask(&name, Entry::delete_credential).await.map(drop)
    }
}

impl Default for Keyring {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Why there is no answer.
enum Problem {
    Keyring(KeyringError),
    Thread(io::Error),
}

impl From<KeyringError> for Problem {
    fn from(error: KeyringError) -> Self {
        Self::Keyring(error)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Thread(error)
    }
}

/// A connection to the keyring of this system. One that is kept would not outlive the keyring's daemon.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn native() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(dbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn native() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn native() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(
    all(unix, not(target_vendor = "apple"), not(target_os = "android")),
    target_os = "macos",
    windows
)))]
fn native() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(KeyringError::NotSupportedByStore("this system has no keyring that is known".to_owned()))
}

fn read(value: Vec<u8>) -> Result<Secret, ErrorKind> {
    let too_large = value.len() > LARGEST;
    // Read all the same, so that it is wiped.
    let secret = text::parse(value);
    if too_large { Err(ErrorKind::TooLarge) } else { secret?.ok_or(ErrorKind::Empty) }
}

fn place(name: &SecretName) -> String {
    format!("the keyring entry {name}")
}

fn unavailable(name: &SecretName, why: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, place(name)).with_source(why)
}

/// The error of a keyring in our words. Some of its errors hold the value: of those nothing is kept.
fn refused(name: &SecretName, error: &KeyringError) -> Error {
    let (kind, source) = match error {
        KeyringError::NoStorageAccess(why) => (ErrorKind::Locked, Some(why)),
        KeyringError::PlatformFailure(why) if why.to_string().contains("AccessDenied") => {
            (ErrorKind::Denied, Some(why))
        }
        KeyringError::PlatformFailure(why) => (ErrorKind::Unavailable, Some(why)),
        KeyringError::Ambiguous(_) => (ErrorKind::Ambiguous, None),
        KeyringError::BadEncoding(_) | KeyringError::BadDataFormat(..) => (ErrorKind::NotText, None),
        KeyringError::TooLong(..) => (ErrorKind::TooLarge, None),
        KeyringError::Invalid(..) => (ErrorKind::InvalidName, None),
        KeyringError::NotSupportedByStore(_) => (ErrorKind::Unsupported, None),
        _ => (ErrorKind::Unreadable, None),
    };
    let refused = Error::new(kind, place(name));
    match source {
        Some(why) => refused.with_source(io::Error::other(why.to_string())),
        None => refused,
    }
}

#[cfg(test)]
#[cfg(feature = "test-util")]
mod tests;
