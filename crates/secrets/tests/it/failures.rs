//! The table of `docs/secrets.md`, for the sources that need no server: what a missing, empty, denied, broken or slow one gives,
//! and that only what is not there lets a weaker source answer.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use secrets::{
    ChildEnvironment,
    ErrorKind::{self, *},
    Lookup, SecretProvider,
    providers::{Chain, Command, Env, File, Memory},
    test_util::ManualTimer,
};

use crate::name;

/// `None` is that nothing is there.
type Gives = Option<ErrorKind>;

fn file(folder: &Path, state: &str, content: &[u8], mode: u32) -> Arc<dyn SecretProvider> {
    let path = folder.join(state);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    Arc::new(File::at(path))
}

fn command(timer: &Arc<ManualTimer>, script: &str) -> Arc<dyn SecretProvider> {
    let path: Lookup = Arc::new(|name| (name == "PATH").then(|| "/usr/bin:/bin".into()));
    Arc::new(
        Command::parse(&format!("sh -c '{script}'"), ChildEnvironment::of(path))
            .unwrap()
            .timer(Arc::clone(timer)),
    )
}

fn variable(value: &'static str) -> Arc<dyn SecretProvider> {
    Arc::new(Env::new(Arc::new(move |_| Some(value.into()))))
}

/// A private file in a folder that is everybody's.
fn shared(folder: &Path) -> Arc<dyn SecretProvider> {
    let below = folder.join("shared");
    fs::create_dir(&below).unwrap();
    let provider = file(&below, "key", b"canary", 0o600);
    fs::set_permissions(&below, fs::Permissions::from_mode(0o777)).unwrap();
    provider
}

fn dangling(folder: &Path) -> Arc<dyn SecretProvider> {
    let path = folder.join("dangling");
    std::os::unix::fs::symlink("..data/key", &path).unwrap();
    Arc::new(File::at(path).mounted())
}

#[tokio::test]
async fn only_what_is_not_there_lets_a_weaker_source_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, timer) = (folder.path(), Arc::new(ManualTimer::new()));
    let table: Vec<(&str, Arc<dyn SecretProvider>, Gives)> = vec![
        ("a variable that is not set", Arc::new(Env::new(Arc::new(|_| None))), None),
        ("an empty variable", variable(""), None),
        ("a variable with a line end inside", variable("canary\ncanary"), Some(Newline)),
        ("a variable with a tab", variable("canary\t"), Some(ControlCharacter)),
        ("a file that is not there", Arc::new(File::at(folder.join("none"))), None),
        ("an empty file", file(folder, "empty", b"\n", 0o600), Some(Empty)),
        ("a file open to others", file(folder, "open", b"canary", 0o644), Some(OpenToOthers)),
        ("a file of two lines", file(folder, "lines", b"canary\ncanary", 0o600), Some(Newline)),
        ("a file of bytes", file(folder, "bytes", b"canary\xff", 0o600), Some(NotText)),
        ("a large file", file(folder, "large", &[b'x'; 70_000], 0o600), Some(TooLarge)),
        ("a folder", Arc::new(File::at(folder)), Some(NotARegularFile)),
        ("a file that others can replace", shared(folder), Some(OpenFolder)),
        ("a mount that is not there", Arc::new(File::at(folder.join("none")).mounted()), None),
        ("a mount whose link leads nowhere", dangling(folder), Some(Unavailable)),
        ("a program that prints nothing", command(&timer, "exit 0"), Some(Empty)),
        ("a program that fails", command(&timer, "echo canary; exit 1"), Some(Failed)),
        ("a program that prints two lines", command(&timer, "echo canary; echo canary"), Some(Newline)),
        ("a slow program", command(&timer, "exec sleep 600"), Some(Unavailable)),
        ("a memory without it", Arc::new(Memory::new()), None),
    ];
    for (what, source, gives) in table {
        let chain = Chain::new().with(source).with(Memory::new().with(name("KEY"), "weaker".to_owned()));
        let asked = tokio::spawn(async move { chain.get(name("KEY")).await });
        while !asked.is_finished() {
            if what.starts_with("a slow") {
                timer.advance(Duration::from_secs(31));
            }
            tokio::task::yield_now().await;
        }
        let answer = asked.await.unwrap();
        assert!(!format!("{answer:?}").contains("canary"), "{what}");
        match gives {
            None => assert_eq!(answer.unwrap().unwrap().expose(), "weaker", "{what}"),
            Some(kind) => assert_eq!(answer.unwrap_err().kind(), kind, "{what}"),
        }
    }
}
