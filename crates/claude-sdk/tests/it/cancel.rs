//! A call is cancelled by dropping it: the connection is closed, and the limiter hears of it.

use claude_sdk::{
    Client, ClientBuilder,
    ratelimit::{Cost, test_util::Recorder},
};
use futures_util::future::poll_immediate;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::rig::{Waits, backend, hello};

const BEGUN: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\
                     \"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5\",\"content\":[],\
                     \"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\
                     \"output_tokens\":4}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\
                     \"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
                     event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                     \"delta\":{\"type\":\"text_delta\",\"text\":\"half\"}}\n\n";

/// A server that answers what the test writes, and nothing else.
async fn place() -> (TcpListener, ClientBuilder, Recorder) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limiter = Recorder::new();
    let client = Client::builder()
        .base_url(format!("http://{}", listener.local_addr().unwrap()))
        .api_key("key")
        .backend(backend())
        .clock(Waits::default())
        .rate_limiter(limiter.clone());
    (listener, client, limiter)
}

/// Reads the whole request.
async fn request(socket: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.ends_with(b"]}") {
        assert!(socket.read_buf(&mut read).await.unwrap() > 0, "the request ended early");
    }
}

/// Waits until the other side has closed; a reset is an end too.
async fn is_closed(mut socket: TcpStream) -> bool {
    let mut byte = [0];
    matches!(socket.read(&mut byte).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn a_message_that_is_dropped_closes_its_connection_and_settles() {
    let (listener, client, limiter) = place().await;
    let client = client.build().unwrap();
    let (hello, messages) = (hello(), client.messages());
    let mut call = Box::pin(messages.create(&hello));
    let mut accepting = Box::pin(listener.accept());
    let mut socket = loop {
        assert!(poll_immediate(&mut call).await.is_none());
        if let Some(accepted) = poll_immediate(&mut accepting).await {
            break accepted.unwrap().0;
        }
        tokio::task::yield_now().await;
    };
    tokio::select! {
        _ = &mut call => panic!("nothing was answered"),
        () = request(&mut socket) => {}
    }
    assert!(limiter.settled().is_empty());

    drop(call);

    assert!(is_closed(socket).await);
    assert!(
        matches!(limiter.settled()[..], [(_, Some(cost))] if cost.requests == 1 && cost.output_tokens == 200),
        "the service may have done all of it: {:?}",
        limiter.settled()
    );
}

#[tokio::test]
async fn a_stream_that_is_dropped_closes_its_connection_and_settles_what_it_has_cost() {
    let (listener, client, limiter) = place().await;
    let client = client.build().unwrap();
    let server = async {
        let mut socket = listener.accept().await.unwrap().0;
        request(&mut socket).await;
        let chunk = format!("{BEGUN}{:x}\r\n{START}\r\n", START.len());
        socket.write_all(chunk.as_bytes()).await.unwrap();
        socket
    };
    let (hello, messages) = (hello(), client.messages());
    let (stream, socket) = tokio::join!(messages.stream(&hello), server);
    let mut stream = stream.unwrap();
    for _ in 0..3 {
        stream.next().await.unwrap().unwrap();
    }
    assert!(poll_immediate(stream.next()).await.is_none(), "nothing more has come");

    drop(stream);

    assert!(is_closed(socket).await);
    let cost = Cost::requests(1).with_input_tokens(9).with_output_tokens(4);
    assert!(
        matches!(limiter.settled()[..], [(_, Some(settled))] if settled == cost),
        "{:?}",
        limiter.settled()
    );
}
