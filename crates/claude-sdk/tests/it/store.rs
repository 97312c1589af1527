//! The file a session is kept in: its rights, its form, its lock.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use claude_sdk::{
    StoreError,
    auth_core::{ScopeSet, Snapshot},
    secrets::ErrorKind,
    token_store::{FileTokenStore, TokenStore},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::{Waits, t0, told};

fn snapshot(word: &str) -> Snapshot {
    Snapshot {
        access_token: format!("access-{word}").into(),
        refresh_token: Some(format!("refresh-{word}").into()),
        expires_at: Some(t0() + Duration::from_secs(3600)),
        scopes: Some(ScopeSet::parse("user:inference")),
        generation: 7,
        extra: serde_json::Map::new(),
    }
}

fn store(folder: &TempDir) -> FileTokenStore {
    FileTokenStore::new(folder.path().join("config"), "work").unwrap()
}

/// A store whose file has this content.
fn with_content(folder: &TempDir, content: impl AsRef<[u8]>) -> FileTokenStore {
    let store = store(folder);
    fs::create_dir_all(store.path().parent().unwrap()).unwrap();
    fs::write(store.path(), content).unwrap();
    close_to_others(store.path());
    store
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(unix)]
fn close_to_others(path: &Path) {
    set_mode(path, 0o600);
}

#[cfg(not(unix))]
fn close_to_others(_: &Path) {}

#[tokio::test]
async fn a_session_comes_back_as_it_was_saved_and_the_newest_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    assert!(store.load().await.unwrap().is_none(), "no file is no session, and no error");
    for word in ["one", "two"] {
        store.save(snapshot(word)).await.unwrap();
        let back = store.load().await.unwrap().unwrap();
        assert_eq!(back.access_token.expose_secret(), format!("access-{word}"));
        assert_eq!(back.refresh_token.unwrap().expose_secret(), format!("refresh-{word}"));
        assert_eq!(back.expires_at, snapshot(word).expires_at);
        assert_eq!(back.scopes, snapshot(word).scopes);
    }
    let left: Vec<PathBuf> =
        fs::read_dir(store.path().parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [store.path()], "nothing lies about");
}

#[cfg(unix)]
#[tokio::test]
async fn file_and_folder_are_the_owners_alone_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let former = rustix::process::umask(rustix::fs::Mode::empty());
    for (word, umask) in [("one", 0o000), ("two", 0o000), ("three", 0o077), ("four", 0o022)] {
        // What lies above is nobody else's: a folder that anybody may change is refused.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let folder = tempfile::tempdir().unwrap();
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
        let store = store(&folder);
        store.save(snapshot(word)).await.unwrap();
        drop(store.lock().await.unwrap());
        store.prepare(snapshot(word), t0()).await.unwrap();
        assert_eq!(mode(&store.path().with_extension("intent")), 0o600);
        assert_eq!(mode(store.path()), 0o600);
        assert_eq!(mode(&store.path().with_extension("lock")), 0o600);
        let credentials = store.path().parent().unwrap();
        assert_eq!((mode(credentials), mode(credentials.parent().unwrap())), (0o700, 0o700));
    }
    rustix::process::umask(former);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_open_to_others_is_neither_read_nor_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_content(&folder, r#"{"access_token":"canary"}"#);
    for mode in [0o640, 0o604, 0o660, 0o666, 0o644] {
        set_mode(store.path(), mode);
        for error in [store.load().await.unwrap_err(), store.save(snapshot("new")).await.unwrap_err()] {
            let StoreError::Unsafe(reason) = &error else { panic!("{mode:o}: {error:?}") };
            assert_eq!(reason.kind(), ErrorKind::OpenToOthers, "{mode:o}");
            assert!(told(&error).contains("chmod 600"), "{error}");
        }
    }
    assert_eq!(fs::read_to_string(store.path()).unwrap(), r#"{"access_token":"canary"}"#);
    set_mode(store.path(), 0o400);
    assert!(store.load().await.unwrap().is_some(), "less than 0600 is enough to read");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_not_a_plain_file_is_refused_without_waiting() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, r#"{"access_token":"canary"}"#).unwrap();
    close_to_others(&elsewhere);
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    symlink(&elsewhere, credentials.join("link.json")).unwrap();
    symlink("nowhere", credentials.join("dangling.json")).unwrap();
    fs::create_dir(credentials.join("folder.json")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg("-m600").arg(credentials.join("pipe.json")).status();
    assert!(pipe.unwrap().success());

    for profile in ["link", "dangling", "folder", "pipe"] {
        let store = FileTokenStore::new(folder.path(), profile).unwrap();
        for error in [store.load().await.unwrap_err(), store.save(snapshot("new")).await.unwrap_err()] {
            let StoreError::Unsafe(reason) = &error else { panic!("{profile}: {error:?}") };
            assert_eq!(reason.kind(), ErrorKind::NotARegularFile, "{profile}");
        }
    }
    assert!(
        fs::read_to_string(&elsewhere).unwrap().contains("canary"),
        "nothing was written through the link"
    );
}

#[tokio::test]
async fn members_of_other_programs_survive() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_content(
        &folder,
        r#"{"version": "1.1", "type": "oauth_token", "access_token": "a", "organization_uuid": "o", "new": {"x": [1.5]}}"#,
    );
    assert_eq!(store.load().await.unwrap().unwrap().access_token.expose_secret(), "a");
    store.save(snapshot("new")).await.unwrap();
    let value: Value = serde_json::from_slice(&fs::read(store.path()).unwrap()).unwrap();
    assert_eq!(
        value,
        json!({
            "version": "1.1", "type": "oauth_token", "access_token": "access-new", "refresh_token": "refresh-new",
            "expires_at": 1_800_003_600, "scope": "user:inference", "organization_uuid": "o", "new": {"x": [1.5]}
        })
    );
}

#[tokio::test]
async fn a_corrupt_file_is_named_without_its_content_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for content in [
        &b""[..],
        b"canary",
        b"{\"access_token\": \"canary",
        b"[\"canary\"]",
        b"{\"access_token\": 7, \"x\": \"canary\"}",
        b"{\"refresh_token\": \"canary\"}",
        b"{\"type\": \"canary\", \"access_token\": \"canary\"}",
        b"{\"access_token\": \"canary\", \"expires_at\": \"canary\"}",
        b"\xff\xfecanary",
    ] {
        let store = with_content(&folder, content);
        let error = store.load().await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        let text = format!("{} {error:?}", told(&error));
        assert!(text.contains("work.json") && text.contains("move it away and log in again"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
    let store = with_content(&folder, "canary");
    assert!(matches!(store.save(snapshot("new")).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(fs::read_to_string(store.path()).unwrap(), "canary", "it may be another version's session");

    let store = with_content(&folder, vec![b' '; 2 << 20]);
    let error = store.load().await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Unsafe(reason) if reason.kind() == ErrorKind::TooLarge),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_lock_has_one_holder_and_whoever_waits_too_long_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let waits = Waits::default();
    let (one, two) = (store(&folder), store(&folder).clock(waits.clone()));

    let held = one.lock().await.unwrap();
    let error = two.lock().await.unwrap_err();
    let StoreError::Locked { path, waited, .. } = &error else { panic!("{error:?}") };
    assert_eq!(path, &one.path().with_extension("lock"));
    assert_eq!(*waited, Duration::from_secs(15));
    assert_eq!(waits.slept().iter().sum::<Duration>(), *waited);
    assert!(claude_sdk::AuthError::from(error.clone()).is_retryable());

    // The lock is not the file: whoever holds it reads and writes.
    one.save(snapshot("one")).await.unwrap();
    drop(held);
    let held = two.lock().await.unwrap();
    let other = FileTokenStore::new(folder.path().join("config"), "home").unwrap();
    drop((other.lock().await.unwrap(), held));
}

#[test]
fn a_profile_is_a_file_name_and_nothing_else() {
    for name in ["default", "work-2", "a.b_c", &"x".repeat(100)] {
        let store = FileTokenStore::new("/config", name).unwrap();
        assert_eq!(store.path(), Path::new("/config/credentials").join(format!("{name}.json")), "{name}");
    }
    let long = "x".repeat(101);
    for name in ["", ".", "..", ".hidden", "a/b", "../x", "a\\b", "a b", "a\0b", "ä", "C:x", &long] {
        assert!(matches!(FileTokenStore::new("/config", name), Err(StoreError::ProfileName)), "{name:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config"), "a file where the folder should be").unwrap();
    let error = store(&folder).save(snapshot("x")).await.unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    assert!(told(&error).contains("config"), "{error}");
}
