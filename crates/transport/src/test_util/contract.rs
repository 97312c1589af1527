//! What every [`HttpBackend`] that talks to a network has to keep.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says no by panicking")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;

use crate::{HttpBackend, Reach, Request};

/// How long the server waits for the client before it calls the test failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Checks that a backend keeps the contract of [`HttpBackend`], against a server of its own on a loopback port.
///
/// Call it from a test, in the runtime the backend needs.
///
/// # Panics
///
/// When the backend breaks the contract; the text says how.
pub async fn check(backend: &dyn HttpBackend) {
    all(backend, Stage::Network).await;
}

/// Checks a backend that plays what a recorder has heard of [`check`]: the same requests come to the same, and nobody is asked.
///
/// # Panics
///
/// When they do not; the text says how.
pub async fn check_played(backend: &dyn HttpBackend) {
    all(backend, Stage::Recording).await;
}

async fn all(backend: &dyn HttpBackend, stage: Stage) {
    the_request_arrives_as_it_was_given(backend, stage).await;
    any_status_is_a_response(backend).await;
    a_redirect_is_not_followed(backend).await;
    the_body_streams(backend).await;
    a_body_that_breaks_off_is_an_error(backend).await;
    if stage == Stage::Network {
        // No answer came of it, so nothing was recorded.
        a_head_without_end_is_an_error(backend).await;
    }
    what_is_kept_alive_gives_each_request_its_own_answer(backend).await;
    a_refused_port_is_an_error_with_nothing_sent(backend).await;
}

/// What gives the answers: the servers, or what was recorded of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Network,
    Recording,
}

async fn the_request_arrives_as_it_was_given(backend: &dyn HttpBackend, stage: Stage) {
    let mut server = Server::start(|client, _| client.write_all(reply(200, "ok").as_bytes()).unwrap());
    let request = http::Request::put(server.url("/a%20b?c=d&e"))
        .header("x-marked", "yes")
        .body(Bytes::from_static(b"payload"))
        .unwrap();
    let response = backend.send(request).await.expect("a plain exchange works");
    assert_eq!(response.into_body().collect(100).await.expect("the body is whole"), "ok");

    if stage == Stage::Recording {
        assert!(!server.was_asked(), "a recording needs no network");
        return;
    }
    let seen = server.seen();
    assert!(seen.head.starts_with("PUT /a%20b?c=d&e HTTP/1.1\r\n"), "method and target: {}", seen.head);
    assert!(seen.head.to_ascii_lowercase().contains("\r\nx-marked: yes\r\n"), "headers: {}", seen.head);
    assert_eq!(seen.body, "payload", "the body is sent");
}

async fn any_status_is_a_response(backend: &dyn HttpBackend) {
    for status in [404, 429, 500, 529] {
        let server =
            Server::start(move |client, _| client.write_all(reply(status, "no").as_bytes()).unwrap());
        let response = backend.send(get(&server.url("/"))).await.expect("a non-2xx is a response");
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.into_body().collect(100).await.expect("it has a body"), "no");
    }
}

async fn a_redirect_is_not_followed(backend: &dyn HttpBackend) {
    let mut elsewhere = Server::start(|_, _| {});
    let location = elsewhere.url("/elsewhere");
    let server = Server::start(move |client, _| {
        let head = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        client.write_all(head.as_bytes()).unwrap();
    });
    let response = backend.send(get(&server.url("/"))).await.expect("a redirect is a response");
    assert_eq!(response.status().as_u16(), 302, "the redirect itself is returned");
    assert!(response.headers().contains_key("location"));
    assert!(!elsewhere.was_asked(), "the backend followed a redirect");
}

async fn the_body_streams(backend: &dyn HttpBackend) {
    let server = Server::start(|client, go_on| {
        client.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n").unwrap();
        // A backend that wants all of it before it gives any never lets the server go on.
        if go_on.recv_timeout(PATIENCE).is_ok() {
            client.write_all(b"4\r\nlast\r\n0\r\n\r\n").unwrap();
        }
    });
    let response = backend.send(get(&server.url("/"))).await.expect("the head comes before the body");
    let mut body = response.into_body();
    assert_eq!(body.chunk().await.expect("a piece").expect("before the server sends the next"), "first");
    server.go_on();
    assert_eq!(body.chunk().await.expect("a piece").expect("the last one"), "last");
    assert!(body.chunk().await.is_none(), "the body ends");
    assert!(body.chunk().await.is_none(), "and stays at its end");
}

async fn a_body_that_breaks_off_is_an_error(backend: &dyn HttpBackend) {
    for head in [
        "content-length: 10\r\n\r\nhalf",
        "content-length: 10\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "transfer-encoding: chunked\r\n\r\n40\r\nhalf of a chunk",
        "transfer-encoding: chunked\r\n\r\nno length\r\n",
    ] {
        let server = Server::start(move |client, _| {
            client.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).unwrap();
        });
        let response = backend.send(get(&server.url("/"))).await.expect("the head is whole");
        let error = response.into_body().collect(1000).await.expect_err("half a body is not a body");
        assert_eq!(error.reach(), Reach::Answered, "{error:?}");
    }
}

async fn a_head_without_end_is_an_error(backend: &dyn HttpBackend) {
    let server = Server::start(|client, _| {
        let headers = "x-filler: of no use\r\n".repeat(1000);
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\n");
        // 21 MB; a client that has had enough closes, which ends it.
        let _ = (0..1000).try_for_each(|_| client.write_all(headers.as_bytes()));
    });
    let error = backend.send(get(&server.url("/"))).await.expect_err("a head has a size that is reasonable");
    assert_ne!(error.reach(), Reach::NotSent, "{error:?}");
}

async fn what_is_kept_alive_gives_each_request_its_own_answer(backend: &dyn HttpBackend) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    thread::spawn(move || {
        // As many connections as the backend wants, each for as long as it wants.
        while let Ok((mut client, _)) = listener.accept() {
            if is_done.load(Ordering::Relaxed) {
                return;
            }
            thread::spawn(move || {
                while let Some(seen) = read_request(&client) {
                    let target = seen.head.split(' ').nth(1).unwrap_or_default();
                    client.write_all(reply(200, target).as_bytes()).unwrap();
                }
            });
        }
    });
    for target in ["/first", "/second", "/third"] {
        let response = backend.send(get(&format!("http://{address}{target}"))).await.expect("it works again");
        assert_eq!(response.into_body().collect(100).await.expect("the body is whole"), target);
    }
    done.store(true, Ordering::Relaxed);
    let _ = TcpStream::connect(address); // lets the thread go that waits for the next one
}

async fn a_refused_port_is_an_error_with_nothing_sent(backend: &dyn HttpBackend) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = backend.send(get(&format!("http://{address}/"))).await.expect_err("nobody listens there");
    assert_eq!(error.reach(), Reach::NotSent, "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "the text names the address: {error}");
}

fn get(url: &str) -> Request {
    http::Request::get(url).body(Bytes::new()).unwrap()
}

fn reply(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Answers one request on a connection that is then closed.
struct Server {
    address: SocketAddr,
    requests: Receiver<Seen>,
    go_on: Sender<()>,
}

struct Seen {
    head: String,
    body: String,
}

impl Server {
    fn start(answer: impl Fn(&mut TcpStream, &Receiver<()>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (report, requests) = channel();
        let (go_on, gate) = channel();
        thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            if let Some(seen) = read_request(&client) {
                let _ = report.send(seen);
                answer(&mut client, &gate);
            }
        });
        Self { address, requests, go_on }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn go_on(&self) {
        self.go_on.send(()).expect("the server is waiting");
    }

    fn seen(&mut self) -> Seen {
        self.requests.recv_timeout(PATIENCE).expect("the request arrives")
    }

    fn was_asked(&mut self) -> bool {
        self.requests.try_recv().is_ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = TcpStream::connect(self.address); // lets a thread go that still waits for its client
    }
}

fn read_request(client: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { head, body: String::from_utf8(body).ok()? })
}
