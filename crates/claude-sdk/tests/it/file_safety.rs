//! Every state in which a profile's file can be found: what is read, what is refused, and that nothing refused is changed,
//! waited for, or shown.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::Command,
};

use claude_sdk::{
    StoreError,
    auth_core::Snapshot,
    secrets::ErrorKind,
    token_store::{FileTokenStore, TokenStore},
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::rig::told;

const SESSION: &str = r#"{"version":"1.0","type":"oauth_token","access_token":"canary","new":{"x":[1.5]}}"#;

/// What a store says of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    /// It is a session, and another can be saved.
    Session,
    /// There is none yet, and one can be saved.
    Nothing,
    /// It is not touched, and the error says what is wrong with it.
    Refused(ErrorKind),
    Corrupt,
    Newer,
}

type MakeFile = fn(&Place);
/// Given the path of the lock, and one elsewhere.
type MakeLock = fn(&Path, &Path);

/// A place for a file in some state.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.folder()).unwrap();
        set_mode(&place.folder(), 0o700);
        place
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("credentials")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("work.json")
    }

    fn store(&self) -> FileTokenStore {
        FileTokenStore::new(self.0.path(), "work").unwrap()
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        fs::write(self.file(), content).unwrap();
        set_mode(&self.file(), 0o600);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn renewed() -> Snapshot {
    Snapshot {
        access_token: "renewed".into(),
        refresh_token: None,
        expires_at: None,
        scopes: None,
        generation: 2,
        extra: serde_json::Map::new(),
    }
}

/// The store says of this file, when it loads and when it saves, what it should, and what is refused stays as it is.
async fn judged(what: &str, place: &Place, says: Says) {
    let store = place.store();
    // A pipe would be waited for here, though not by the store.
    let is_file = || fs::metadata(place.file()).is_ok_and(|metadata| metadata.is_file());
    let content = || is_file().then(|| fs::read(place.file()).unwrap());
    let before = content();
    let loaded = store.load().await;
    let saved = store.save(renewed()).await;
    match says {
        Says::Session => {
            assert_eq!(loaded.unwrap().unwrap().access_token.expose_secret(), "canary", "{what}");
            let value: Value = serde_json::from_slice(&fs::read(place.file()).unwrap()).unwrap();
            assert_eq!(value["access_token"], "renewed", "{what}: {saved:?}");
            assert_eq!(value["new"], serde_json::json!({"x": [1.5]}), "{what}: what others put there stays");
            assert_eq!(mode(&place.file()), 0o600, "{what}");
            return;
        }
        Says::Nothing => {
            assert!(loaded.unwrap().is_none() && saved.is_ok(), "{what}");
            assert_eq!(mode(&place.file()), 0o600, "{what}");
            return;
        }
        Says::Refused(_) | Says::Corrupt | Says::Newer => {}
    }
    for error in [loaded.unwrap_err(), saved.unwrap_err()] {
        let shown = format!("{} {error:?}", told(&error));
        assert!(!shown.contains("canary") && shown.contains("credentials"), "{what}: {shown}");
        match (&error, says) {
            (StoreError::Unsafe(error), Says::Refused(kind)) => assert_eq!(error.kind(), kind, "{what}"),
            (StoreError::Corrupt { .. }, Says::Corrupt) | (StoreError::NewerVersion { .. }, Says::Newer) => {}
            _ => panic!("{what}: {error:?}"),
        }
    }
    assert_eq!(content(), before, "{what}: changed");
    let left = fs::read_dir(place.folder()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "tmp")
    });
    assert_eq!(left.count(), 0, "{what}: something lies about");
}

const MODES: [(u32, Says); 12] = [
    (0o600, Says::Session),
    (0o400, Says::Session),
    (0o700, Says::Session),
    (0o640, Says::Refused(ErrorKind::OpenToOthers)),
    (0o620, Says::Refused(ErrorKind::OpenToOthers)),
    (0o610, Says::Refused(ErrorKind::OpenToOthers)),
    (0o604, Says::Refused(ErrorKind::OpenToOthers)),
    (0o602, Says::Refused(ErrorKind::OpenToOthers)),
    (0o601, Says::Refused(ErrorKind::OpenToOthers)),
    (0o644, Says::Refused(ErrorKind::OpenToOthers)),
    (0o666, Says::Refused(ErrorKind::OpenToOthers)),
    (0o777, Says::Refused(ErrorKind::OpenToOthers)),
];

const FOLDERS: [(u32, Says); 6] = [
    (0o700, Says::Session),
    (0o755, Says::Session),
    (0o1777, Says::Session),
    (0o770, Says::Refused(ErrorKind::OpenFolder)),
    (0o702, Says::Refused(ErrorKind::OpenFolder)),
    (0o777, Says::Refused(ErrorKind::OpenFolder)),
];

const NOT_A_FILE: Says = Says::Refused(ErrorKind::NotARegularFile);

const KINDS: [(&str, Says, MakeFile); 9] = [
    ("nothing", Says::Nothing, |_| {}),
    ("no folder", Says::Nothing, |place| fs::remove_dir(place.folder()).unwrap()),
    ("a link", NOT_A_FILE, |place| {
        fs::write(place.folder().join("elsewhere"), SESSION).unwrap();
        set_mode(&place.folder().join("elsewhere"), 0o600);
        symlink("elsewhere", place.file()).unwrap();
    }),
    ("a link to nowhere", NOT_A_FILE, |place| symlink("nowhere", place.file()).unwrap()),
    ("a second name", Says::Refused(ErrorKind::Linked), |place| {
        place.write(SESSION);
        fs::hard_link(place.file(), place.folder().join("another")).unwrap();
    }),
    ("a pipe", NOT_A_FILE, |place| {
        assert!(Command::new("mkfifo").arg("-m600").arg(place.file()).status().unwrap().success());
    }),
    ("a socket", NOT_A_FILE, |place| drop(UnixListener::bind(place.file()).unwrap())),
    ("a folder", NOT_A_FILE, |place| fs::create_dir(place.file()).unwrap()),
    ("a folder of links", Says::Session, |place| {
        let real = place.0.path().join("real");
        fs::rename(place.folder(), &real).unwrap();
        symlink(&real, place.folder()).unwrap();
        place.write(SESSION);
    }),
];

/// G48: modes, links and kinds.
#[tokio::test]
async fn a_file_is_used_only_in_a_state_in_which_it_is_its_owners_alone() {
    for (mode, says) in MODES {
        let place = Place::new();
        place.write(SESSION);
        set_mode(&place.file(), mode);
        judged(&format!("mode {mode:o}"), &place, says).await;
    }
    for (mode, says) in FOLDERS {
        let place = Place::new();
        place.write(SESSION);
        set_mode(&place.folder(), mode);
        judged(&format!("folder {mode:o}"), &place, says).await;
    }
    for (what, says, make) in KINDS {
        let place = Place::new();
        make(&place);
        judged(what, &place, says).await;
    }
}

/// How many contents there are below.
const CONTENTS: usize = 16;
const _: () = assert!(MODES.len() + FOLDERS.len() + KINDS.len() + CONTENTS >= 40, "G48 asks for 40 states");

/// G48 and F48: contents.
#[tokio::test]
async fn a_content_that_is_no_session_of_this_version_is_named_and_kept() {
    let bom = format!("\u{feff}{}", SESSION.replace(',', ",\r\n"));
    let in_the_middle = &SESSION[..40];
    let large = format!("{}{SESSION}", " ".repeat(1024 * 1024 - SESSION.len()));
    let too_large = format!(" {large}");
    let contents: [(&str, &[u8], Says); CONTENTS] = [
        ("a mark and carriage returns", bom.as_bytes(), Says::Session),
        ("exactly 1 MiB", large.as_bytes(), Says::Session),
        ("one byte more", too_large.as_bytes(), Says::Refused(ErrorKind::TooLarge)),
        ("no type", br#"{"access_token":"canary","new":{"x":[1.5]}}"#, Says::Session),
        ("empty", b"", Says::Corrupt),
        ("cut", in_the_middle.as_bytes(), Says::Corrupt),
        ("zeros", &[0; 100], Says::Corrupt),
        ("binary", b"\xff\xfecanary\x00", Says::Corrupt),
        ("a list", br#"["canary"]"#, Says::Corrupt),
        ("two documents", br#"{"access_token":"canary"}{}"#, Says::Corrupt),
        ("another type", br#"{"type":"api_key","access_token":"canary"}"#, Says::Corrupt),
        ("a type that is no text", br#"{"type":7,"access_token":"canary"}"#, Says::Corrupt),
        ("no access token", br#"{"refresh_token":"canary"}"#, Says::Corrupt),
        ("a later version", br#"{"version":"2.0","access_token":"canary"}"#, Says::Newer),
        ("a much later version", br#"{"version":"17.3","session":{"token":"canary"}}"#, Says::Newer),
        ("a version that is none", br#"{"version":"canary","access_token":"canary"}"#, Says::Corrupt),
    ];
    for (what, content, says) in contents {
        let place = Place::new();
        place.write(content);
        if what == "no access token" {
            // There is nothing that could be lost, and a login has to go somewhere.
            assert!(matches!(place.store().load().await, Err(StoreError::Corrupt { .. })));
            continue;
        }
        judged(what, &place, says).await;
    }
}

/// G48: names that could be another place, or another name.
#[test]
fn a_profile_cannot_be_named_like_another_place() {
    let long = "x".repeat(300);
    for name in [
        "",
        ".",
        "..",
        ".hidden",
        "../x",
        "../../etc/passwd",
        "a/b",
        "/etc/passwd",
        "a\\b",
        "a\0b",
        "a\nb",
        "a b",
        "C:x",
        "~",
        "$HOME",
        "a*",
        "\u{2215}x",
        "a\u{2044}b",
        "\u{ff0f}x",
        "..\u{200b}",
        "\u{202e}x",
        "\u{e4}",
        &long,
    ] {
        assert!(matches!(FileTokenStore::new("/config", name), Err(StoreError::ProfileName)), "{name:?}");
    }
}

/// The lock is a file like the other.
#[tokio::test]
async fn a_lock_that_is_no_file_of_the_owners_alone_is_not_taken() {
    let elsewhere = |place: &Place| place.0.path().join("elsewhere");
    let kinds: [(&str, ErrorKind, MakeLock); 6] = [
        ("a link", ErrorKind::NotARegularFile, |lock, elsewhere| symlink(elsewhere, lock).unwrap()),
        ("a folder", ErrorKind::NotARegularFile, |lock, _| fs::create_dir(lock).unwrap()),
        ("a pipe", ErrorKind::NotARegularFile, |lock, _| {
            assert!(Command::new("mkfifo").arg("-m600").arg(lock).status().unwrap().success());
        }),
        ("open to others", ErrorKind::OpenToOthers, |lock, _| {
            fs::write(lock, "").unwrap();
            set_mode(lock, 0o644);
        }),
        ("a second name", ErrorKind::Linked, |lock, elsewhere| {
            fs::write(elsewhere, "").unwrap();
            set_mode(elsewhere, 0o600);
            fs::hard_link(elsewhere, lock).unwrap();
        }),
        ("a folder that others can write to", ErrorKind::OpenFolder, |lock, _| {
            set_mode(lock.parent().unwrap(), 0o770);
        }),
    ];
    for (what, kind, make) in kinds {
        let place = Place::new();
        place.write(SESSION);
        make(&place.folder().join("work.lock"), &elsewhere(&place));
        let error = place.store().lock().await.unwrap_err();
        let StoreError::Unsafe(reason) = &error else { panic!("{what}: {error:?}") };
        assert_eq!(reason.kind(), kind, "{what}");
        assert!(what != "a link" || !elsewhere(&place).exists(), "nothing is made through a link");
    }
}

/// A lock whose file somebody removed and made anew protects nothing: the new one is waited for.
#[tokio::test]
async fn a_lock_is_one_on_the_file_that_is_there() {
    let place = Place::new();
    let held = place.store().lock().await.unwrap();
    let lock = place.folder().join("work.lock");
    assert_eq!(
        fs::read_to_string(&lock).unwrap(),
        std::process::id().to_string(),
        "for whoever waits too long"
    );
    fs::remove_file(&lock).unwrap();
    let anew = place.store().lock().await.unwrap();
    drop(held);
    let waits = crate::rig::Waits::default();
    let error = place.store().clock(waits).lock().await.unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*holder, Some(std::process::id()));
    assert!(error.to_string().contains(&format!("another process ({})", std::process::id())), "{error}");
    drop(anew);
}

/// What a crash leaves: the files of a renewal under way go with the next one, other people's when they are old.
#[tokio::test]
async fn what_a_dead_process_left_is_cleared_under_the_lock() {
    let place = Place::new();
    let store = place.store();
    let session = Snapshot { refresh_token: Some("refresh".into()), ..renewed() };
    store.save(session.clone()).await.unwrap();
    let file = |number| format!(".work.{}-{number}.tmp", std::process::id());
    for name in [".work.1-0.tmp", &file(0), ".home.1-0.tmp", "fresh.tmp", "old.tmp", "old.json", "old.tmp.d"]
    {
        fs::write(place.folder().join(name), "canary").unwrap();
    }
    for name in ["old.tmp", "old.json", "old.tmp.d"] {
        let file = fs::File::options().write(true).open(place.folder().join(name)).unwrap();
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - std::time::Duration::from_secs(601)).unwrap();
    }
    let left = || {
        let mut left: Vec<_> = fs::read_dir(place.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        left
    };

    let deadline = std::time::SystemTime::UNIX_EPOCH;
    let first = store.prepare(session.clone(), deadline).await.unwrap();
    assert_eq!(first, claude_sdk::token_store::Sending::First);
    let others = [".home.1-0.tmp", "fresh.tmp", "old.json", "old.tmp.d"];
    let with = |more: &[&str]| {
        let mut all: Vec<_> = others.iter().chain(more).map(|name| (*name).to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(left(), with(&[&file(1), "work.intent", "work.json"]));
    let room = place.folder().join(file(1));
    assert!(fs::metadata(&room).unwrap().len() > 16 * 1024, "the room is taken");
    assert_eq!(mode(&room), 0o600);
    assert_eq!(mode(&place.folder().join("work.intent")), 0o600);
    let note = fs::read_to_string(place.folder().join("work.intent")).unwrap();
    assert!(!note.contains("\"refresh\"") && note.contains("sha256"), "{note}");

    // A process that dies here leaves the note; the next one finds it, and knows. What is not dead keeps its room.
    let second = place.store();
    let again = second.prepare(session.clone(), deadline).await.unwrap();
    assert!(room.exists());
    assert_eq!(again, claude_sdk::token_store::Sending::Again);
    // For another token it means nothing.
    let other = Snapshot { refresh_token: Some("another".into()), ..renewed() };
    let first = second.prepare(other, deadline).await.unwrap();
    drop(second);
    assert_eq!(first, claude_sdk::token_store::Sending::First);

    store.cancel().await.unwrap();
    assert_eq!(left(), with(&["work.json"]));
    store.prepare(session, deadline).await.unwrap();
    store.save(renewed()).await.unwrap();
    assert_eq!(left(), with(&["work.json"]));
}
