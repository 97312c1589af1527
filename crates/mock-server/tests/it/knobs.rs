//! The table of faults in docs/mock.md: each example by header, by order and from a script.

use std::io::ErrorKind;

use bytes::Bytes;
use mock_server::{Builder, MockServer, Script};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{MODEL, delete, get, held, post, url};

const PAGE: &str = include_str!("../../../../docs/mock.md");

/// The examples of the table, each with what the row says of it.
fn examples() -> Vec<(&'static str, &'static str)> {
    let table = PAGE.split_once("| write | for example |").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    cells.map(|cells| (cells[1].trim_matches('`'), cells[2])).collect()
}

fn request(server: &MockServer, example: &str, header: &str) -> String {
    let stream =
        ["event", "bom", "line-ends", "chunks", "keep-alive"].iter().any(|word| example.contains(word));
    let message = json!({"model": MODEL, "max_tokens": 100, "stream": stream,
        "messages": [{"role": "user", "content": "hello there"}]});
    let (path, body) = match example {
        "lose-mail" => ("/oauth/login", "request_id=x".to_owned()),
        _ => ("/v1/messages", message.to_string()),
    };
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nanthropic-version: 2026-10-21\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n{header}\r\n{body}",
        server.api_key(),
        body.len()
    )
}

/// What a client sees: the bytes, and how it ended.
async fn outcome(server: &MockServer, example: &str, header: &str) -> (Bytes, String) {
    let mut stream = TcpStream::connect(server.base_url().socket_addrs(|| None).unwrap()[0]).await.unwrap();
    let asked = request(server, example, header);
    let sent = stream.write_all(asked.as_bytes()).await.map_err(|error| error.kind());
    let mut seen = Vec::new();
    let held = ["stall", "drip", "delay"].iter().any(|word| example.starts_with(word));
    if held || example.starts_with("keep-alive") {
        let enough = |seen: &[u8]| match held {
            true => example.starts_with("delay") || seen.len() >= 12,
            false => String::from_utf8_lossy(seen).matches(": still here").count() >= 2,
        };
        while !enough(&seen) {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
            seen.push(byte[0]);
        }
        while server.journal_len() == 0 {
            tokio::task::yield_now().await;
        }
        let more = stream.try_read(&mut [0; 1]).map_err(|error| error.kind());
        // Of what is kept alive, how many have come is the clock's affair.
        if !held {
            seen.truncate(12);
        }
        return (seen.into(), if held { format!("{more:?}") } else { "kept alive".to_owned() });
    }
    let end = match sent {
        Err(kind) => Some(kind),
        Ok(()) => stream.read_to_end(&mut seen).await.err().map(|error| error.kind()),
    };
    (seen.into(), format!("{end:?}"))
}

/// As a text in TOML and in JSON.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn scripted(example: &str) -> Builder {
    held().play(Script::read(&format!("[[fault]]\ndo = {}", quoted(example))).unwrap())
}

async fn order(server: &MockServer, body: &Value) -> (u16, Value) {
    let request = post(url(server, "/mock/faults"), body.to_string());
    let reply = request.header("content-type", "application/json").send().await;
    (reply.status.as_u16(), reply.json())
}

#[tokio::test]
async fn each_fault_of_the_table_is_the_same_by_header_by_order_and_from_a_script() {
    let examples = examples();
    assert!(examples.len() > 35, "{examples:?}");
    for (example, says) in examples {
        if says.contains("--tls") {
            continue;
        }
        let server = scripted(example).start().await.unwrap();
        let from_script = outcome(&server, example, "").await;
        let note = server.journal().last().and_then(|entry| entry.note);

        let server = held().start().await.unwrap();
        assert_eq!(order(&server, &json!({"do": example})).await.0, 200, "{example}");
        assert_eq!(outcome(&server, example, "").await, from_script, "{example} by order");

        let server = held().start().await.unwrap();
        let by_header = outcome(&server, example, &format!("x-mock-fault: {example}\r\n")).await;
        if says.contains("not by header") {
            assert!(by_header.0.starts_with(b"HTTP/1.1 400"), "{example}: {by_header:?}");
        } else {
            assert_eq!(by_header, from_script, "{example} by header");
        }

        let server = held().start().await.unwrap();
        let plain = outcome(&server, "", "").await;
        let streamed = outcome(&held().start().await.unwrap(), "chunks", "").await;
        if example == "lose-mail" {
            // There is no login that it could be for: `login` has one.
            assert_eq!(note, None);
        } else {
            assert!(from_script != plain && from_script != streamed, "{example} changes nothing: {plain:?}");
        }
        if example.starts_with("reset") {
            assert_eq!(from_script.1, format!("{:?}", Some(ErrorKind::ConnectionReset)));
        }
    }
}

#[tokio::test]
async fn an_order_is_scoped_by_path_count_and_credential() {
    let server = held().start().await.unwrap();
    let fault = json!({"do": "status 529", "on": "/v1/models", "times": 2, "credential": server.api_key()});
    assert_eq!(order(&server, &fault).await, (200, json!({})));
    let status = async |path: &str, key: &str| get(url(&server, path)).key(key).send().await.status.as_u16();
    assert_eq!((status("/", "x").await, status("/v1/models", "other").await), (200, 401));
    let key = server.api_key();
    let seen =
        [status("/v1/models", key).await, status("/v1/models", key).await, status("/v1/models", key).await];
    assert_eq!(seen, [529, 529, 200]);

    order(&server, &json!({"do": "garbage", "always": true, "probability": 0.0})).await;
    assert_eq!(status("/v1/models", key).await, 200);
    order(&server, &json!({"do": "status 500", "always": true, "probability": 1.0})).await;
    assert_eq!(status("/v1/models", key).await, 500);
    server.clear_faults();
    assert_eq!(status("/v1/models", key).await, 200);
}

#[tokio::test]
async fn what_is_still_to_happen_can_be_seen_and_shows_no_credential() {
    let server = held().start().await.unwrap();
    let key = server.api_key();
    order(&server, &json!({"do": "status 529", "on": "/v1/models", "times": 2, "credential": key})).await;
    order(&server, &json!({"do": "close  event 3", "always": true, "probability": 0.0})).await;
    server.inject(mock_server::Fault::garbage().on("/nowhere"));
    let pending = async || {
        let reply = get(url(&server, "/mock/faults")).send().await;
        assert!(!reply.text().contains("CANARY"), "{}", reply.text());
        reply.json()["faults"].as_array().unwrap().clone()
    };
    let first = |times: u32| {
        json!({"do": "status 529", "on": "/v1/models", "times": times, "always": false, "probability": 1.0,
            "credential": "[redacted]"})
    };
    let all = pending().await;
    assert_eq!((all.len(), &all[0]), (3, &first(2)));
    assert_eq!(
        (&all[1]["do"], &all[1]["always"], &all[1]["times"]),
        (&json!("close  event 3"), &json!(true), &Value::Null)
    );
    assert_eq!((&all[2]["do"], &all[2]["on"]), (&Value::Null, &json!("/nowhere")));
    get(url(&server, "/v1/models")).key(key).send().await;
    assert_eq!(pending().await[0], first(1));
    get(url(&server, "/v1/models")).key(key).send().await;
    assert_eq!(pending().await.len(), 2);
    server.clear_faults();
    assert_eq!(pending().await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_order_that_is_not_understood_says_why_and_changes_nothing() {
    let server = held().start().await.unwrap();
    for (body, told) in [
        (json!({}), "do: say what"),
        (json!({"do": "explode"}), "no such fault"),
        (json!({"do": 7}), "do: cannot be this"),
        (json!({"do": "garbage", "when": "now"}), "when: is no member"),
        (json!({"do": "garbage", "probability": 2}), "probability: cannot be this"),
        (json!({"do": "garbage", "on": "v1"}), "on: cannot be this"),
        (json!({"do": "garbage", "times": 0}), "times: cannot be this"),
        (json!({"do": "garbage", "times": 3, "always": true}), "times: give this or always"),
        (json!({"do": "old-tls"}), "do: this happens within TLS"),
        (json!([]), "no JSON object"),
    ] {
        let (status, error) = order(&server, &body).await;
        assert!(status == 400 && error["error"].as_str().unwrap().contains(told), "{body}: {error}");
    }
    // A form is what a page of somebody else could send.
    let form = post(url(&server, "/mock/faults"), r#"{"do": "garbage"}"#).send().await;
    assert!(form.status == 400 && form.text().contains("content-type"), "{}", form.text());
    assert_eq!(get(url(&server, "/mock/clock")).send().await.status, 405);
    assert_eq!(get(url(&server, "/")).send().await.status, 200);
}

#[tokio::test]
async fn a_page_of_somebody_else_gives_no_order_and_reads_nothing() {
    let server = held().start().await.unwrap();
    order(&server, &json!({"do": "garbage"})).await;
    for path in ["/mock/faults", "/mock/journal", "/mock/mail"] {
        let rebound = get(url(&server, path)).header("host", "evil.example:8080").send().await;
        assert_eq!(rebound.status, 403, "{path}");
        assert!(rebound.text().contains("127.0.0.1, localhost"), "{}", rebound.text());
    }
    let delete = || delete(url(&server, "/mock/faults"));
    assert_eq!(delete().header("origin", "http://evil.example").send().await.status, 403);
    assert_eq!(delete().header("host", "evil.example").send().await.status, 403);
    let pending = || get(url(&server, "/mock/faults")).header("host", "localhost:1").send();
    assert_eq!(pending().await.json()["faults"].as_array().unwrap().len(), 1);
    assert_eq!(delete().send().await.status, 200);
    assert!(pending().await.json()["faults"].as_array().unwrap().is_empty());
    assert_eq!(get(url(&server, "/")).header("host", "evil.example").send().await.status, 200);
}

#[tokio::test]
async fn orders_move_the_clock_give_the_journal_and_sign_identities() {
    let server = held().start().await.unwrap();
    let order = |path, body: Value| {
        post(url(&server, path), body.to_string()).header("content-type", "application/json").send()
    };
    get(url(&server, "/v1/models")).key(server.api_key()).send().await;
    order("/mock/clock", json!({"advance_seconds": 60})).await;
    let date = get(url(&server, "/")).send().await;
    assert!(date.header("date").ends_with("08:01:00 GMT"), "{}", date.header("date"));
    assert_eq!(order("/mock/clock", json!({"advance_seconds": -1})).await.status, 400);

    let journal = get(url(&server, "/mock/journal")).send().await;
    let lines: Vec<Value> = journal.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["path"], &lines[0]["credential"]), (&json!("/v1/models"), &json!("api_key")));
    assert!(!journal.text().contains("CANARY"));
    server.assert_journal(&["GET /v1/models 200", "GET / 200"]);

    let identity =
        order("/mock/identity-token", json!({"subject": "job", "claims": {"repository": "a/b"}})).await;
    let told = identity.json();
    assert_eq!(told["federation_rule_id"], server.federation_rule_id());
    let pairs = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", told["identity_token"].as_str().unwrap()),
    ];
    assert_eq!(crate::client::token_request(&server, &pairs).await.status, 200);
}

#[tokio::test]
#[should_panic(expected = "the journal says")]
async fn a_journal_that_says_something_else_fails_the_test() {
    let server = held().start().await.unwrap();
    server.assert_journal(&["GET / 200"]);
}
