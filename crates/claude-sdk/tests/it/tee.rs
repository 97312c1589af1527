//! A stream split in two: both halves give everything, whoever asks first and whoever loses interest.

use claude_sdk::{Client, Error, TeeStream, stream::Accumulator, types::Message};
use futures_util::FutureExt as _;
use mock_server::{MockServer, Reply};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::rig::{backend, client, held, hello};

async fn split(server: &MockServer) -> (TeeStream, TeeStream) {
    let client = client(server).0.build().unwrap();
    client.messages().stream(&hello()).await.unwrap().tee()
}

async fn message(mut half: TeeStream) -> Message {
    let mut accumulator = Accumulator::new();
    while let Some(event) = half.next().await {
        accumulator.push(&event.unwrap()).unwrap();
    }
    accumulator.finish().unwrap()
}

#[tokio::test]
async fn both_halves_have_the_whole_message_one_after_the_other_or_at_once() {
    let server = held().start().await.unwrap();
    let (left, right) = split(&server).await;
    let first = message(left).await;
    assert!(!first.text().is_empty());
    assert_eq!(message(right).await, first, "what the first has read waits for the second");

    let (left, right) = split(&server).await;
    let (left, right) = tokio::join!(tokio::spawn(message(left)), tokio::spawn(message(right)));
    assert_eq!(left.unwrap().text(), first.text());
    assert_eq!(right.unwrap().text(), first.text());

    let (left, right) = split(&server).await;
    drop(left);
    assert_eq!(message(right).await.text(), first.text(), "a half that is gone takes nothing with it");
}

#[tokio::test]
async fn both_halves_get_the_error_and_then_the_end() {
    let server = held().start().await.unwrap();
    server.set_script([Reply::sse(["event: message_stop\ndata: {}\n\n"])]);
    let (mut left, mut right) = split(&server).await;
    for half in [&mut left, &mut right] {
        let error = half.next().await.unwrap().unwrap_err();
        assert!(matches!(&*error, Error::Stream(_)), "{error:?}");
        assert!(half.next().await.is_none());
    }
}

/// A connection whose answer the test writes itself.
async fn held_open() -> (Client, TcpListener) {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder()
        .base_url(format!("http://{}", server.local_addr().unwrap()))
        .api_key("sk-ant-key")
        .backend(backend())
        .build()
        .unwrap();
    (client, server)
}

async fn begins(server: &TcpListener) -> TcpStream {
    let (mut socket, _) = server.accept().await.unwrap();
    let _ = socket.read(&mut [0; 4096]).await.unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let start = "event: message_start\ndata: {\"message\":{\"id\":\"msg_1\",\"role\":\"assistant\",\"model\":\"m\",\
                 \"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n";
    let block = "event: content_block_start\ndata: {\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    socket.write_all(format!("{head}{start}{block}").as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_half_that_asked_last_and_lost_interest_keeps_the_other_from_nothing() {
    let (client, server) = held_open().await;
    let request = hello();
    let (stream, mut socket) = tokio::join!(client.messages().stream(&request), begins(&server));
    let (mut left, mut right) = stream.unwrap().tee();
    for half in [&mut left, &mut right] {
        for name in ["message_start", "content_block_start"] {
            assert_eq!(half.next().await.unwrap().unwrap().name(), name);
        }
    }
    let waiting = tokio::spawn(async move { left.next().await.unwrap().unwrap().name().to_owned() });
    tokio::task::yield_now().await;
    assert!(right.next().now_or_never().is_none(), "nothing has come");
    socket.write_all(b"event: content_block_stop\ndata: {\"index\":0}\n\n").await.unwrap();
    assert_eq!(waiting.await.unwrap(), "content_block_stop");
    assert_eq!(right.next().await.unwrap().unwrap().name(), "content_block_stop");
}
