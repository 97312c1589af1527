use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use secrets::{
    ChildEnvironment, Error, ErrorKind, Lookup, Reference, Resolver, Secret, SecretName, SecretProvider,
    providers::Memory,
    test_util::{Literal, ManualTimer},
};
use tokio::sync::Barrier;

use crate::name;

fn environment() -> Lookup {
    Arc::new(|variable| match variable {
        "KEY" => Some("from the environment\n".into()),
        "EMPTY" => Some("".into()),
        "BROKEN" => Some("canary\nand more".into()),
        "PATH" => Some("/usr/bin:/bin".into()),
        _ => None,
    })
}

fn resolver() -> Resolver {
    Resolver::new()
        .with_environment(environment())
        .with_files()
        .with_commands(ChildEnvironment::of(environment()), ManualTimer::new())
        .with("drawer", Memory::new().with(name("spare-key"), "under the mat".to_owned()))
        .with("literal", Literal)
}

async fn resolved(text: &str) -> Result<Secret, Error> {
    let resolver = resolver();
    let reference = resolver.reference(text)?;
    resolver.resolve(&reference).await
}

#[cfg(unix)]
#[tokio::test]
async fn each_scheme_is_resolved_by_its_provider() {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "from a file\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for (text, value, trimmed) in [
        ("env:KEY".to_owned(), "from the environment", true),
        (format!("file:{}", path.display()), "from a file", true),
        (format!("mount:{}", path.display()), "from a file", true),
        ("command:printf '%s %s' from 'a command'".to_owned(), "from a command", false),
        ("drawer:spare-key".to_owned(), "under the mat", false),
        ("literal:itself".to_owned(), "itself", false),
    ] {
        let secret = resolved(&text).await.unwrap();
        assert_eq!((secret.expose(), secret.was_trimmed()), (value, trimmed), "{text}");
    }
}

/// A secret that somebody has put behind a scheme leads nowhere, and is known by that only.
#[tokio::test]
async fn what_leads_nowhere_and_looks_like_no_place_is_not_shown() {
    let long = format!("file:{}", "canary".repeat(60));
    for text in
        ["env:canary_hunter2", "file:canary", "file:canary/hunter2", "mount:/canary", "command:canary", &long]
    {
        let error = resolved(text).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Missing | ErrorKind::Unreadable), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    for (text, shown) in [
        ("env:OTHER_KEY", "the environment variable OTHER_KEY"),
        ("file:./key", "file:./key"),
        ("file:/dev/no/key", "file:/dev/no/key"),
        ("mount:~/key", "mount:~/key"),
        ("command:no-such-program show key", "the command no-such-program"),
    ] {
        let error = resolved(text).await.unwrap_err();
        assert_eq!(error.place(), shown);
    }
}

#[tokio::test]
async fn whoever_wants_to_know_is_told_of_line_ends_that_were_taken_off() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let resolver = resolver().on_trimmed(move |reference| heard.lock().unwrap().push(reference.to_string()));
    for text in ["drawer:spare-key", "env:KEY", "env:OTHER", "env:BROKEN"] {
        drop(resolver.resolve(&resolver.reference(text).unwrap()).await);
    }
    assert_eq!(*told.lock().unwrap(), ["env:KEY"]);
    assert!(format!("{resolver:?}").contains("Trimmed"));
}

#[tokio::test]
async fn what_is_given_is_the_secret_or_a_reference_to_it() {
    for (given, secret) in [
        ("env:KEY", Ok("from the environment")),
        ("env:OTHER", Err(ErrorKind::Missing)),
        ("env:sk-canary", Err(ErrorKind::InvalidReference)),
        ("vault:canary", Err(ErrorKind::InvalidReference)),
        ("vault:secret/data/a#b", Err(ErrorKind::UnknownScheme)),
        ("pa55:word", Ok("pa55:word")),
        ("hvs.token", Ok("hvs.token")),
        ("drawer:spare-key", Ok("drawer:spare-key")),
    ] {
        let got = resolver().given(Secret::from(given.to_owned())).await;
        assert!(!format!("{got:?}").contains("canary"), "{given}");
        let got = got.as_ref().map(Secret::expose).map_err(Error::kind);
        // Without the feature, nobody could know the scheme.
        let got = if got == Err(ErrorKind::MissingFeature) { Err(ErrorKind::UnknownScheme) } else { got };
        assert_eq!(got, secret, "{given}");
    }
}

#[tokio::test]
async fn what_a_reference_leads_to_has_to_be_there() {
    for (text, place) in [
        ("env:OTHER", "the environment variable OTHER"),
        ("env:EMPTY", "the environment variable EMPTY"),
        ("file:/nowhere/key", "file:/nowhere/key"),
        ("drawer:other", "drawer:other"),
    ] {
        let error = resolved(text).await.unwrap_err();
        assert_eq!((error.kind(), error.place()), (ErrorKind::Missing, place));
    }
}

#[tokio::test]
async fn what_is_broken_is_an_error_without_the_value() {
    let error = resolved("env:BROKEN").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Newline);
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_scheme_that_nobody_knows_is_a_typed_error() {
    for text in ["literal:canary", "drawer:canary", "canary"] {
        let error = Resolver::new().reference(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReference);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    // Known everywhere, but nobody gave a server.
    let reference: Reference = "vault:secret/data/claude#key".parse().unwrap();
    let error = resolver().resolve(&reference).await.unwrap_err();
    assert_eq!(error.place(), "vault");
    assert_eq!(error.kind(), ErrorKind::UnknownScheme, "{error}");
}

#[test]
fn a_literal_is_not_shown() {
    let reference = resolver().reference("literal:canary").unwrap();
    assert!(!format!("{reference} {reference:?}").contains("canary"));
}

/// Answers when ten have asked.
#[derive(Debug)]
struct Together(Barrier, AtomicUsize);

#[async_trait]
impl SecretProvider for Together {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.wait().await;
        Ok(Some(name.as_str().to_owned().into()))
    }
}

#[tokio::test]
async fn ten_references_are_resolved_at_the_same_time_and_in_their_order() {
    let resolver = Resolver::new().with("slow", Together(Barrier::new(10), AtomicUsize::new(0)));
    let references: Vec<Reference> =
        (0..10).map(|n| resolver.reference(&format!("slow:key-{n}")).unwrap()).collect();
    let secrets = resolver.resolve_all(&references).await;
    let values: Vec<String> = secrets.into_iter().map(|secret| secret.unwrap().expose().to_owned()).collect();
    assert_eq!(values, (0..10).map(|n| format!("key-{n}")).collect::<Vec<_>>());
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_of_the_resolver_is_stopped_by_its_timer() {
    let timer = Arc::new(ManualTimer::new());
    let resolver = Resolver::new().with_commands(ChildEnvironment::of(environment()), Arc::clone(&timer));
    let reference: Reference = "command:sleep 600".parse().unwrap();
    let outcome = tokio::spawn(async move { resolver.resolve(&reference).await });
    while !outcome.is_finished() {
        timer.advance(Duration::from_secs(31));
        tokio::task::yield_now().await;
    }
    assert_eq!(outcome.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
}
