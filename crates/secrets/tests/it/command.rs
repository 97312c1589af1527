use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use secrets::{
    ChildEnvironment, Error, ErrorKind, Secret, SecretProvider,
    providers::Command,
    test_util::{ManualTimer, contract},
};
use tempfile::TempDir;

use crate::name;

fn environment() -> ChildEnvironment {
    ChildEnvironment::of(Arc::new(|variable| match variable {
        "PATH" => Some("/usr/bin:/bin".into()),
        "LANG" => Some("C".into()),
        "ANTHROPIC_API_KEY" | "LD_PRELOAD" | "VAULT_TOKEN" => Some("canary".into()),
        _ => None,
    }))
}

fn script(text: &str) -> (TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("helper");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let command = command(&path);
    (folder, command)
}

fn command(path: &Path) -> Command {
    Command::parse(&format!("'{}'", path.display()), environment()).unwrap().timer(ManualTimer::new())
}

async fn printed(text: &str) -> Result<Option<Secret>, Error> {
    let (_folder, command) = script(text);
    command.get(name("any")).await
}

#[tokio::test]
async fn what_a_program_prints_is_the_secret() {
    for text in ["echo canary-1", "printf canary-1", "echo noise >&2; printf 'canary-1\\r\\n'"] {
        assert_eq!(printed(text).await.unwrap().unwrap().expose(), "canary-1", "{text}");
    }
}

#[tokio::test]
async fn what_is_no_secret_is_a_typed_error_that_repeats_nothing() {
    for (text, kind) in [
        ("echo canary; echo canary >&2; exit 3", ErrorKind::Failed),
        ("kill -9 $$", ErrorKind::Failed),
        ("true", ErrorKind::Empty),
        ("echo", ErrorKind::Empty),
        ("echo canary; echo canary", ErrorKind::Newline),
        ("printf 'canary\\tx'", ErrorKind::ControlCharacter),
        ("printf 'canary\\377'", ErrorKind::NotText),
        ("head -c 70000 /dev/zero", ErrorKind::TooLarge),
        ("cat /dev/zero", ErrorKind::TooLarge),
    ] {
        let error = printed(text).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{text}");
        assert!(error.place().ends_with("/helper"), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{text}");
    }
    let missing = command(Path::new("/nowhere/helper")).get(name("any")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Unreadable);
}

#[tokio::test]
async fn a_program_sees_few_variables_and_no_input() {
    let seen = printed("env | sort | tr '\\n' ' '; cat").await.unwrap().unwrap();
    assert!(seen.expose().contains("LANG=C ") && seen.expose().contains("PATH=/usr/bin:/bin "));
    assert!(!seen.expose().contains("canary"));
}

#[tokio::test]
async fn no_shell_reads_the_words() {
    let command = Command::parse("echo $HOME `id` ; 'a b' > c", environment()).unwrap();
    let secret = command.get(name("any")).await.unwrap().unwrap();
    assert_eq!(secret.expose(), "$HOME `id` ; a b > c");
    assert_eq!(Command::parse("echo 'a", environment()).unwrap_err().kind(), ErrorKind::InvalidReference);
    assert_eq!(Command::parse(" '' a", environment()).unwrap_err().kind(), ErrorKind::InvalidReference);
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let (_script, command) =
        script(&format!("sleep 600 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", pids.display()));
    let timer = Arc::new(ManualTimer::new());
    let command = command.timeout(Duration::from_secs(5)).timer(Arc::clone(&timer));
    let outcome = tokio::spawn(async move { command.get(name("any")).await });
    while !pids.exists() {
        tokio::task::yield_now().await;
    }
    timer.advance(Duration::from_secs(5));
    let error = outcome.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("longer than 5 s"), "{source}");
    for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
        let gone = || match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
            Err(_) => true,
        };
        while !gone() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn commands_keep_what_the_contract_says_of_what_is_there() {
    let (_folder, command) = script("echo canary-1");
    assert!(!format!("{command:?}").contains("canary"));
    // It knows no names, so that a name that is absent is asked of another link.
    let named = Named(command);
    contract(named, name("key"), "canary-1", name("other")).await;
}

#[derive(Debug)]
struct Named(Command);

#[async_trait::async_trait]
impl SecretProvider for Named {
    async fn get(&self, asked: secrets::SecretName) -> Result<Option<Secret>, Error> {
        if asked.as_str() == "key" { self.0.get(asked).await } else { Ok(None) }
    }
}
