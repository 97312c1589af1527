//! Many calls at once from a process that has few file descriptors, or little memory (F73, F74).

use std::process::Command;

use bytes::Bytes;
use mock_server::{MockServer, Reply};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["reqwest", "hyper"];

/// The far ends of all connections are in this process, which needs more descriptors than one usually may have.
async fn server() -> MockServer {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    MockServer::builder().requests_per_minute(u32::MAX).start().await.unwrap()
}

/// What the crowd prints, or how it ended and what it said.
async fn crowd(mock: &MockServer, descriptors: u32, arguments: [&str; 5]) -> Result<Value, String> {
    let [backend, work, count, at_once, spare] = arguments;
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -c 0; ulimit -n {descriptors}; exec \"$0\" \"$@\"")]);
    command.args([env!("CARGO_BIN_EXE_crowd"), backend, mock.base_url().as_str(), mock.api_key()]);
    command.args([work, count, at_once, spare]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(format!("{}: {said}", output.status)),
    }
}

fn event(data: &Value) -> Bytes {
    let name = data["type"].as_str().unwrap();
    format!("event: {name}\ndata: {data}\n\n").into()
}

#[tokio::test]
async fn five_thousand_calls_held_back_by_a_limiter_need_no_more_descriptors_than_there_are() {
    let mock = server().await;
    for backend in BACKENDS {
        // Both clients begin a connection for a call that waits for one, and keep it where another came free sooner: there may be
        // two for each.
        let came = crowd(&mock, 1_024, [backend, "calls", "5000", "450", "0"]).await.unwrap();
        assert_eq!(came, json!({"came": {"done": 5_000}, "one_more": true, "why_not": null}), "{backend}");
    }
}

#[tokio::test]
async fn calls_without_a_descriptor_say_so_and_cost_the_server_no_trust() {
    let mock = server().await;
    for backend in BACKENDS {
        // The answers are held back, so that no connection comes free before there are too many.
        let held = mock.hold_answers("/v1/messages");
        let (came, ()) =
            tokio::join!(crowd(&mock, 64, [backend, "calls made once", "300", "0", "0"]), async {
                while mock.open_connections() < 40 {
                    tokio::task::yield_now().await;
                }
                drop(held);
            });
        let came = came.unwrap();
        let ended = came["came"].as_object().unwrap();
        let done = ended["done"].as_u64().unwrap();
        let starved = ended.iter().filter(|(text, _)| text.contains("no file descriptor left"));
        let starved: u64 = starved.map(|(_, count)| count.as_u64().unwrap()).sum();
        // Ten failures of the server in a row would keep the last call from being sent.
        assert!(starved >= 100 && done >= 40, "{backend}: {came}");
        assert_eq!(starved + done, 300, "{backend}: {came}");
        assert_eq!(came["one_more"], true, "{backend}: {came}");
    }
}

#[tokio::test]
async fn a_thousand_streams_held_back_by_a_limiter_fit_into_64_mib_however_much_is_coming() {
    let mock = server().await;
    // 128 KiB each: twice what there is.
    let text = json!({"type": "text_delta", "text": "a".repeat(16 * 1024)});
    let delta = event(&json!({"type": "content_block_delta", "index": 0, "delta": text}));
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage
    });
    let block = json!({"type": "text", "text": ""});
    let pieces = [
        event(&json!({"type": "message_start", "message": message})),
        event(&json!({"type": "content_block_start", "index": 0, "content_block": block})),
        delta.repeat(8).into(),
        event(&json!({"type": "content_block_stop", "index": 0})),
        event(&json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})),
        event(&json!({"type": "message_stop"})),
    ];
    let streams = || std::iter::repeat_with(|| Reply::sse(pieces.clone())).take(1_000);
    for backend in BACKENDS {
        mock.set_script(streams());
        let came = crowd(&mock, 4_096, [backend, "streams", "1000", "50", "64"]).await.unwrap();
        assert_eq!(came, json!({"came": {"done": 1_000}, "one_more": true, "why_not": null}), "{backend}");
    }
    // The limit is one: a program that keeps all of it comes to its end.
    mock.set_script(streams());
    let hoarded = crowd(&mock, 4_096, ["reqwest", "hoarded streams", "1000", "50", "64"]).await;
    assert!(hoarded.unwrap_err().contains("memory allocation"), "a limit that does not bind proves nothing");
}
