use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mock_server::leaks;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use transport::{
    Error, ErrorKind, HttpBackend, Reach, Request, TimeoutKind,
    backends::{Hyper, Reqwest},
    layers::Timeout,
    test_util::contract,
};

use crate::{clock, settle};

/// Both backends that talk to a network; each test is for both.
pub(crate) fn backends() -> [Arc<dyn HttpBackend>; 2] {
    [
        Arc::new(Reqwest::builder().no_proxy().build().unwrap()),
        Arc::new(Hyper::builder().no_proxy().build().unwrap()),
    ]
}

/// What anybody logs from now on is searched for secrets, which the URLs have.
fn get(url: &str) -> Request {
    leaks::listen();
    http::Request::get(url).body(Bytes::new()).unwrap()
}

/// Reads one request, sends `reply` to its head, and closes.
async fn server(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/path?key=CANARY", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        read_head(&mut client).await;
        client.write_all(reply.as_bytes()).await.unwrap();
    });
    url
}

/// Answers in plain text whatever the first bytes are.
async fn not_tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            client.read_u8().await.unwrap();
            client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    });
    url
}

async fn read_head(client: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
}

async fn failure(backend: &dyn HttpBackend, reply: &'static str) -> Error {
    match backend.send(get(&server(reply).await)).await {
        Err(error) => error,
        Ok(response) => response.into_body().collect(1_000).await.unwrap_err(),
    }
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    format!("{text} {error:?}")
}

#[tokio::test]
async fn the_contract_is_kept() {
    for backend in backends() {
        contract::check(&backend).await;
    }
}

#[tokio::test]
async fn what_the_backends_log_is_searched_for_secrets() {
    for backend in backends() {
        let url = server("HTTP/1.1 204 No Content\r\n\r\n").await;
        let before = leaks::searched();
        backend.send(get(&url)).await.unwrap();
        assert!(leaks::searched() > before, "{backend:?} was not heard");
    }
}

#[tokio::test]
async fn what_goes_wrong_after_sending_is_told_apart() {
    for (reply, kind, reach) in [
        ("", ErrorKind::Closed, Reach::MaybeSent),
        ("HTTP/1.1 200 OK\r\nhalf-a-he", ErrorKind::Closed, Reach::MaybeSent),
        ("garbage\r\n\r\n", ErrorKind::Protocol, Reach::MaybeSent),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", ErrorKind::Truncated, Reach::Answered),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            ErrorKind::Truncated,
            Reach::Answered,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n",
            ErrorKind::Protocol,
            Reach::Answered,
        ),
    ] {
        for backend in backends() {
            let error = failure(&backend, reply).await;
            let text = format!("{backend:?}: {}", chain(&error));
            assert_eq!((error.kind(), error.reach()), (kind, reach), "{reply:?}: {text}");
            assert!(!text.contains("CANARY") && !text.contains("/path"), "{text}");
            assert!(error.to_string().contains("127.0.0.1:"), "{text}");
        }
    }
}

#[tokio::test]
async fn what_goes_wrong_before_sending_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, kind) in [
        (format!("http://{closed}/"), ErrorKind::Connect),
        // Longer than a label may be: no resolver has to be asked.
        (format!("http://{}.invalid/", "x".repeat(64)), ErrorKind::Dns),
        ("/only/a/path".to_owned(), ErrorKind::InvalidRequest),
        ("ftp://127.0.0.1/".to_owned(), ErrorKind::InvalidRequest),
        ("http://user:CANARY@127.0.0.1/".to_owned(), ErrorKind::InvalidRequest),
        (not_tls().await, ErrorKind::Tls),
    ] {
        for backend in backends() {
            let error = backend.send(get(&url)).await.unwrap_err();
            let text = format!("{backend:?}: {}", chain(&error));
            assert_eq!((error.kind(), error.reach()), (kind, Reach::NotSent), "{url}: {text}");
            assert!(!text.contains("CANARY"), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_finish_the_handshake_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    for backend in backends() {
        let error = backend.send(get(&url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Connect), "{}", chain(&error));
        assert_eq!(error.reach(), Reach::NotSent);
    }
}

#[tokio::test]
async fn dropping_the_body_closes_the_connection() {
    for backend in backends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (report, closed) = oneshot::channel();
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            read_head(&mut client).await;
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nstart").await.unwrap();
            report.send(client.read(&mut [0; 10]).await.unwrap_or(0)).unwrap();
        });
        let mut body = backend.send(get(&url)).await.unwrap().into_body();
        assert_eq!(body.chunk().await.unwrap().unwrap(), "start");
        drop(body);
        assert_eq!(closed.await.unwrap(), 0, "the server sees the end of the connection");
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    for backend in backends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            loop {
                read_head(&mut client).await;
                client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        });
        for _ in 0..3 {
            let response = backend.send(get(&url)).await.unwrap();
            assert_eq!(response.into_body().collect(2).await.unwrap(), "ok");
        }
    }
}

#[tokio::test]
async fn a_stalled_server_is_given_up_by_the_timeout_layer() {
    for backend in backends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let clock = clock();
        let layer = Timeout::new(backend, Arc::new(clock.clone())).headers(Duration::from_secs(30));
        let caller = tokio::spawn(async move { layer.send(get(&url)).await.map(|_| ()) });
        let (mut client, _) = listener.accept().await.unwrap();
        read_head(&mut client).await;
        settle().await;
        clock.advance(Duration::from_secs(30));
        let error = caller.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Headers));
    }
}
