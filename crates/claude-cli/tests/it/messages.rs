//! `claudectl messages`: what is asked, what is said, and where.

use std::io::{self, Read};

use http::{HeaderMap, StatusCode};
use mock_server::{MockServer, Reply};
use serde_json::{Value, json};

use crate::{
    claudectl::{Running, against, claudectl, json, only, run, run_with_input},
    slow_server::{BEGINNING, SlowServer},
};

const KEY: &str = "sk-ant-api03-CANARY";

#[tokio::test(flavor = "multi_thread")]
async fn the_prompt_is_an_argument_a_dash_or_standard_input() {
    let server = MockServer::start().await.unwrap();
    for command in ["create", "stream"] {
        for prompt in [Some("hello there"), Some("-"), None] {
            server.clear_journal();
            let arguments = ["messages", command].into_iter().chain(prompt);
            let run = run_with_input(&mut against(&server, arguments), b"hello there");
            assert_eq!(run.ok(), "You said: hello there\n", "{command} {prompt:?}");
            let asked = json(&only(&server));
            assert_eq!(asked["messages"][0]["role"], "user");
            assert_eq!(asked.get("stream").unwrap_or(&json!(false)), &json!(command == "stream"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_goes_unread_from_standard_input_when_it_is_an_argument() {
    let server = MockServer::start().await.unwrap();
    let run = run_with_input(&mut against(&server, ["messages", "create", "hello"]), b"\xff");
    assert_eq!(run.ok(), "You said: hello\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_reach_the_service() {
    let server = MockServer::start().await.unwrap();
    for command in ["create", "stream"] {
        server.clear_journal();
        let options = ["--model", "claude-opus-5-5", "--max-tokens", "77", "--system", "be brief", "hello"];
        run(&mut against(&server, ["messages", command].into_iter().chain(options))).ok();
        let asked = json(&only(&server));
        assert_eq!(asked["model"], "claude-opus-5-5");
        assert_eq!(asked["max_tokens"], 77);
        assert!(asked["system"].to_string().contains("be brief"), "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_options_the_defaults_of_the_help_are_sent() {
    let server = MockServer::start().await.unwrap();
    run(&mut against(&server, ["messages", "create", "hello"])).ok();
    let asked = json(&only(&server));
    assert_eq!((&asked["model"], &asked["max_tokens"]), (&json!("claude-sonnet-5-5"), &json!(1024)));
    assert_eq!(asked.get("system"), None);
    let help = run(&mut claudectl(["messages", "create", "--help"]));
    assert!(help.ok().contains("[default: claude-sonnet-5-5]") && help.stdout.contains("[default: 1024]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn create_with_json_prints_the_message() {
    let server = MockServer::start().await.unwrap();
    let run = run(&mut against(&server, ["messages", "create", "--json", "hello"]));
    let message: Value = serde_json::from_str(run.ok()).unwrap();
    assert_eq!(message["type"], "message");
    assert_eq!(message["content"][0], json!({"type": "text", "text": "You said: hello", "citations": null}));
    assert_eq!(message["stop_reason"], "end_turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_with_json_prints_one_event_a_line() {
    let server = MockServer::start().await.unwrap();
    let run = run(&mut against(&server, ["messages", "stream", "--json", "hello"]));
    let events: Vec<Value> = run.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"message_start"));
    assert_eq!(kinds[kinds.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
    let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(text, "You said: hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_that_is_typed_beats_the_environment() {
    let (typed, environment) = (MockServer::start().await.unwrap(), MockServer::start().await.unwrap());
    let base_url = typed.base_url();
    let arguments = ["messages", "create", "--base-url", base_url.as_str(), "hello"];
    run(against(&environment, arguments).env("ANTHROPIC_API_KEY", typed.api_key())).ok();
    assert_eq!((typed.journal_len(), environment.journal_len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_prefix_is_kept_with_and_without_a_slash_at_its_end() {
    let server = MockServer::builder().path_prefix("/gateway/claude").start().await.unwrap();
    let bare = server.base_url().as_str().trim_end_matches('/').to_owned();
    for base_url in [bare.clone(), format!("{bare}/")] {
        for command in ["create", "stream"] {
            let run =
                run(against(&server, ["messages", command, "hello"]).env("ANTHROPIC_BASE_URL", &base_url));
            assert_eq!(run.ok(), "You said: hello\n");
            let entry = server.journal().pop().unwrap();
            assert_eq!(entry.path, "/gateway/claude/v1/messages");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_travels_as_the_version_wants_it() {
    let server = MockServer::start().await.unwrap();
    let sent =
        |headers: &HeaderMap, name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (key, bearer) = (server.api_key().to_owned(), format!("Bearer {}", server.api_key()));
    for (version, authorization, x_api_key) in
        [("2026-10-21", Some(bearer), None), ("2023-06-01", None, Some(key))]
    {
        server.clear_journal();
        run(&mut against(&server, ["messages", "create", "--api-version", version, "hello"])).ok();
        let headers = only(&server).headers;
        assert_eq!(sent(&headers, "anthropic-version").as_deref(), Some(version));
        assert_eq!(sent(&headers, "authorization"), authorization);
        assert_eq!(sent(&headers, "x-api-key"), x_api_key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_whole_is_remarked_on_standard_error_only() {
    let server = MockServer::start().await.unwrap();
    for command in ["create", "stream"] {
        let run = run(&mut against(&server, ["messages", command, "--max-tokens", "2", "hello"]));
        assert_eq!((run.status, run.stdout.as_str()), (Some(0), "You said: \n"));
        assert_eq!(run.stderr, "claudectl: the answer was cut at its max_tokens (--max-tokens)\n");
    }
    for command in ["create", "stream"] {
        server.push_reply(Reply::text("No.").stop_reason("refusal"));
        let run = run(&mut against(&server, ["messages", command, "hello"]));
        assert_eq!((run.status, run.stdout.as_str()), (Some(0), "No.\n"));
        assert_eq!(run.stderr, "claudectl: the model refused to answer\n");
    }
}

#[test]
fn text_arrives_while_the_answer_is_still_being_written() {
    let server = SlowServer::start();
    let mut stream = streaming(&server, None);
    // The server says nothing more until these bytes are here.
    let mut first = [0; 5];
    stream.child().stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first");
    server.go_on();
    assert_eq!(stream.end().ok(), " second\n");
}

#[test]
fn a_reader_who_has_seen_enough_ends_a_stream_in_silence() {
    for json in [None, Some("--json")] {
        let server = SlowServer::start();
        let mut stream = streaming(&server, json);
        stream.stdout().read_exact(&mut [0; 5]).unwrap();
        server.go_on();
        stream.end().ok();
    }
}

fn streaming(server: &SlowServer, json: Option<&str>) -> Running {
    let arguments = ["messages", "stream", "--base-url", &server.base_url, "hello"];
    Running::start(claudectl(arguments.into_iter().chain(json)).env("ANTHROPIC_API_KEY", KEY))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_never_read_ends_every_command_in_silence() {
    let server = MockServer::start().await.unwrap();
    for arguments in [
        &["messages", "create", "hello"][..],
        &["messages", "create", "--json", "hello"],
        &["messages", "stream", "hello"],
        &["completions", "bash"],
        &["mock"],
    ] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        run(against(&server, arguments).stdout(writer)).ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_the_first_words_begins_on_a_line_of_its_own() {
    let server = MockServer::start().await.unwrap();
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\
                 \"message\":\"too many at once\"}}\n\n";
    server.push_reply(Reply::sse([BEGINNING, error]));
    let run = run(&mut against(&server, ["messages", "stream", "hello"]));
    assert_eq!(run.stdout, "first\n");
    run.failed(1, "too many at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_mends_itself_is_asked_again() {
    let server = MockServer::start().await.unwrap();
    server.push_reply(Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "busy"));
    let run = run(&mut against(&server, ["messages", "create", "hello"]));
    assert_eq!(run.ok(), "You said: hello\n");
    assert_eq!(server.journal_len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_this_very_machine_is_shown_to_no_proxy() {
    let server = MockServer::start().await.unwrap();
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut command = against(&server, ["messages", "create", "hello"]);
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, &address);
    }
    let run = run(&mut command);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), "You said: hello\n"), "{run:?}");
    assert_eq!(proxy.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody came by");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_can_come_from_a_file_and_that_file_is_preferred() {
    let server = MockServer::start().await.unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{}\n", server.api_key())).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut command = against(&server, ["messages", "create", "hello", "--api-key-file"]);
    let run = run(command.arg(&path).env("ANTHROPIC_API_KEY", "another"));
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), "You said: hello\n"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_content_or_without_an_end_is_remarked_on() {
    let server = MockServer::start().await.unwrap();
    let answer = |content: Value, stop_reason: Value| {
        let usage = json!({"input_tokens": 1, "output_tokens": 1});
        Reply::json(json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": stop_reason, "stop_sequence": null, "usage": usage
        }))
    };
    let text = json!([{"type": "text", "text": "half"}]);
    let cases = [
        (answer(json!([]), json!("end_turn")), "the answer is empty"),
        (answer(text, Value::Null), "it may be incomplete"),
    ];
    for (reply, remark) in cases {
        server.push_reply(reply);
        let run = run(&mut against(&server, ["messages", "create", "hello"]));
        assert_eq!(run.status, Some(0), "{run:?}");
        assert!(run.stderr.contains(remark), "{run:?}");
    }
}
