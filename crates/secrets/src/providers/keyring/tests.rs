use std::{any::Any, collections::HashMap, error::Error as _, sync::Mutex};

use keyring_core::api::{Credential, CredentialApi, CredentialStoreApi};

use super::*;
use crate::{
    providers::{Chain, Memory},
    test_util::{ManualTimer, contract, store_contract},
};

/// A keyring that says one thing, or keeps what it is given.
#[derive(Debug, Clone)]
struct Fake {
    says: Option<fn() -> KeyringError>,
    kept: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    key: String,
}

impl Fake {
    fn new() -> Self {
        Self { says: None, kept: Arc::default(), key: String::new() }
    }

    fn saying(says: fn() -> KeyringError) -> Self {
        Self { says: Some(says), ..Self::new() }
    }

    fn holding(value: &[u8]) -> Self {
        let this = Self::new();
        this.kept.lock().unwrap().insert("claude prod".to_owned(), value.to_vec());
        this
    }

    fn keyring(&self) -> Keyring {
        let this = self.clone();
        Keyring::over(move || Ok(Arc::new(this.clone()))).timer(ManualTimer::new())
    }

    fn check(&self) -> keyring_core::Result<()> {
        self.says.map_or(Ok(()), |says| Err(says()))
    }
}

impl CredentialStoreApi for Fake {
    fn vendor(&self) -> String {
        "a test".to_owned()
    }

    fn id(&self) -> String {
        "fake".to_owned()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        _: Option<&HashMap<&str, &str>>,
    ) -> keyring_core::Result<Entry> {
        Ok(Entry::new_with_credential(Arc::new(Self { key: format!("{service} {user}"), ..self.clone() })))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl CredentialApi for Fake {
    fn set_secret(&self, secret: &[u8]) -> keyring_core::Result<()> {
        self.check()?;
        self.kept.lock().unwrap().insert(self.key.clone(), secret.to_vec());
        Ok(())
    }

    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        self.check()?;
        self.kept.lock().unwrap().get(&self.key).cloned().ok_or(KeyringError::NoEntry)
    }

    fn delete_credential(&self) -> keyring_core::Result<()> {
        self.check()?;
        self.kept.lock().unwrap().remove(&self.key).map(drop).ok_or(KeyringError::NoEntry)
    }

    fn get_credential(&self) -> keyring_core::Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

fn fallback() -> Memory {
    Memory::new().with(name("claude/prod"), "a weaker secret".to_owned())
}

#[tokio::test]
async fn a_keyring_keeps_the_contracts() {
    contract(Fake::holding(b"canary-1").keyring(), name("claude/prod"), "canary-1", name("claude/test"))
        .await;
    store_contract(Fake::new().keyring(), name("claude/prod")).await;
}

#[tokio::test]
async fn everything_up_to_the_first_slash_is_the_service() {
    let fake = Fake::new();
    fake.keyring().put(name("claude/prod/key"), "canary".to_owned().into()).await.unwrap();
    assert_eq!(fake.kept.lock().unwrap().keys().collect::<Vec<_>>(), ["claude prod/key"]);
    let error = fake.keyring().get(name("claude")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
}

#[tokio::test]
async fn each_way_to_fail_is_an_error_without_the_value_that_ends_a_chain() {
    type Case = (fn() -> KeyringError, ErrorKind);
    let cases: [Case; 9] = [
        (|| KeyringError::NoStorageAccess("object locked".into()), ErrorKind::Locked),
        (|| KeyringError::PlatformFailure("no D-Bus".into()), ErrorKind::Unavailable),
        (
            || KeyringError::PlatformFailure("org.freedesktop.DBus.Error.AccessDenied".into()),
            ErrorKind::Denied,
        ),
        (|| KeyringError::Ambiguous(Vec::new()), ErrorKind::Ambiguous),
        (|| KeyringError::BadEncoding(b"canary".to_vec()), ErrorKind::NotText),
        (|| KeyringError::BadDataFormat(b"canary".to_vec(), "canary".into()), ErrorKind::NotText),
        (|| KeyringError::TooLong("password".to_owned(), 2560), ErrorKind::TooLarge),
        (|| KeyringError::NotSupportedByStore("nothing".to_owned()), ErrorKind::Unsupported),
        (|| KeyringError::BadStoreFormat("canary".to_owned()), ErrorKind::Unreadable),
    ];
    for (says, kind) in cases {
        let keyring = Fake::saying(says).keyring();
        let chain = Chain::new().with(keyring.clone()).with(fallback());
        let error = chain.get(name("claude/prod")).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        let write = keyring.put(name("claude/prod"), "canary".to_owned().into()).await.unwrap_err();
        let delete = keyring.delete(name("claude/prod")).await.unwrap_err();
        assert_eq!((write.kind(), delete.kind()), (kind, kind));
    }
    let chain = Chain::new().with(Fake::new().keyring()).with(fallback());
    let found = chain.get(name("claude/prod")).await.unwrap().unwrap();
    assert_eq!(
        found.expose(),
        "a weaker secret",
        "a keyring that has no such entry lets the next one be asked"
    );
}

#[tokio::test]
async fn what_is_kept_is_read_by_the_rules_of_all_sources_and_nothing_else_is_stored() {
    let trimmed = Fake::holding(b"canary\n").keyring().get(name("claude/prod")).await.unwrap().unwrap();
    assert_eq!((trimmed.expose(), trimmed.was_trimmed()), ("canary", true));
    let large = vec![b'x'; LARGEST + 1];
    for (value, kind) in [
        (&b""[..], ErrorKind::Empty),
        (b"canary\ncanary", ErrorKind::Newline),
        (b"canary\0", ErrorKind::ControlCharacter),
        (b"canary\xff", ErrorKind::NotText),
        (&large, ErrorKind::TooLarge),
    ] {
        let error = Fake::holding(value).keyring().get(name("claude/prod")).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        let Ok(text) = String::from_utf8(value.to_vec()) else { continue };
        let fake = Fake::new();
        let error = fake.keyring().put(name("claude/prod"), text.into()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(fake.kept.lock().unwrap().is_empty());
    }
    let keyring = Fake::new().keyring();
    let would_be_trimmed = keyring.put(name("claude/prod"), "canary\n".to_owned().into()).await;
    assert_eq!(would_be_trimmed.unwrap_err().kind(), ErrorKind::Newline);
}

#[tokio::test]
async fn a_keyring_that_hangs_ends_in_time_and_takes_no_more_than_its_threads() {
    let (opened, hanging) = std::sync::mpsc::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let timer = Arc::new(ManualTimer::new());
    let keyring = Keyring::over(move || {
        opened.send(()).unwrap();
        wait.lock().unwrap().recv().ok();
        Ok(Arc::new(Fake::holding(b"canary")))
    })
    .timeout(Duration::from_secs(5))
    .timer(Arc::clone(&timer));
    for _ in 0..AT_ONCE {
        let asked = tokio::spawn({
            let keyring = keyring.clone();
            async move { keyring.get(name("claude/prod")).await }
        });
        while hanging.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        timer.advance(Duration::from_secs(5));
        let error = asked.await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
        assert_eq!(error.source().unwrap().to_string(), "there was no answer within 5 s");
    }
    let late = tokio::spawn({
        let keyring = keyring.clone();
        async move { keyring.get(name("claude/prod")).await }
    });
    while !late.is_finished() {
        timer.advance(Duration::from_secs(5));
        tokio::task::yield_now().await;
    }
    assert_eq!(late.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(hanging.try_recv().is_err(), "no more threads than allowed were started");

    drop(go_on); // it answers again
    assert_eq!(keyring.get(name("claude/prod")).await.unwrap().unwrap().expose(), "canary");
}

#[tokio::test]
async fn a_library_that_panics_is_an_error() {
    let keyring = Keyring::over(|| panic!("on purpose")).timer(ManualTimer::new());
    let error = keyring.get(name("claude/prod")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
