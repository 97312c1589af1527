//! Proxies that the environment names, which only a child process can be told.

use std::{process::Command, sync::Arc};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use transport::{
    HttpBackend, Reach, Request,
    backends::{Hyper, Reqwest},
};

/// What the API would know us by; a proxy has no business with it.
const CREDENTIAL: &str = "sk-ant-proxies-do-not-see-this";

fn backends() -> [Arc<dyn HttpBackend>; 2] {
    [Arc::new(Reqwest::builder().build().unwrap()), Arc::new(Hyper::builder().build().unwrap())]
}

fn get(url: &str) -> Request {
    http::Request::get(url).header("x-api-key", CREDENTIAL).body(Bytes::new()).unwrap()
}

/// Alone it finds nobody at that port; as a child of the tests below it meets their proxy.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn a_port_nobody_serves_is_an_error_with_or_without_a_proxy() {
    for backend in backends() {
        let error = backend.send(get("https://127.0.0.1:9/")).await.unwrap_err();
        assert_eq!(error.reach(), Reach::NotSent);
        println!("kind: {:?}", error.kind());
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn a_plain_target_without_a_server_is_an_error_too() {
    let error = Hyper::builder().build().unwrap().send(get("http://127.0.0.1:9/")).await.unwrap_err();
    assert_eq!(error.reach(), Reach::NotSent);
    println!("kind: {:?}", error.kind());
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn a_plain_port_nobody_serves_is_an_error_with_both_backends() {
    for backend in backends() {
        let error = backend.send(get("http://127.0.0.1:9/")).await.unwrap_err();
        assert_eq!(error.reach(), Reach::NotSent);
        println!("kind: {:?}", error.kind());
    }
}

/// Runs a test of this file in a process whose environment names `proxy`, and returns what it printed.
fn child(test: &'static str, proxy: &str) -> tokio::task::JoinHandle<String> {
    let variables = ["HTTPS_PROXY", "https_proxy", "http_proxy"].map(|name| (name, proxy.to_owned()));
    child_with(test, variables.into())
}

fn child_with(test: &'static str, variables: Vec<(&'static str, String)>) -> tokio::task::JoinHandle<String> {
    tokio::task::spawn_blocking(move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", test]).env("NO_PROXY", "").env("no_proxy", "");
        let output = command.envs(variables).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        text
    })
}

/// Answers each client's `CONNECT` with `answer`; returns what the clients printed, and what the proxy read.
async fn through_a_proxy_that_says(answer: &'static str) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://someone:secret@{}", listener.local_addr().unwrap());
    let child = child("proxy::a_port_nobody_serves_is_an_error_with_or_without_a_proxy", &proxy);
    let mut read = String::new();
    for _backend in 0..2 {
        let (mut client, _) = listener.accept().await.unwrap();
        while !read.ends_with("\r\n\r\n") {
            read.push(char::from(client.read_u8().await.unwrap()));
        }
        client.write_all(answer.as_bytes()).await.unwrap();
        // What the client says after that is read until it goes.
        client.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest).await;
        read.push_str(&String::from_utf8_lossy(&rest));
    }
    (child.await.unwrap(), read)
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_and_sees_no_credential() {
    for answer in [
        "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"x\"\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
        "no HTTP at all\r\n\r\n",
        "",
    ] {
        let (printed, read) = through_a_proxy_that_says(answer).await;
        assert_eq!(printed.matches("kind: Proxy").count(), 2, "{answer:?}: {printed}");
        assert!(read.starts_with("CONNECT 127.0.0.1:9 HTTP/1.1\r\n"), "{read}");
        assert!(!read.contains(CREDENTIAL) && !read.to_lowercase().contains("x-api-key"), "{read}");
    }
}

#[tokio::test]
async fn a_page_in_place_of_a_tunnel_is_no_answer_of_the_target() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<p>Log in</p>\r\n";
    let (printed, read) = through_a_proxy_that_says(page).await;
    // The proxy promised a tunnel: that it leads nowhere shows in the handshake, which is a part of connecting.
    assert_eq!(printed.matches("kind: Connect").count(), 2, "{printed}");
    assert!(!read.contains(CREDENTIAL), "{read}");
}

#[tokio::test]
async fn the_hyper_backend_sends_nothing_in_the_open_through_a_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let child = child("proxy::a_plain_target_without_a_server_is_an_error_too", &proxy);
    let printed = child.await.unwrap();
    assert!(printed.contains("kind: InvalidRequest"), "{printed}");
    // Such a listener does not block: with nobody waiting it says so.
    assert!(listener.into_std().unwrap().accept().is_err(), "the proxy is not even asked");
}

/// The address is one of a network for documentation (RFC 5737): who asked it would wait for the connection.
#[tokio::test]
async fn no_backend_sends_a_plain_request_to_a_proxy_on_another_machine() {
    for proxy in ["http://someone:secret@192.0.2.2:18977", "socks5://192.0.2.2:1080"] {
        let test = "proxy::a_plain_port_nobody_serves_is_an_error_with_both_backends";
        let printed = child(test, proxy).await.unwrap();
        assert_eq!(printed.matches("kind: InvalidRequest").count(), 2, "{proxy}: {printed}");
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn a_plain_port_at_an_address_written_oddly_is_an_error() {
    let error = Reqwest::builder().build().unwrap().send(get("http://127.1:9/")).await.unwrap_err();
    assert_eq!(error.reach(), Reach::NotSent);
    println!("kind: {:?}", error.kind());
}

/// reqwest asks for the address, which such a list does not hold.
#[tokio::test]
async fn a_proxy_elsewhere_is_asked_about_the_address_that_is_sent_to() {
    let variables =
        vec![("http_proxy", "http://192.0.2.2:18977".to_owned()), ("NO_PROXY", "127.1".to_owned())];
    let test = "proxy::a_plain_port_at_an_address_written_oddly_is_an_error";
    let printed = child_with(test, variables).await.unwrap();
    assert!(printed.contains("kind: InvalidRequest"), "{printed}");
}

#[tokio::test]
async fn a_star_in_no_proxy_is_every_host_and_addresses_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    for list in ["*", "localhost, *"] {
        for (variable, test) in [
            ("HTTPS_PROXY", "proxy::a_port_nobody_serves_is_an_error_with_or_without_a_proxy"),
            ("http_proxy", "proxy::a_plain_port_nobody_serves_is_an_error_with_both_backends"),
        ] {
            let variables = vec![(variable, proxy.clone()), ("NO_PROXY", list.to_owned())];
            let printed = child_with(test, variables).await.unwrap();
            assert_eq!(printed.matches("kind: Connect").count(), 2, "{list}: {printed}");
        }
    }
    assert!(listener.into_std().unwrap().accept().is_err(), "the proxy is not even asked");
}

/// A web server hands a visitor's header `Proxy` to a CGI program as `HTTP_PROXY`.
#[tokio::test]
async fn a_cgi_program_takes_no_proxy_from_a_header_of_its_visitor() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let variables = vec![("HTTP_PROXY", proxy), ("REQUEST_METHOD", "GET".to_owned())];
    let test = "proxy::a_plain_port_nobody_serves_is_an_error_with_both_backends";
    let printed = child_with(test, variables).await.unwrap();
    assert_eq!(printed.matches("kind: Connect").count(), 2, "{printed}");
    assert!(listener.into_std().unwrap().accept().is_err(), "the visitor's proxy is not even asked");
}

#[tokio::test]
async fn a_proxy_that_is_no_address_neither_panics_nor_is_asked() {
    for proxy in ["http://[", "::::", "ht tp://x", "http://", "http://x:99999", "\u{7f}", "http://a@b@c:1"] {
        let printed = child("proxy::a_port_nobody_serves_is_an_error_with_or_without_a_proxy", proxy).await;
        let printed = printed.unwrap();
        let said = printed.matches("kind: Connect").count() + printed.matches("kind: Proxy").count();
        assert_eq!(said, 2, "{proxy:?}: {printed}");
    }
}
