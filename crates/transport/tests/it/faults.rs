//! What a hostile or broken server does to the wire over HTTP/1.1, for both backends.

use std::{
    collections::HashMap,
    io::ErrorKind as Io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use transport::{Error, ErrorKind, HttpBackend, Reach, Request, SystemClock, layers::Timeout};

use crate::exchange::backends;

fn post(url: &str, body: &'static str) -> Request {
    http::Request::post(url).body(Bytes::from_static(body.as_bytes())).unwrap()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

/// Reads one request; `None` if the client closed in place of one.
async fn read_request(client: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

/// Answers each request of each connection with `answer`, whatever it is, and then closes if told to.
async fn answering(answer: Vec<u8>, then_close: bool) -> (String, Arc<AtomicUsize>) {
    let (listener, url) = listen().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let mut client = BufReader::new(listener.accept().await.unwrap().0);
            counted.fetch_add(1, Ordering::Relaxed);
            let answer = answer.clone();
            tokio::spawn(async move {
                while read_request(&mut client).await.is_some() {
                    // A client that has seen enough closes before it has all of it.
                    if client.get_mut().write_all(&answer).await.is_err() || then_close {
                        break;
                    }
                }
            });
        }
    });
    (url, connections)
}

/// Resets the connection in place of closing it.
fn reset(client: TcpStream) {
    client.set_zero_linger().unwrap();
    drop(client);
}

async fn whole(backend: &dyn HttpBackend, url: &str) -> Result<Bytes, Error> {
    backend.send(post(url, "{}")).await?.into_body().collect(1 << 20).await
}

#[tokio::test]
async fn heads_that_are_garbage_or_too_large_are_protocol_errors() {
    let many = |count: usize, size: usize| {
        let header = format!("x-h: {}\r\n", "v".repeat(size));
        format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", header.repeat(count)).into_bytes()
    };
    for (name, answer) in [
        ("garbage", b"\x00\xff garbage \x01\r\n\r\n".to_vec()),
        ("no status", b"HTTP/1.1 OK\r\n\r\n".to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
        ("100,000 headers", many(100_000, 1)),
        ("a header of 1 MiB", many(1, 1 << 20)),
        ("a header with a NUL", b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n".to_vec()),
        ("two lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec()),
    ] {
        for backend in backends() {
            let (url, _) = answering(answer.clone(), true).await;
            let error = whole(&backend, &url).await.expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{name}, {backend:?}: {error:?}");
            assert!(!error.is_retryable());
            let shown = format!("{error:?}");
            assert!(shown.len() < 600 && !shown.contains("vvvv"), "{name}: {shown}");
        }
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let answer = format!("{}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", interim.repeat(3));
    for backend in backends() {
        let (url, _) = answering(answer.clone().into_bytes(), false).await;
        assert_eq!(whole(&backend, &url).await.unwrap(), "ok", "{backend:?}");
    }
}

#[tokio::test]
async fn bytes_after_the_body_are_nobodys_answer() {
    // A second answer that was never asked for, behind a body that is whole by its length.
    let smuggled =
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    for backend in backends() {
        let (url, connections) = answering(smuggled.into(), false).await;
        for call in 1..=5 {
            assert_eq!(whole(&backend, &url).await.unwrap(), "ok", "{backend:?}, call {call}");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 5, "such a connection is not used again");
    }
}

#[tokio::test]
async fn a_body_shorter_than_its_length_is_truncated_and_a_reset_is_too() {
    for backend in backends() {
        let (url, _) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}".to_vec(), true).await;
        let error = whole(&backend, &url).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Truncated, Reach::Answered), "{error:?}");

        let (listener, url) = listen().await;
        let server = tokio::spawn(async move {
            let mut client = BufReader::new(listener.accept().await.unwrap().0);
            read_request(&mut client).await.unwrap();
            client.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}").await.unwrap();
            client
        });
        let mut body = backend.send(post(&url, "{}")).await.unwrap().into_body();
        assert_eq!(body.chunk().await.unwrap().unwrap(), "{}");
        reset(server.await.unwrap().into_inner());
        let error = body.chunk().await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Truncated, Reach::Answered), "{error:?}");
    }
}

#[tokio::test]
async fn a_reset_after_the_request_is_ambiguous_and_not_sent_again() {
    for backend in backends() {
        let (listener, url) = listen().await;
        let server = tokio::spawn(async move {
            let mut client = BufReader::new(listener.accept().await.unwrap().0);
            read_request(&mut client).await.unwrap();
            reset(client.into_inner());
            listener
        });
        let error = backend.send(post(&url, "{}")).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Closed, Reach::MaybeSent), "{error:?}");
        let listener = server.await.unwrap().into_std().unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), Io::WouldBlock, "nobody came a second time");
    }
}

#[tokio::test]
async fn a_reset_before_anything_was_read_is_an_error_without_an_answer() {
    for backend in backends() {
        let (listener, url) = listen().await;
        tokio::spawn(async move {
            loop {
                reset(listener.accept().await.unwrap().0);
            }
        });
        let error = backend.send(post(&url, "{}")).await.unwrap_err();
        // The kernel may have taken the request by then: nothing here can know.
        assert!(matches!(error.kind(), ErrorKind::Closed | ErrorKind::Connect), "{error:?}");
        assert_ne!(error.reach(), Reach::Answered, "{error:?}");
        assert!(error.is_retryable());
    }
}

/// Serves each connection for a few requests and closes it while the client may be writing the next. Counts how often
/// each request was done.
async fn closing_when_idle(done: Arc<Mutex<HashMap<String, u32>>>) -> String {
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        for turn in 0_usize.. {
            let mut client = BufReader::new(listener.accept().await.unwrap().0);
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                for _served in 0..=turn % 3 {
                    let Some(request) = read_request(&mut client).await else { return };
                    let body = request.rsplit_once("\r\n\r\n").unwrap().1.to_owned();
                    *done.lock().unwrap().entry(body).or_default() += 1;
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    client.get_mut().write_all(answer).await.unwrap();
                }
                for _pause in 0..turn % 5 {
                    tokio::task::yield_now().await;
                }
                // A close without a read: whatever arrives now is answered by a reset.
            });
        }
    });
    url
}

/// Calls that many times with each backend; fails if a request was done twice, or was done and called unsent.
async fn keep_alive_races(calls: usize) {
    for backend in backends() {
        let done = Arc::new(Mutex::new(HashMap::new()));
        let url = closing_when_idle(Arc::clone(&done)).await;
        // Once in many thousand calls hyper forgets one (decision 0024). With reqwest only a limit ends that.
        let client = format!("{backend:?}");
        let backend = Timeout::new(backend, Arc::new(SystemClock)).headers(Duration::from_secs(5));
        let (mut fine, mut ambiguous) = (0, 0);
        for call in 0..calls {
            let name = format!("call-{call}");
            let request = http::Request::post(&url).body(Bytes::from(name.clone())).unwrap();
            let outcome = backend.send(request).await;
            let times = done.lock().unwrap().get(&name).copied().unwrap_or(0);
            assert!(times <= 1, "{client}: {name} was done {times} times");
            match outcome {
                Ok(response) => {
                    fine += 1;
                    assert_eq!(times, 1);
                    response.into_body().collect(2).await.unwrap();
                }
                Err(error) if error.reach() == Reach::NotSent => assert_eq!(times, 0, "{name}: {error:?}"),
                Err(error) => {
                    ambiguous += 1;
                    assert!(error.is_retryable(), "{error:?}");
                }
            }
        }
        // Most races are seen in time, and those requests go out on another connection.
        assert!(fine > calls / 2 && ambiguous < calls / 2, "{client}: {fine} fine, {ambiguous} ambiguous");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_close_when_idle_do_no_request_twice() {
    keep_alive_races(5_000).await;
}
