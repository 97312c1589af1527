//! `--json`: every command has it, and what goes wrong is one object then.

use clap::CommandFactory as _;
use claude_cli::args::Args;
use http::StatusCode;
use mock_server::{MockServer, Reply};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::claudectl::{CANARY, Run, against, claudectl, run};

/// The one line on standard error.
#[track_caller]
fn object(run: &Run, status: i32) -> Value {
    assert_eq!(run.status, Some(status), "{run:?}");
    let line = run.stderr.strip_suffix('\n').unwrap();
    assert!(!line.contains(char::is_control) && !line.contains(CANARY), "{run:?}");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// The commands that do something, each as it is typed.
fn leaves(command: &clap::Command, words: &[String]) -> Vec<(Vec<String>, bool)> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    let below: Vec<_> =
        below.flat_map(|below| leaves(below, &[words, &[below.get_name().to_owned()]].concat())).collect();
    if !below.is_empty() {
        return below;
    }
    vec![(words.to_vec(), command.get_arguments().any(|argument| argument.get_id() == "json"))]
}

#[test]
fn every_command_but_two_has_json_and_tells_wrong_usage_as_an_object() {
    let leaves = leaves(&Args::command(), &[]);
    let without: Vec<String> =
        leaves.iter().filter(|(_, json)| !json).map(|(words, _)| words.join(" ")).collect();
    assert_eq!(without, ["completions", "man"], "they print a script and pages, which are no JSON");
    assert!(leaves.len() > 30);
    for (words, _) in leaves {
        let told = object(&run(claudectl(&words).args(["--json", "--no-such-option"])), 2);
        assert_eq!((&told["type"], &told["error"]["type"]), (&json!("error"), &json!("usage")), "{words:?}");
        assert!(told["error"].to_string().contains("`claudectl "), "it says where the help is: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_an_object_with_its_kind_and_the_next_step() {
    let server = MockServer::start().await.unwrap();
    let home = TempDir::new().unwrap();
    let cases: [(&[&str], &str, &str); 12] = [
        (&["messages", "create", "hello", "--model", "claude-none"], "not_found_error", "check --model"),
        (&["messages", "stream", "hello", "--model", "claude-none"], "not_found_error", "check --model"),
        (&["messages", "create", "hello", "--attach", "nowhere.png"], "attachment", "nowhere.png"),
        (&["messages", "create", ""], "failed", "give one as an argument"),
        (&["models", "get", "nobody"], "not_found_error", "check the identifier"),
        (&["api", "GET", "/v1/nothing"], "not_found_error", "check the path"),
        (&["api", "GET", "/v1/../x"], "config", "/v1/../x"),
        (&["batches", "submit", "nowhere.jsonl"], "io", "check the path"),
        (&["files", "upload", "nowhere.txt"], "config", "check the path"),
        (&["profile", "use", "nobody"], "profile", "nobody"),
        (&["env", "run", "nobody", "--", "true"], "profile", "nobody"),
        (&["mock", "--script", "/nowhere"], "io", "give the path of a text"),
    ];
    for (arguments, kind, advice) in cases {
        // Behind `--` are somebody else's arguments.
        let (ours, theirs) =
            arguments.split_at(arguments.iter().position(|word| *word == "--").unwrap_or(arguments.len()));
        let arguments = [ours, &["--json"], theirs].concat();
        let told = object(&run(against(&server, &arguments).env("ANTHROPIC_CONFIG_DIR", home.path())), 1);
        assert_eq!(told["error"]["type"], kind, "{arguments:?}: {told}");
        assert!(told["error"].to_string().contains(advice), "{arguments:?}: {told}");
        let is_answer = kind == "not_found_error";
        assert_eq!(told["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), is_answer, "{told}");
        assert!(!told["error"].to_string().contains("(request "), "it is said once: {told}");
    }
    let told = object(&run(&mut claudectl(["messages", "create", "hello", "--json"])), 1);
    assert_eq!(told["error"]["message"], "no credential");
    assert!(told["error"]["next_step"].as_str().unwrap().starts_with("log in with `claudectl auth login`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_said_is_told_whole_and_apart_from_the_next_step() {
    let server = MockServer::start().await.unwrap();
    let said = "too many tokens; see the limits";
    server.push_reply(Reply::error(StatusCode::UNAUTHORIZED, "authentication_error", said));
    let told = object(&run(&mut against(&server, ["messages", "create", "hello", "--json"])), 1);
    assert_eq!(told["error"]["type"], "authentication_error");
    assert_eq!(told["error"]["message"], format!("the service answered 401 authentication_error: {said}"));
    assert_eq!(told["error"]["next_step"], "check the key or token, and that it belongs to this base URL");
}

/// Remarks are lines of their own, so that the error is the line whose `type` says so.
#[tokio::test(flavor = "multi_thread")]
async fn remarks_are_objects_too() {
    let server = MockServer::start().await.unwrap();
    let cut = ["messages", "create", "--max-tokens", "1", "--json", "one two three"];
    let told = object(&run(&mut against(&server, cut)), 0);
    let remark = "the answer was cut at its max_tokens (--max-tokens)";
    assert_eq!(told, json!({"type": "remark", "message": remark}));
}

#[test]
fn what_a_profile_became_is_said_in_json() {
    let home = TempDir::new().unwrap();
    let done = |arguments: &[&str]| -> Value {
        let run = run(claudectl(arguments).arg("--json").env("ANTHROPIC_CONFIG_DIR", home.path()));
        serde_json::from_str(run.ok()).unwrap()
    };
    let set = done(&["profile", "set", "prod", "api_key=env:PROD_KEY"]);
    assert_eq!(set, json!({"profile": "prod", "changed": true}));
    assert_eq!(done(&["profile", "use", "prod"]), json!({"profile": "prod", "active": true}));
    assert_eq!(done(&["profile", "remove", "prod"]), json!({"profile": "prod", "removed": true}));
    let mut get = claudectl(["secrets", "get", "env:PROD_KEY", "--json"]);
    let got: Value = serde_json::from_str(run(get.env("PROD_KEY", "abc")).ok()).unwrap();
    assert_eq!(got, json!({"secret": "abc", "lent_for_seconds": null}));
}
