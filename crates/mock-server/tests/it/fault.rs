//! Faults, as the bytes that a client gets of them.

use std::io::ErrorKind;
use std::time::Duration;

use mock_server::{At, Fault, MockServer, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::held;

/// Sends a request to `path` and reads all there is; `Err` is how it broke off.
async fn ask(server: &MockServer, path: &str, more: &str) -> (String, Option<ErrorKind>) {
    let mut stream = connect(server).await;
    request(&mut stream, path, &format!("connection: close\r\n{more}")).await;
    rest(&mut stream).await
}

async fn connect(server: &MockServer) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.base_url().port().unwrap())).await.unwrap()
}

async fn request(stream: &mut TcpStream, path: &str, more: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
    // A server that closes at once may have done so already.
    let _ = stream.write_all(request.as_bytes()).await;
}

async fn rest(stream: &mut TcpStream) -> (String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    (String::from_utf8_lossy(&bytes).into_owned(), end.err().map(|error| error.kind()))
}

/// Reads until `text` has come.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let mut buffer = [0; 1024];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "{text} does not come: {read}");
        read += &String::from_utf8_lossy(&buffer[..count]);
    }
    read
}

fn stream_of(events: &[&'static str]) -> Reply {
    Reply::sse(events.iter().copied()).on("/x")
}

#[tokio::test]
async fn a_connection_is_closed_or_reset_before_anything_is_read() {
    let server = held().start().await.unwrap();
    server.inject(Fault::close(At::Accept));
    server.inject(Fault::reset(At::Accept));
    let (text, _) = rest(&mut connect(&server).await).await;
    assert_eq!(text, "");
    let (text, end) = rest(&mut connect(&server).await).await;
    assert_eq!((text.as_str(), end), ("", Some(ErrorKind::ConnectionReset)));
    assert_eq!((server.connections(), server.bytes_received(), server.journal_len()), (2, 0, 0));
    let (text, end) = ask(&server, "/", "").await;
    assert!(text.starts_with("HTTP/1.1 200") && end.is_none());
    assert!(server.bytes_received() > 20);
    assert_eq!(server.bytes_sent(), u64::try_from(text.len()).unwrap());
}

#[tokio::test]
async fn a_request_is_served_and_its_answer_lost() {
    let server = held().start().await.unwrap();
    server.inject(Fault::close(At::Request));
    server.inject(Fault::reset(At::Request));
    assert_eq!(ask(&server, "/", "").await, (String::new(), None));
    assert_eq!(ask(&server, "/", "").await, (String::new(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(server.journal_len(), 2);
}

#[tokio::test]
async fn an_answer_ends_at_any_byte() {
    let server = held().start().await.unwrap();
    let (whole, _) = ask(&server, "/nothing", "").await;
    for bytes in [0, 1, 20, whole.len() - 1] {
        server.inject(Fault::close(At::Byte(bytes)));
        server.inject(Fault::reset(At::Byte(bytes)));
        let (text, end) = ask(&server, "/nothing", "").await;
        assert_eq!((text.len(), end), (bytes, None));
        let (text, end) = ask(&server, "/nothing", "").await;
        assert!(text.len() <= bytes && end == Some(ErrorKind::ConnectionReset), "{bytes}: {text} {end:?}");
    }
}

#[tokio::test]
async fn a_body_ends_at_any_byte_of_its_content_or_at_an_event() {
    let server = held().start().await.unwrap();
    let events = ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"];
    for (fault, last) in [
        (Fault::close(At::Body(0)), "\r\n\r\n"),
        (Fault::close(At::Body(3)), "3\r\ndat\r\n"),
        (Fault::close(At::Event(1)), "9\r\ndata: 1\n\n\r\n"),
        (Fault::close(At::Event(2)), "9\r\ndata: 2\n\n\r\n"),
    ] {
        server.push_reply(stream_of(&events));
        server.inject(fault.on("/x"));
        let (text, end) = ask(&server, "/x", "").await;
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with(last) && end.is_none(), "{text}");
    }
    server.push_reply(Reply::json(serde_json::json!({"a": 1})).on("/x"));
    server.inject(Fault::reset(At::Body(4)));
    let mut stream = connect(&server).await;
    request(&mut stream, "/x", "").await;
    assert!(until(&mut stream, "{\"a\"").await.ends_with("{\"a\""));
    assert_eq!(rest(&mut stream).await.1, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_stalled_answer_ends_with_the_client() {
    let server = held().start().await.unwrap();
    for (fault, sent) in [
        (Fault::stall(At::Request), ""),
        (Fault::stall(At::Byte(12)), "HTTP/1.1 200"),
        (Fault::stall(At::Body(3)), "dat"),
        (Fault::stall(At::Event(1)), "data: 1\n\n"),
    ] {
        server.set_script([stream_of(&["data: 1\n\n", "data: 2\n\n"])]);
        server.inject(fault);
        let mut stream = connect(&server).await;
        request(&mut stream, "/x", "").await;
        let text = until(&mut stream, sent).await;
        while server.journal_len() == 0 {
            tokio::task::yield_now().await;
        }
        server.clear_journal();
        assert!(!text.contains("data: 2"), "{text}");
        assert_eq!(server.open_connections(), 1);
        drop(stream);
        while server.open_connections() > 0 {
            tokio::task::yield_now().await;
        }
    }
    // It waits for none of them.
    server.shutdown().await;
}

#[tokio::test]
async fn what_drips_comes_whole() {
    let server = held().start().await.unwrap();
    for at in [At::Byte(0), At::Body(2), At::Event(1), At::Request] {
        server.set_script([stream_of(&["data: 1\n\n", "data: 2\n\n"])]);
        server.inject(Fault::drip(at, Duration::from_micros(100)));
        let (text, end) = ask(&server, "/x", "").await;
        assert!(text.contains('2') && text.ends_with("0\r\n\r\n") && end.is_none(), "{text}");
    }
}

#[tokio::test]
async fn lengths_lie_in_both_directions() {
    let server = held().start().await.unwrap();
    let reply = || Reply::bytes("text/plain", "0123456789").on("/x");
    server.set_script([reply(), reply(), reply()]);
    server.inject(Fault::length(5));
    let (text, _) = ask(&server, "/x", "").await;
    assert!(text.contains("content-length: 15") && text.ends_with("0123456789"), "{text}");
    server.inject(Fault::length(-4));
    let (text, _) = ask(&server, "/x", "").await;
    assert!(text.contains("content-length: 6\r\n") && text.ends_with("0123456789"), "{text}");
    server.inject(Fault::extra("HTTP/1.1 200 OK\r\n\r\n"));
    let (text, _) = ask(&server, "/x", "").await;
    assert!(text.ends_with("0123456789HTTP/1.1 200 OK\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn bytes_that_are_no_http_take_the_place_of_the_answer_and_the_connection_stays() {
    let server = held().start().await.unwrap();
    server.inject(Fault::garbage());
    let mut stream = connect(&server).await;
    request(&mut stream, "/", "").await;
    assert!(until(&mut stream, "\r\n\r\n").await.starts_with("SMTP/9.9"));
    request(&mut stream, "/", "connection: close\r\n").await;
    assert!(rest(&mut stream).await.0.starts_with("HTTP/1.1 200"));

    server.inject(Fault::headers(1000, 3));
    let (text, _) = ask(&server, "/", "").await;
    assert!(text.contains("x-999: xxx\r\n"), "{text}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_at_once_or_when_it_is_used_again() {
    let server = held().start().await.unwrap();
    server.inject(Fault::close(At::End));
    let mut stream = connect(&server).await;
    request(&mut stream, "/", "").await;
    let (text, end) = rest(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 200") && !text.contains("connection: close") && end.is_none());

    server.inject(Fault::reset(At::Next));
    let mut stream = connect(&server).await;
    request(&mut stream, "/", "").await;
    assert!(until(&mut stream, "</html>").await.starts_with("HTTP/1.1 200"));
    let before = server.bytes_received();
    request(&mut stream, "/", "").await;
    assert_eq!(rest(&mut stream).await, (String::new(), Some(ErrorKind::ConnectionReset)));
    assert_eq!((server.bytes_received(), server.journal_len()), (before, 2));
}

#[tokio::test]
async fn an_answer_of_a_fault_is_given_without_a_look_at_the_request() {
    let server = held().start().await.unwrap();
    server.inject(Fault::status(http::StatusCode::CONFLICT).on("/v1/messages").times(2));
    for _ in 0..2 {
        let (text, _) = ask(&server, "/v1/messages", "").await;
        assert!(text.starts_with("HTTP/1.1 409") && text.contains("conflict_error"), "{text}");
    }
    assert_eq!(server.journal()[0].note, Some("a fault in its place"));
    assert!(ask(&server, "/v1/messages", "").await.0.starts_with("HTTP/1.1 405"));
    server.inject(Fault::garbage().always());
    server.clear_faults();
    assert!(ask(&server, "/", "").await.0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_asks_for_its_own_fault() {
    let server = held().start().await.unwrap();
    let (text, _) = ask(&server, "/", "x-mock-fault: status 429 retry-after 7\r\n").await;
    assert!(text.starts_with("HTTP/1.1 429") && text.contains("retry-after: 7"), "{text}");
    let (text, _) = ask(&server, "/", "x-mock-fault: redirect 307 https://elsewhere.example/\r\n").await;
    assert!(text.starts_with("HTTP/1.1 307") && text.contains("location: https://elsewhere.example/"));
    let (text, end) = ask(&server, "/", "x-mock-fault: reset request\r\n").await;
    assert_eq!((text.as_str(), end), ("", Some(ErrorKind::ConnectionReset)));
    let (text, _) = ask(&server, "/", "x-mock-fault: explode\r\n").await;
    assert!(text.starts_with("HTTP/1.1 400") && text.contains("no such fault; write one of those"), "{text}");
    assert!(ask(&server, "/", "").await.0.starts_with("HTTP/1.1 200"));
}
