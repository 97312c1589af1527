//! A session that is renewed by a command in a process of its own.

use std::{path::Path, sync::Arc};

use claude_sdk::{
    AuthError,
    credentials::{CredentialProvider, OAuth, Refresher},
    secrets::ChildEnvironment,
    token_store::{FileTokenStore, TokenStore},
};
use mock_server::leaks;
use tempfile::TempDir;

use crate::rig::{HOUR, Place, SCOPES, access, held};

/// A session in a file, and beside it one that a command can put in its place.
struct Beside {
    place: Place,
    folder: TempDir,
    oauth: OAuth,
    newer: String,
}

impl Beside {
    /// `script` is run by a shell, with the newer file as `$1` and the session's as `$2`.
    async fn new(script: &str) -> Self {
        let place = Place::new(held().access_token_ttl(HOUR)).await;
        let folder = tempfile::tempdir().unwrap();
        let store = |name: &str| FileTokenStore::new(folder.path(), name).unwrap();
        store("work").save(place.login(SCOPES).await).await.unwrap();
        place.advance(HOUR);
        let newer = place.login(SCOPES).await;
        store("newer").save(newer.clone()).await.unwrap();
        let arguments = ["-c".as_ref(), script.as_ref(), "sh".as_ref()];
        let files = [store("newer"), store("work")];
        let arguments: Vec<&Path> =
            arguments.into_iter().chain(files.iter().map(FileTokenStore::path)).collect();
        let oauth = place.open(store("work")).await.renewed_by(Refresher::new("sh").args(arguments));
        place.mock.clear_journal();
        Self { oauth, newer: access(&newer).to_owned(), folder, place }
    }

    /// How many runs are over that have said which process they are.
    fn ended(&self) -> usize {
        let runs = std::fs::read_to_string(self.folder.path().join("runs")).unwrap_or_default();
        runs.lines().filter(|pid| !Path::new("/proc").join(pid).exists()).count()
    }

    fn runs(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("runs")).unwrap().lines().count()
    }
}

#[tokio::test]
async fn a_command_of_its_own_process_group_renews_and_the_result_is_taken_over() {
    // The fifth field is the process group.
    let beside = Beside::new(r#"test "$(cut -d' ' -f5 "/proc/$$/stat")" = $$ && cp "$1" "$2""#).await;
    assert_eq!(beside.oauth.credential().await.unwrap().expose(), beside.newer);
    assert_eq!(beside.place.mock.journal_len(), 0, "this process sent nothing");
    drop(FileTokenStore::new(beside.folder.path(), "work").unwrap().lock().await.unwrap());
}

/// Whatever the environment and the session hold: the command and the process that starts it show none of it.
#[tokio::test]
async fn the_command_has_no_secret_in_its_arguments_or_environment() {
    let script = r#"cat "/proc/$$/cmdline" "/proc/$$/environ" "/proc/$PPID/cmdline" > "${2%/*}/../seen"; cp "$1" "$2""#;
    let beside = Beside::new("exit 1").await;
    let store = |name: &str| FileTokenStore::new(beside.folder.path(), name).unwrap();
    let mut refresher = Refresher::new("sh").args(["-c", script, "sh"]);
    for file in [store("newer"), store("work")] {
        refresher = refresher.args([file.path()]);
    }
    let environment = ChildEnvironment::of(Arc::new(|name| match name {
        "PATH" => Some("/usr/bin:/bin".into()),
        "ANTHROPIC_API_KEY" | "ANTHROPIC_AUTH_TOKEN" | "CLAUDE_CLIENT_SECRET" | "VAULT_TOKEN" => {
            Some(format!("CANARY-{name}").into())
        }
        _ => None,
    }));
    let oauth = beside.place.open(store("work")).await.renewed_by(refresher.environment(environment));
    assert_eq!(oauth.credential().await.unwrap().expose(), beside.newer);
    let seen = std::fs::read(beside.folder.path().join("seen")).unwrap();
    let text = String::from_utf8_lossy(&seen);
    assert!(text.contains("PATH=/usr/bin:/bin") && text.contains(script), "{text}");
    assert_eq!(leaks::find(&seen), None);
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_status_and_run_again_later() {
    let beside =
        Beside::new(r#"cd "${2%/*}/.." && echo >>runs && test "$(wc -l <runs)" -gt 1 && cp "$1" "$2""#).await;
    for _ in 0..3 {
        let error = beside.oauth.credential().await.unwrap_err();
        let AuthError::Renewal { reason, retryable: true, .. } = &error else { panic!("{error:?}") };
        assert!(reason.contains("status 1; run it by hand"), "{reason}");
    }
    assert_eq!(beside.runs(), 1, "a failure is shared until its wait is over");
    beside.place.advance(std::time::Duration::from_secs(60));
    assert_eq!(beside.oauth.credential().await.unwrap().expose(), beside.newer);

    let beside = Beside::new("exit 0").await;
    let error = beside.oauth.credential().await.unwrap_err();
    assert!(error.to_string().contains("stored nothing new"), "{error}");
    let missing = Refresher::new("/nowhere/claudectl");
    let store = FileTokenStore::new(beside.folder.path(), "work").unwrap();
    let oauth = beside.place.open(store).await.renewed_by(missing);
    let error = oauth.credential().await.unwrap_err();
    assert!(error.to_string().contains("could not be started"), "{error}");
}

#[tokio::test]
async fn a_command_can_say_that_only_a_login_helps_and_one_that_is_killed_leaves_a_doubt() {
    for (end, runs, doubt) in [("exit 4", 1, false), ("kill -9 $$", 2, true)] {
        let beside = Beside::new(&format!(r#"cd "${{2%/*}}/.." && echo $$ >>runs; {end}"#)).await;
        let mut caller = beside.oauth.credential();
        let error = loop {
            if let Some(outcome) = futures_util::future::poll_immediate(&mut caller).await {
                break outcome.unwrap_err();
            }
            // Once the last command is gone, only the second look waits for this clock.
            if beside.ended() == runs {
                beside.place.clock.advance(std::time::Duration::from_millis(10));
            }
            tokio::task::yield_now().await;
        };
        let AuthError::LoginRequired { maybe_consumed, .. } = &error else { panic!("{end}: {error:?}") };
        assert_eq!((*maybe_consumed, beside.runs()), (doubt, runs), "{end}");
    }
}
