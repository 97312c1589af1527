use http::{HeaderName, HeaderValue, StatusCode};
use mock_server::Reply;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{get, held, message, token_request, url};

#[tokio::test]
async fn a_script_is_said_in_order_and_then_the_echo_returns() {
    let server = held().script([Reply::text("one")]).start().await.unwrap();
    server.push_reply(Reply::tool_use("get_time", json!({"zone": "UTC"})));
    let say = || message(&server, &json!({})).key(server.api_key()).send();
    assert_eq!(say().await.json()["content"][0]["text"], "one");
    let tool = say().await.json();
    assert_eq!((&tool["content"][0]["name"], &tool["stop_reason"]), (&json!("get_time"), &json!("tool_use")));
    assert_eq!(say().await.json()["content"][0]["text"], "You said: hello there");
    server.set_script([Reply::text("two").stop_reason("refusal")]);
    assert_eq!(say().await.json()["stop_reason"], "refusal");
}

#[tokio::test]
async fn a_refused_request_leaves_the_script_alone() {
    let server = held().script([Reply::text("one")]).start().await.unwrap();
    assert_eq!(message(&server, &json!({})).send().await.status, 400);
    assert_eq!(message(&server, &json!({"max_tokens": -1})).key(server.api_key()).send().await.status, 400);
    let said = message(&server, &json!({})).key(server.api_key()).send().await;
    assert_eq!(said.json()["content"][0]["text"], "one");
}

#[tokio::test]
async fn an_error_can_be_scripted_with_its_headers() {
    let overloaded = Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "try later")
        .header(HeaderName::from_static("retry-after"), HeaderValue::from_static("7"))
        .header(HeaderName::from_static("request-id"), HeaderValue::from_static("req_mine"));
    let server = held().script([overloaded]).start().await.unwrap();
    let reply = message(&server, &json!({"stream": true})).key(server.api_key()).send().await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (529, "7"));
    assert_eq!(
        (reply.header("request-id"), &reply.json()["error"]["type"]),
        ("req_mine", &json!("overloaded_error"))
    );
}

#[tokio::test]
async fn any_path_can_be_scripted() {
    let server = held()
        .script([
            Reply::html("<h1>Sign in to the Wi-Fi</h1>").on("/v1/models"),
            Reply::html("<h1>Sign in to the Wi-Fi</h1>").on("/v1/oauth/token"),
            Reply::json(json!({"data": []})).on("/v1/agents"),
        ])
        .start()
        .await
        .unwrap();
    let models = get(url(&server, "/v1/models")).key(server.api_key()).send().await;
    assert_eq!((models.status.as_u16(), models.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(token_request(&server, &[]).await.text().starts_with("<h1>"));
    assert_eq!(get(url(&server, "/v1/agents")).send().await.json(), json!({"data": []}));
    assert_eq!(get(url(&server, "/v1/agents")).send().await.status, 404);
}

#[tokio::test]
async fn pieces_arrive_as_they_were_given() {
    let server = held().script([Reply::sse(["event: pi", "ng\ndata: {}\n", "\n"])]).start().await.unwrap();
    let mut stream = TcpStream::connect(server.base_url().socket_addrs(|| None).unwrap()[0]).await.unwrap();
    let body =
        json!({"model": "claude-opus-5", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]})
            .to_string();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\nanthropic-version: 2026-10-21\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        server.api_key(),
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut raw = String::new();
    stream.read_to_string(&mut raw).await.unwrap();
    let wire = raw.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(wire, "9\r\nevent: pi\r\nC\r\nng\ndata: {}\n\r\n1\r\n\n\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_truncated_body_looks_complete_and_a_broken_one_does_not() {
    let server = held().start().await.unwrap();
    for stream in [false, true] {
        server.set_script([
            Reply::text("one two three").truncate_after(50),
            Reply::text("one two three").break_after(50),
        ]);
        let say = || message(&server, &json!({"stream": stream})).key(server.api_key()).send_anyhow();
        let (reply, whole) = say().await;
        assert_eq!((reply.body.len(), whole), (50, true), "stream: {stream}");
        let (reply, whole) = say().await;
        assert_eq!((reply.body.len(), whole), (50, false), "stream: {stream}");
    }
}
