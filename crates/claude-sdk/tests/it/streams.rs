//! Streams that do not end as they should: what had arrived is never lost, and never taken for the whole.

use std::time::Duration;

use claude_sdk::{
    Client, Error, MessageStream, Reply, StreamError,
    transport::SimClock,
    types::{ErrorType, Message, MessageRequest},
};
use http::StatusCode;
use mock_server::{MockServer, Reply as Script};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::rig::{backend, client, held, hello, t0, told, until};

const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\
                     \"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5\",\"content\":[],\
                     \"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\
                     \"output_tokens\":1}}}\n\n";
const BLOCK: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\
                     \"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const HALF: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                    \"delta\":{\"type\":\"text_delta\",\"text\":\"half\"}}\n\n";

async fn fails(server: &MockServer, reply: Script) -> Box<StreamError> {
    server.set_script([reply]);
    let client = client(server).0.build().unwrap();
    let mut stream = client.messages().stream(&hello()).await.unwrap();
    let error = loop {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("a stream that does not end as it should ended without an error"),
        }
    };
    assert!(stream.next().await.is_none(), "one error, then the end");
    assert!(stream.final_message().await.is_err(), "and no message out of it");
    assert!(error.request_id().unwrap().starts_with("req_"));
    assert_eq!(error.attempts(), 1);
    match error {
        Error::Stream(error) => error,
        other => panic!("{other:?}"),
    }
}

/// Reads event by event; an end without an error has to be the end of the message.
async fn whole(mut stream: MessageStream) -> Result<Reply<Message>, Error> {
    while let Some(event) = stream.next().await {
        event?;
    }
    Ok(stream.final_message().await.expect("a stream ended without an error, and without its message"))
}

#[tokio::test]
async fn a_stream_cut_anywhere_is_told_from_a_whole_one() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.max_retries(0).circuit_breaker(None).build().unwrap();
    let request = MessageRequest::new("claude-opus-5", 100).user("x");
    for broken in [false, true] {
        let (mut cut, mut longest) = (0, 0);
        loop {
            let reply = Script::text("one two three");
            server.set_script([if broken { reply.break_after(cut) } else { reply.truncate_after(cut) }]);
            let result = match client.messages().stream(&request).await {
                Ok(stream) => whole(stream).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(message) => {
                    assert_eq!(message.text(), "one two three", "cut at {cut}");
                    break;
                }
                // Nothing but the head had come, if that.
                Err(Error::Transport(_)) if broken && cut == 0 => {}
                Err(Error::Stream(error)) => {
                    assert!(error.is_truncated(), "cut at {cut}: {error:?}");
                    assert!(told(&*error).contains("send the request again"), "{error}");
                    if let Some(partial) = error.partial() {
                        let text = partial.text();
                        assert!("one two three".starts_with(&text), "cut at {cut}: {text}");
                        assert!(partial.usage.input_tokens > 0);
                        assert!(text.len() >= longest, "a longer body never gives less");
                        longest = text.len();
                    }
                }
                Err(error) => panic!("cut at {cut}: {error:?}"),
            }
            cut += 41;
        }
        assert!(cut > 1000 && longest == "one two three".len(), "{cut} {longest}");
    }
}

#[tokio::test]
async fn an_error_event_is_the_error_its_status_would_be() {
    let server = held().start().await.unwrap();
    for (kind, status, retryable) in [
        ("overloaded_error", 529, true),
        ("rate_limit_error", 429, true),
        ("api_error", 500, true),
        ("invalid_request_error", 400, false),
        ("not_yet_known_error", 500, true),
    ] {
        let event = format!(
            "event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":\"enough\"}}}}\n\n"
        );
        let error = fails(&server, Script::sse([START.into(), BLOCK.into(), HALF.to_owned(), event])).await;
        let refusal = error.api_error().unwrap();
        assert_eq!(refusal.status().as_u16(), status, "{kind}");
        assert_eq!(refusal.kind(), &ErrorType::from(kind));
        assert_eq!(refusal.message(), "enough");
        assert!(!error.is_truncated());
        assert_eq!(error.partial().unwrap().text(), "half");
        assert!(told(&*error).contains(kind), "{}", told(&*error));
        assert_eq!(Error::from(error).is_retryable(), retryable, "{kind}");
    }
}

#[tokio::test]
async fn what_is_not_a_message_is_refused_with_what_had_arrived() {
    let server = held().start().await.unwrap();
    let broken = "event: content_block_delta\ndata: {\"type\":\"content_blo\n\n";
    let backwards = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":7}\n\n";
    for (events, says) in [
        (vec![START, BLOCK, HALF, broken], "not the JSON it should be"),
        (vec![START, BLOCK, HALF, backwards], "impossible order"),
        (vec![START, BLOCK, HALF, START], "impossible order"),
    ] {
        let error = fails(&server, Script::sse(events)).await;
        assert!(told(&*error).contains(says), "{}", told(&*error));
        assert!(!error.is_truncated());
        assert_eq!(error.partial().unwrap().text(), "half");
        assert!(!Error::from(error).is_retryable());
    }
}

#[tokio::test]
async fn a_web_page_in_the_place_of_a_stream_is_an_answer_of_the_wrong_kind() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for reply in [
        Script::html("<h1>Sign in</h1>"),
        Script::json(serde_json::json!({"type": "message"})),
        Script::html("<h1>gone</h1>").status(StatusCode::NOT_FOUND),
    ] {
        server.set_script([reply]);
        let error = client.messages().stream(&hello()).await.unwrap_err();
        assert!(matches!(error, Error::Answer(_)), "{error:?}");
        assert!(error.to_string().contains("check the base URL"), "{error}");
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up_with_what_had_arrived() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clock = SimClock::new(t0());
    let client = Client::builder()
        .base_url(format!("http://{}", server.local_addr().unwrap()))
        .api_key("sk-ant-key")
        .backend(backend())
        .clock(clock.clone())
        .idle_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let (arrived, first) = tokio::sync::oneshot::channel();
    let call = tokio::spawn(async move {
        let mut stream = client.messages().stream(&hello()).await?;
        arrived.send(stream.text_stream().next().await.unwrap()?).unwrap();
        stream.final_message().await
    });
    let (mut socket, _) = server.accept().await.unwrap();
    let request = &mut [0; 4096];
    let _ = socket.read(request).await.unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\n\r\n";
    socket.write_all(format!("{head}{START}{BLOCK}{HALF}").as_bytes()).await.unwrap();
    assert_eq!(first.await.unwrap(), "half");
    until(|| clock.sleepers() == 2).await; // for bytes, and for an event
    clock.advance(Duration::from_secs(59));
    tokio::task::yield_now().await;
    assert!(!call.is_finished());
    clock.advance(Duration::from_secs(1));

    let Error::Stream(error) = call.await.unwrap().unwrap_err() else { panic!("no error of a stream") };
    assert!(error.is_truncated());
    assert_eq!(error.partial().unwrap().text(), "half");
    assert!(told(&*error).contains("stopped sending"), "{}", told(&*error));
}
