//! What is told of an answer besides its text, whichever way it comes; and what of its text reaches a terminal.

use std::process::{Command, Stdio};

use mock_server::{MockServer, Reply};
use serde_json::{Value, json};

use crate::claudectl::{Run, against, claudectl, run, run_with_input};

/// An answer with these blocks, that ended so.
fn message(content: &[Value], end: &Value) -> Value {
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let mut message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
        "stop_sequence": null, "usage": usage});
    for (name, value) in end.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

/// The same as a stream: each block whole in its beginning, and then these deltas for the first.
fn stream(content: &[Value], deltas: &[Value], end: &Value) -> String {
    let event = |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    let mut events =
        event(json!({"type": "message_start", "message": message(&[], &json!({"stop_reason": null}))}));
    for (index, block) in content.iter().enumerate() {
        events += &event(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for delta in deltas.iter().filter(|_| index == 0) {
            events += &event(json!({"type": "content_block_delta", "index": 0, "delta": delta}));
        }
        events += &event(json!({"type": "content_block_stop", "index": index}));
    }
    events += &event(json!({"type": "message_delta", "delta": end, "usage": {"output_tokens": 2}}));
    events + &event(json!({"type": "message_stop"}))
}

fn decoded(capture: &str, more: &[&str]) -> Run {
    run_with_input(&mut claudectl(["stream", "decode"].iter().chain(more)), capture.as_bytes())
}

/// The lines on standard error, which are the same for a whole answer, a stream, and a recorded one.
async fn told(content: &[Value], end: Value) -> String {
    let server = MockServer::start().await.unwrap();
    let capture = stream(content, &[], &end);
    server.push_reply(Reply::json(message(content, &end)));
    let whole = run(&mut against(&server, ["messages", "create", "hello"]));
    server.push_reply(Reply::sse([capture.clone()]));
    let streamed = run(&mut against(&server, ["messages", "stream", "hello"]));
    let recorded = decoded(&capture, &[]);
    for run in [&whole, &streamed, &recorded] {
        assert_eq!((run.status, &run.stderr), (Some(0), &whole.stderr), "{run:?}");
    }
    whole.stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_without_text_is_told_with_its_reasons_however_it_comes() {
    let details =
        json!({"type": "refusal", "category": "cyber", "explanation": "This is against the rules."});
    let lines = told(&[], json!({"stop_reason": "refusal", "stop_details": details})).await;
    assert_eq!(lines, "claudectl: the model refused to answer (cyber): This is against the rules.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_unknown_blocks_are_told_however_they_come() {
    let content = [
        json!({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ghent"}}),
        json!({"type": "hologram", "depth": 3}),
    ];
    assert_eq!(
        told(&content, json!({"stop_reason": "pause_turn"})).await,
        "claudectl: the model calls the tool weather with {\"city\":\"Ghent\"}\n\
         claudectl: `content[1]`, a block of type \"hologram\", is not known here, or not in this shape; see it with --json\n\
         claudectl: the model paused a long turn (pause_turn); the answer goes on when it is sent back\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_another_shape_is_told_with_its_place() {
    let end = json!({"stop_reason": "end_turn"});
    let text = |text: Value| json!({"type": "text", "text": text});
    let fancy = json!({"type": "fancy_delta", "glitter": 1});
    let cases = [
        (text(json!("")), json!({"type": "text_delta", "text": 5}), "`delta.text` is a number, not a string"),
        (text(json!("")), fancy, "`delta.type` is \"fancy_delta\", which is not known here"),
    ];
    let server = MockServer::start().await.unwrap();
    for (block, delta, told) in cases {
        let capture = stream(&[block], &[delta], &end);
        server.push_reply(Reply::sse([capture.clone()]));
        let streamed = run(&mut against(&server, ["messages", "stream", "hello"]));
        for run in [streamed, decoded(&capture, &[])] {
            assert!(run.status == Some(0) && run.stderr.contains(told), "{run:?}");
        }
        let json: Value = serde_json::from_str(decoded(&capture, &["--json"]).ok()).unwrap();
        assert!(json["warnings"][0].as_str().unwrap().contains(told), "{json}");
    }
    let capture = stream(&[text(json!(5))], &[], &end);
    let json: Value = serde_json::from_str(decoded(&capture, &["--json"]).ok()).unwrap();
    assert_eq!(
        json["warnings"][0],
        "`content[0].text` is a number, not a string; the block is kept as it came, unread"
    );
    assert_eq!(json["content"][0]["text"], 5);
}

#[test]
fn a_second_message_in_a_recording_is_an_error_and_the_first_is_printed() {
    let capture =
        stream(&[json!({"type": "text", "text": "Hello"})], &[], &json!({"stop_reason": "end_turn"}));
    let run = decoded(&format!("{capture}{capture}"), &[]);
    assert_eq!(run.stdout, "Hello\n");
    run.failed(1, "event 6: a second message began");
}

/// `script` gives the program a terminal of its own and prints what reaches it.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_no_control_sequences_of_the_models_and_a_pipe_gets_all() {
    const SHOWN: &str = "one\r\n\ttwo  ]0;title  three \r\n";
    let server = MockServer::start().await.unwrap();
    let evil = "one\n\ttwo \u{1b}]0;title\u{7}\u{202e}three\u{2066}";
    let end = json!({"stop_reason": "end_turn"});
    let begin = json!({"type": "text", "text": ""});
    let capture = stream(&[begin], &[json!({"type": "text_delta", "text": evil})], &end);
    for command in ["create", "stream"] {
        let reply = || match command {
            "create" => Reply::json(message(&[json!({"type": "text", "text": evil})], &end)),
            _ => Reply::sse([capture.clone()]),
        };
        server.push_reply(reply());
        assert_eq!(run(&mut against(&server, ["messages", command, "hello"])).ok(), format!("{evil}\n"));
        server.push_reply(reply());
        let line = format!("{} messages {command} hello", env!("CARGO_BIN_EXE_claudectl"));
        let mut script = Command::new("script");
        script.args(["-qec", line.as_str(), "/dev/null"]).env("ANTHROPIC_API_KEY", server.api_key());
        assert_eq!(at_a_terminal(script.env("ANTHROPIC_BASE_URL", server.base_url().as_str())), SHOWN);
    }
    assert_eq!(decoded(&capture, &[]).ok(), format!("{evil}\n"));
    let recording = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(recording.path(), capture).unwrap();
    let line = format!("{} stream decode < {}", env!("CARGO_BIN_EXE_claudectl"), recording.path().display());
    assert_eq!(at_a_terminal(Command::new("script").args(["-qec", line.as_str(), "/dev/null"])), SHOWN);
}

/// What reaches the terminal.
fn at_a_terminal(script: &mut Command) -> String {
    String::from_utf8(script.stdin(Stdio::null()).output().unwrap().stdout).unwrap()
}
