//! HTTP/2, and what goes wrong with it.

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mock_server::{Fault, MockServer};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::client::{MODEL, held};

/// A client that begins with HTTP/2.
struct Client {
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn of(server: &MockServer) -> Self {
        let address = server.base_url().socket_addrs(|| None).unwrap()[0];
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        Self { sender, connection: tokio::spawn(connection) }
    }

    /// Asks for a message; gives its status and how many bytes came, or what ended it.
    async fn ask(&mut self, server: &MockServer, stream: bool) -> Result<(StatusCode, usize), String> {
        let body = json!({"model": MODEL, "max_tokens": 100, "stream": stream,
            "messages": [{"role": "user", "content": "hello there"}]});
        let request = Request::post(server.base_url().join("v1/messages").unwrap().as_str())
            .header("anthropic-version", "2026-10-21")
            .header("authorization", format!("Bearer {}", server.api_key()))
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        let reply = self.sender.send_request(request).await.map_err(|error| format!("{error:?}"))?;
        assert_eq!(reply.version(), Version::HTTP_2);
        let status = reply.status();
        let whole = reply.into_body().collect().await.map_err(|error| format!("body: {error:?}"))?;
        Ok((status, whole.to_bytes().len()))
    }
}

#[tokio::test]
async fn a_client_that_begins_with_http_2_is_answered_so_on_one_connection() {
    let server = held().start().await.unwrap();
    let mut client = Client::of(&server).await;
    for stream in [false, true] {
        let (status, length) = client.ask(&server, stream).await.unwrap();
        assert!(status == 200 && length > 100, "{status} {length}");
    }
    assert_eq!((server.connections(), server.journal_len()), (1, 2));
    server.shutdown().await;
    assert!(client.ask(&held().start().await.unwrap(), false).await.is_err(), "the connection is over");
}

/// F7.
#[tokio::test]
async fn a_stream_that_is_refused_was_not_served_and_its_connection_goes_on() {
    let server = held().start().await.unwrap();
    let mut client = Client::of(&server).await;
    server.inject(Fault::refuse_stream());
    let error = client.ask(&server, false).await.unwrap_err();
    assert!(error.contains("REFUSED_STREAM"), "{error}");
    assert_eq!(server.journal_len(), 0);
    assert_eq!(client.ask(&server, false).await.unwrap().0, 200);
    assert_eq!((server.connections(), server.journal_len()), (1, 1));
}

/// F7.
#[tokio::test]
async fn a_connection_that_goes_away_says_whether_the_request_was_served() {
    for (served, what) in [(false, "GoAway"), (true, "")] {
        let server = held().start().await.unwrap();
        let mut client = Client::of(&server).await;
        server.inject(Fault::go_away(served));
        let error = client.ask(&server, false).await.unwrap_err();
        // What it leaves out ends with it; what it does not, with the connection.
        assert_eq!(error.contains("GoAway(b\"\", NO_ERROR"), !served, "{what}: {error}");
        assert_eq!(server.journal_len(), usize::from(served));
        // In order or not, the connection is over.
        let _ = client.connection.await.unwrap();
        assert_eq!(Client::of(&server).await.ask(&server, false).await.unwrap().0, 200);
        assert_eq!(server.connections(), 2);
    }
}

/// F8.
#[tokio::test]
async fn an_answer_that_breaks_off_is_a_stream_that_is_reset() {
    let server = held().start().await.unwrap();
    let mut client = Client::of(&server).await;
    for (fault, stream) in [("close body 20", false), ("reset event 3", true), ("close request", false)] {
        server.inject(fault.parse().unwrap());
        let error = client.ask(&server, stream).await.unwrap_err();
        assert!(error.contains("Reset(") && error.contains("INTERNAL_ERROR"), "{fault}: {error}");
        assert_eq!(client.ask(&server, stream).await.unwrap().0, 200, "{fault}");
    }
    assert_eq!(server.connections(), 1);
}

/// F8.
#[tokio::test]
async fn frames_come_before_the_answer_and_are_acknowledged() {
    let server = held().start().await.unwrap();
    let mut client = Client::of(&server).await;
    client.ask(&server, false).await.unwrap();
    let before = server.bytes_received();
    server.inject("frames ping 50".parse().unwrap());
    assert_eq!(client.ask(&server, false).await.unwrap().0, 200);
    // Far more than a request has.
    while server.bytes_received() < before + 50 * 17 {
        tokio::task::yield_now().await;
    }
    server.inject("frames settings 1".parse().unwrap());
    assert_eq!(client.ask(&server, false).await.unwrap().0, 200);
    assert_eq!(server.journal_len(), 3);
    // The server is told that its settings are known, when it thinks it sent none.
    let _ = client.connection.await.unwrap();
}

/// F8.
#[tokio::test]
async fn headers_without_end_are_no_answer_of_whichever_request_of_the_connection() {
    let server = held().start().await.unwrap();
    let mut client = Client::of(&server).await;
    client.ask(&server, false).await.unwrap();
    server.inject("frames continuation 5000".parse().unwrap());
    let error = client.ask(&server, false).await.unwrap_err();
    // What the client says of it, or that nobody hears it any more.
    assert!(["ENHANCE_YOUR_CALM", "PROTOCOL_ERROR", "Io"].iter().any(|told| error.contains(told)), "{error}");
    assert_eq!(server.journal_len(), 2);
    let _ = client.connection.await.unwrap();
    assert_eq!(Client::of(&server).await.ask(&server, false).await.unwrap().0, 200);
}

#[tokio::test]
async fn what_goes_wrong_with_the_bytes_of_a_connection_goes_wrong_with_its_frames() {
    for fault in ["garbage", "close byte 12", "reset byte 0", "extra what is no frame"] {
        let server = held().start().await.unwrap();
        let mut client = Client::of(&server).await;
        client.ask(&server, false).await.unwrap();
        server.inject(fault.parse().unwrap());
        let answered = client.ask(&server, false).await;
        assert_eq!(answered.is_ok(), fault.starts_with("extra"), "{fault}: {answered:?}");
        // In order or not, the connection is over.
        let _ = client.connection.await.unwrap();
        assert_eq!(server.journal_len(), 2, "{fault}");
    }
}
