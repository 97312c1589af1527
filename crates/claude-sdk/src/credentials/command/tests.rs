use std::{fs, time::SystemTime};

use auth_core::Policy;
#[cfg(target_os = "linux")]
use futures_util::future::poll_immediate;
use transport::SimClock;

use super::*;
use crate::credentials::{Cached, CredentialProvider as _};

fn t0() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A helper that is a few lines of shell.
fn shell(script: &str) -> Command {
    Command::new("/bin/sh").args(["-c", script])
}

/// In which every variable is set.
fn full() -> ChildEnvironment {
    ChildEnvironment::of(std::sync::Arc::new(|name| match name {
        "PATH" => Some("/usr/bin:/bin".into()),
        name => Some(format!("of-{name}").into()),
    }))
}

#[tokio::test]
async fn a_helper_sees_few_variables_and_those_it_is_passed() {
    let seen = async |environment, name: &str| {
        let helper = shell(&format!("printf tok-%s \"${name}\"")).environment(environment);
        run(&helper).await.unwrap().credential.expose().to_owned()
    };
    assert_eq!(seen(full(), "HOME").await, "tok-of-HOME");
    for name in ["ANTHROPIC_API_KEY", "CLAUDE_CLIENT_SECRET", "VAULT_TOKEN", "AWS_PROFILE"] {
        assert_eq!(seen(full(), name).await, "tok-", "{name}");
    }
    assert_eq!(seen(full().pass(["AWS_PROFILE"]), "AWS_PROFILE").await, "tok-of-AWS_PROFILE");
}

async fn run(helper: &Command) -> Result<Grant, HelperProblem> {
    helper.grant(&SimClock::new(t0())).await.map_err(|error| match error {
        AuthError::Helper { problem, .. } => problem,
        other => panic!("{other}"),
    })
}

async fn problem(script: &str) -> HelperProblem {
    run(&shell(script)).await.unwrap_err()
}

#[tokio::test]
async fn a_line_is_a_token_or_a_key_as_the_helper_was_announced() {
    for script in ["printf tok-1", "echo tok-1", r"printf 'tok-1\r\n'", r"printf '\357\273\277 tok-1 \n\n'"] {
        let grant = run(&shell(script)).await.unwrap();
        assert_eq!((grant.credential.expose(), grant.expires_at), ("tok-1", None), "{script}");
        assert_eq!(grant.credential.0.scheme, Scheme::Token);
    }
    let grant = run(&shell("echo key-1").prints_api_key()).await.unwrap();
    assert_eq!(grant.credential.0.scheme, Scheme::ApiKey);
}

#[tokio::test]
async fn an_object_says_what_it_holds_and_how_long_it_lives() {
    let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    for (json, expires_at) in [
        (r#"{"access_token": "canary", "other": [1]}"#, None),
        (r#"{"token":"canary","expires_at":1800000600}"#, at(1_800_000_600)),
        (r#"{"token":"canary","expires_at":"2027-01-15T08:10:00Z"}"#, at(1_800_000_600)),
        (r#"{"token":"canary","expires_in":600}"#, at(1_800_000_600)),
        (r#"{"token":"canary","expires_in":600,"expires_at":1800000300}"#, at(1_800_000_300)),
        (r#"{"token":"canary","expires_at":null}"#, None),
    ] {
        let grant = run(&shell(&format!("cat <<'end'\n{json}\nend"))).await.unwrap();
        assert_eq!((grant.credential.expose(), grant.expires_at), ("canary", expires_at), "{json}");
        assert_eq!(grant.credential.0.scheme, Scheme::Token);
    }
    let grant = run(&shell(r#"echo '{"api_key":"canary"}'"#)).await.unwrap();
    assert_eq!(grant.credential.0.scheme, Scheme::ApiKey);
}

#[tokio::test]
async fn what_is_no_token_is_a_typed_error_that_does_not_repeat_it() {
    use HelperProblem as Problem;
    for (script, expected) in [
        ("true", Problem::Empty),
        (r"printf '\n \n'", Problem::Empty),
        (r"printf 'canary\ncanary\n'", Problem::ManyLines),
        ("echo 'canary canary'", Problem::NotAToken),
        (r"printf 'canary\000'", Problem::NotAToken),
        (r"printf 'canary\303\251'", Problem::NotAToken),
        (r"printf '\377\376canary'", Problem::NotAToken),
        (r#"echo '{"token": "can ary"}'"#, Problem::NotAToken),
        (r#"echo '{"token": ""}'"#, Problem::NotAToken),
        (r#"echo '{"token": "canary"'"#, Problem::Json("it is not one whole object")),
        (r#"echo '{"token": "canary"} {}'"#, Problem::Json("it is not one whole object")),
        (r#"echo '{"canary": 1}'"#, Problem::Json("it has no `access_token`, `token` or `api_key`")),
        (r#"echo '{"token": 7}'"#, Problem::Json("the token is not a string")),
        (
            r#"echo '{"token": "canary", "api_key": "canary"}'"#,
            Problem::Json("it has two of `access_token`, `token` and `api_key`"),
        ),
        (
            r#"echo '{"token": "canary", "expires_in": -1}'"#,
            Problem::Json("its `expires_in` is not a number of seconds"),
        ),
        (
            r#"echo '{"token": "canary", "expires_at": 1800000600000}'"#,
            Problem::Json("its `expires_at` is neither Unix seconds nor a time as 2027-01-15T08:00:00Z"),
        ),
    ] {
        let problem = problem(script).await;
        assert_eq!(problem, expected, "{script}");
        assert!(!problem.to_string().contains("canary") && !problem.is_retryable());
    }
}

#[tokio::test]
async fn output_ends_at_64_kib_and_a_helper_that_goes_on_is_stopped() {
    let grant = run(&shell("head -c 65536 /dev/zero | tr '\\0' x")).await.unwrap();
    assert_eq!(grant.credential.expose().len(), 65536);
    assert_eq!(problem("head -c 65537 /dev/zero | tr '\\0' x").await, HelperProblem::TooLarge);
    assert_eq!(problem("while :; do echo xxxxxxxxxxxxxxxx; done").await, HelperProblem::TooLarge);
}

#[tokio::test]
async fn a_failure_tells_status_and_last_line_without_what_looks_like_a_secret() {
    let failed = |status, said: &str| HelperProblem::Failed { status, said: said.into() };
    assert_eq!(problem("echo first >&2; echo 'no network' >&2; exit 3").await, failed(Some(3), "no network"));
    assert_eq!(problem("exit 1").await, failed(Some(1), ""));
    assert_eq!(problem("kill -9 $$").await, failed(None, ""));
    assert_eq!(
        problem("echo canary-printed; echo 'bad token=canary-printed: sk-ant-canary, \"eyJcanary.x.y\"' >&2; exit 1").await,
        failed(Some(1), "bad token=[redacted]: [redacted], \"[redacted]\"")
    );
    assert_eq!(
        problem("echo 'no canary0123456789abcdef in /etc/canary/0123456789abcdef' >&2; exit 1").await,
        failed(Some(1), "no [redacted] in /etc/canary/0123456789abcdef")
    );
    let told = r#"{"type": "error", "error": {"type": "auth", "message": "nobody is logged in", "next_step": "log in"}}"#;
    let told = problem(&format!("echo '{told}' >&2; exit 4")).await;
    assert_eq!(told, failed(Some(4), "nobody is logged in; log in"));
    let long =
        problem("head -c 100000 /dev/zero | tr '\\0' ' ' >&2; printf '\\033[31m%4000s' x >&2; exit 1").await;
    let HelperProblem::Failed { said, .. } = &long else { panic!("{long}") };
    assert!(said.chars().count() <= 501 && !said.contains('\u{1b}'), "{said:?}");
    assert!(long.is_retryable());
}

#[tokio::test]
async fn errors_beside_a_token_are_no_failure() {
    let grant = run(&shell("head -c 1000000 /dev/zero >&2; echo tok-1")).await.unwrap();
    assert_eq!(grant.credential.expose(), "tok-1");
}

#[tokio::test]
async fn a_helper_that_cannot_be_started_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    for (program, kind) in [
        (OsString::from("no-such-helper-here"), io::ErrorKind::NotFound),
        (plain.into_os_string(), io::ErrorKind::PermissionDenied),
    ] {
        let error = Command::new(&program).grant(&SimClock::new(t0())).await.unwrap_err();
        assert!(error.to_string().contains(&*program.to_string_lossy()), "{error}");
        let expected = HelperProblem::NotStarted(kind);
        assert!(matches!(error, AuthError::Helper { problem, .. } if problem == expected));
    }
}

#[tokio::test]
async fn no_shell_reads_the_arguments() {
    let helper = Command::new("printf").args(["%s", "$(id);*"]);
    assert_eq!(run(&helper).await.unwrap().credential.expose(), "$(id);*");
    assert!(!format!("{helper:?}").contains("$(id)"));
}

/// Whether a process is there and not just waiting to be counted.
#[cfg(target_os = "linux")]
fn is_alive(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_helper_that_takes_too_long_is_killed_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    let script = format!("sleep 600 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", path.display());
    let helper = shell(&script).timeout(Duration::from_secs(7));
    let clock = SimClock::new(t0());
    let mut asked = Box::pin(helper.grant(&clock));
    while !path.exists() {
        assert!(poll_immediate(&mut asked).await.is_none());
        tokio::task::yield_now().await;
    }
    let ids = fs::read_to_string(&path).unwrap();
    assert!(ids.split(' ').all(is_alive), "{ids}");
    clock.advance(Duration::from_secs(7));
    let error = asked.await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("took longer than 7 s"), "{error}");
    while ids.split(' ').any(is_alive) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn many_callers_run_it_once_and_a_refused_key_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    let script = format!("echo x >> {0}; echo key-$(wc -l < {0} | tr -d ' ')", count.display());
    let helper = shell(&script).prints_api_key();
    let cached = Cached::new_with(helper, SimClock::new(t0()), Policy::default());
    let all = futures_util::future::join_all((0..1000).map(|_| cached.credential())).await;
    let first = all.into_iter().map(Result::unwrap).last().unwrap();
    assert_eq!((first.expose(), first.is_renewable()), ("key-1", true));
    cached.reject(&first);
    assert_eq!(cached.credential().await.unwrap().expose(), "key-2");
}
