//! `claudectl quickstart`: every step as the server saw it, and the program around the steps.

use std::{
    collections::HashMap,
    fs,
    io::{self, BufRead, BufReader},
    path::Path,
    process::Command,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use claude_cli::quickstart::{Reporter, steps};
use claude_sdk::transport::{Clock, SystemClock};
use http::Method;
use mock_server::{Credential, Entry, MockServer, Reply};
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use url::form_urlencoded;

use crate::claudectl::{CANARY, Running, claudectl, json, run};

const BETA: &str = "oauth-2025-04-20";
const DEAD_PROXY: &str = "http://127.0.0.1:1";
const STEPS: [&str; 13] = [
    "mock server",
    "authorization request",
    "consent",
    "redirect",
    "code exchange",
    "models",
    "message",
    "stream",
    "expiry",
    "refresh",
    "replay of the code",
    "limits",
    "journal",
];

/// Runs the steps on `server` and gives what they said.
async fn walk(server: &MockServer) -> (anyhow::Result<()>, Reporter) {
    let mut reporter = Reporter::new(SystemClock, None);
    let result = steps(server, &mut reporter).await;
    (result, reporter)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_sees_every_step_in_order() {
    let server = MockServer::start().await.unwrap();
    let (result, reporter) = walk(&server).await;
    result.unwrap();
    let names: Vec<&str> = reporter.steps().iter().map(|step| step.name).collect();
    assert_eq!(names, STEPS[1..]);
    assert!(reporter.steps().iter().all(|step| step.ok));

    let journal = server.journal();
    let seen: Vec<(&str, &str, u16)> = journal
        .iter()
        .map(|entry| (entry.method.as_str(), entry.path.as_str(), entry.status.as_u16()))
        .collect();
    let expected = [
        ("GET", "/oauth/authorize", 200),
        ("POST", "/oauth/authorize/decision", 302),
        ("POST", "/v1/oauth/token", 200),
        ("GET", "/v1/models", 200),
        ("POST", "/v1/messages", 200),
        ("POST", "/v1/messages", 200),
        ("GET", "/v1/models", 401),
        ("POST", "/v1/oauth/token", 200),
        ("POST", "/v1/messages", 200),
        ("POST", "/v1/oauth/token", 400),
        ("GET", "/v1/models", 401),
        ("POST", "/v1/oauth/token", 400),
    ];
    assert_eq!(seen, expected);
    let [
        authorize,
        decision,
        exchange,
        models,
        message,
        stream,
        stale,
        refresh,
        again,
        replay,
        refused,
        refused_refresh,
    ] = &journal[..]
    else {
        panic!("{journal:?}");
    };

    let asked: HashMap<&str, &str> =
        authorize.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!((asked["response_type"], asked["client_id"]), ("code", server.client_id()));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["state"].len() >= 22, "a state of 128 bits at least");
    assert!(asked["redirect_uri"].starts_with("http://localhost:"), "{}", asked["redirect_uri"]);
    assert!(asked["scope"].split(' ').any(|scope| scope == "user:inference"));

    assert_eq!(form(decision)["decision"], "allow");
    assert_eq!(decision.note, Some("consent given"));

    let exchanged = form(exchange);
    assert_eq!(exchanged["grant_type"], "authorization_code");
    assert_eq!(exchanged["client_id"], server.client_id());
    assert_eq!(exchanged["redirect_uri"], asked["redirect_uri"]);
    assert_eq!(exchanged["state"], asked["state"]);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&exchanged["code_verifier"]));
    assert_eq!(challenge, asked["code_challenge"]);

    let first_token = bearer(models);
    for entry in [message, stream] {
        assert_eq!(bearer(entry), first_token);
    }
    for entry in [models, message, stream, again] {
        assert_eq!(entry.credential, Credential::AccessToken);
        assert_eq!(entry.header("anthropic-version"), Some("2026-10-21"));
        assert!(entry.header("anthropic-beta").unwrap().contains(BETA));
    }
    assert_eq!(json(message)["messages"][0]["role"], "user");
    assert_eq!(json(message).get("stream").unwrap_or(&json!(false)), &json!(false));
    assert_eq!(json(stream)["stream"], true);

    assert_eq!((stale.credential, bearer(stale)), (Credential::Refused, first_token));
    assert!(stream.at + Duration::from_secs(3600) < refresh.at, "the token's life has passed");
    assert_eq!(refresh.header("content-type"), Some("application/json"));
    assert_eq!(refresh.header("anthropic-beta"), Some(BETA));
    let refreshed = json(refresh);
    assert_eq!(refreshed["grant_type"], "refresh_token");
    assert_eq!(refreshed["client_id"], server.client_id());
    assert_eq!(refresh.note, Some("refresh token rotated"));
    assert_ne!(bearer(again), first_token);

    assert_eq!(replay.body, exchange.body);
    assert_eq!(replay.note, Some("code replayed, family revoked"));
    assert_eq!((refused.credential, bearer(refused)), (Credential::Refused, bearer(again)));
    assert_eq!(refused_refresh.note, Some("family is revoked"));
    // The refused refresh brought the second refresh token: the first was rotated away, not used again.
    assert_ne!(json(refused_refresh)["refresh_token"], refreshed["refresh_token"]);

    let limits = &reporter.steps()[STEPS.len() - 3];
    assert_eq!(limits.name, "limits");
    for told in ["requests 99", "of 1000 left", "input tokens 1999", "of 2000000 left", "output tokens"] {
        assert!(limits.detail.contains(told), "{}", limits.detail);
    }
    assert!(!format!("{reporter:?}").contains(CANARY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_its_part_fails_the_step_it_breaks() {
    let garbage = || Reply::html("garbage");
    let tokens =
        json!({"token_type": "Bearer", "access_token": CANARY, "refresh_token": CANARY, "expires_in": 60});
    let cases = [
        ("consent", vec![garbage().on("/oauth/authorize")]),
        ("consent", vec![garbage().on("/oauth/authorize/decision")]),
        ("code exchange", vec![garbage().on("/v1/oauth/token")]),
        ("models", vec![Reply::json(tokens).on("/v1/oauth/token")]),
        ("models", vec![garbage().on("/v1/models")]),
        ("models", vec![Reply::json(json!({"data": [], "has_more": false})).on("/v1/models")]),
        ("message", vec![garbage()]),
        ("message", vec![Reply::text("something else")]),
        ("stream", vec![Reply::text("You said: hello"), garbage()]),
        (
            "stream",
            vec![
                Reply::text("You said: hello"),
                Reply::text("one token after the other").truncate_after(1000),
            ],
        ),
        ("stream", vec![Reply::text("You said: hello"), Reply::text("something else")]),
    ];
    for (step, script) in cases {
        let server = MockServer::builder().script(script.clone()).start().await.unwrap();
        let (result, reporter) = walk(&server).await;
        let error = format!("{:#}", result.unwrap_err());
        let last = reporter.steps().last().unwrap();
        assert_eq!((last.name, last.ok), (step, false), "{script:?}: {error}");
        assert!(error.contains(step) && !error.contains(CANARY), "{error}");
    }
}

#[test]
fn the_program_prints_a_line_a_step_with_its_time_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let started = SystemClock.now();
    let run = run(&mut quickstart(folder.path(), None));
    let elapsed = SystemClock.now().duration_since(started).unwrap();
    let lines: Vec<&str> = run.ok().lines().filter(|line| line.starts_with("  ok ")).collect();
    assert_eq!(lines.len(), STEPS.len(), "{run:?}");
    for (line, name) in lines.iter().zip(STEPS) {
        let (time, told) = line.trim_start_matches("  ok").split_once(" ms  ").unwrap();
        assert!(time.trim().parse::<f64>().is_ok_and(|time| time >= 0.0), "{line}");
        assert!(told.starts_with(name) && told.len() > name.len() + 2, "{line}");
    }
    assert!(run.stdout.contains("All 13 steps done"), "{run:?}");
    assert!(!run.stdout.contains(CANARY), "a secret leaked: {run:?}");
    assert!(is_empty(&folder), "something was left behind");
    assert!(elapsed < Duration::from_secs(15), "took {elapsed:?}");
}

#[test]
fn with_json_the_program_prints_one_document_of_the_same_steps() {
    let folder = TempDir::new().unwrap();
    let run = run(&mut quickstart(folder.path(), Some("--json")));
    let report: Value = serde_json::from_str(run.ok()).unwrap();
    assert_eq!(report["ok"], true);
    let steps = report["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, STEPS);
    for step in steps {
        assert_eq!(step["ok"], true);
        assert!(step["milliseconds"].is_number() && !step["detail"].as_str().unwrap().is_empty(), "{step}");
    }
    assert!(report["milliseconds"].as_f64().unwrap() < 15_000.0);
    assert!(!run.stdout.contains(CANARY), "a secret leaked: {run:?}");
    assert!(is_empty(&folder), "something was left behind");
}

#[test]
fn neither_a_proxy_nor_settings_for_the_real_service_get_in_its_way() {
    let folder = TempDir::new().unwrap();
    let mut command = quickstart(folder.path(), None);
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, DEAD_PROXY);
    }
    command.env("ANTHROPIC_BASE_URL", "https://api.example.com").env("ANTHROPIC_API_KEY", "sk\nbroken");
    run(&mut command).ok();
}

#[test]
fn a_step_that_cannot_be_done_fails_the_program() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    run(&mut quickstart(&missing, None)).failed(1, "set TMPDIR to one you may write to");
    let run = run(&mut quickstart(&missing, Some("--json")));
    run.failed(1, "set TMPDIR to one you may write to");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["ok"], false);
}

#[test]
fn the_status_tells_of_the_steps_also_where_nobody_reads() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    for json in [None, Some("--json")] {
        for (folder, status) in [(folder.path(), 0), (missing.as_path(), 1)] {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            let run = run(quickstart(folder, json).stdout(writer));
            assert_eq!(run.status, Some(status), "{run:?}");
        }
    }
    assert!(is_empty(&folder), "something was left behind");
}

#[test]
fn being_asked_to_end_leaves_nothing_behind_whenever_it_comes() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        for step in ["authorization request", "redirect", "code exchange", "stream", "expiry"] {
            let folder = TempDir::new().unwrap();
            let mut running = Running::start(&mut quickstart(folder.path(), None));
            let mut lines = BufReader::new(running.stdout()).lines().map(Result::unwrap);
            lines.find(|line| line.contains(step)).unwrap();
            running.signal(signal);
            lines.for_each(drop);
            let run = running.end();
            // It may have been done before the signal came.
            let told = run.stderr.starts_with("claudectl: interrupted");
            assert!(run.status == Some(0) || (run.status == Some(1) && told), "{signal:?} {step}: {run:?}");
            assert!(is_empty(&folder), "{signal:?} {step}: something was left behind");
        }
    }
}

fn quickstart(folder: &Path, json: Option<&str>) -> Command {
    let mut command = claudectl(["quickstart"].into_iter().chain(json));
    command.env("TMPDIR", folder);
    command
}

fn is_empty(folder: &TempDir) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// The body of a request, which is a form.
fn form(entry: &Entry) -> HashMap<String, String> {
    assert_eq!(entry.method, Method::POST);
    assert_eq!(entry.header("content-type"), Some("application/x-www-form-urlencoded"));
    form_urlencoded::parse(&entry.body).into_owned().collect()
}

/// The token a request brought; [`Entry`] does not print it.
fn bearer(entry: &Entry) -> &str {
    entry.header("authorization").unwrap().strip_prefix("Bearer ").unwrap()
}
