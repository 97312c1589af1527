use std::time::{Duration, SystemTime};

use mock_server::{Error, MockServer};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::client::{get, held, login, message, status, url};

fn port(server: &MockServer) -> u16 {
    server.base_url().port().unwrap()
}

#[tokio::test]
async fn a_server_can_live_below_a_path() {
    let server = held().path_prefix("/gateway/claude").start().await.unwrap();
    assert!(server.base_url().as_str().ends_with("/gateway/claude"));
    assert!(server.token_url().path().starts_with("/gateway/claude/"));
    let (token, _) = login(&server).await;
    assert_eq!(status(&server, &token).await, 200);
    assert_eq!(message(&server, &json!({})).key(server.api_key()).send().await.status, 200);
    for path in ["/v1/models", "/gateway/claudette/v1/models"] {
        let mut outside = server.base_url();
        outside.set_path(path);
        get(outside).key(server.api_key()).send().await.error(404, "not_found_error");
    }
    assert_eq!(server.journal().last().unwrap().path, "/gateway/claudette/v1/models");
    assert_eq!(get(url(&server, "/")).send().await.status, 200);
}

#[tokio::test]
async fn shutdown_frees_the_port_and_closes_connections() {
    let server = held().start().await.unwrap();
    let port = port(&server);
    let mut idle = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    get(url(&server, "/")).send().await;
    server.shutdown().await;
    assert!(matches!(idle.read(&mut [0]).await, Ok(0) | Err(_)));
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    MockServer::builder().port(port).start().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_stops_by_itself() {
    let server = held().start().await.unwrap();
    let address = ("127.0.0.1", port(&server));
    let mut idle = TcpStream::connect(address).await.unwrap();
    get(url(&server, "/")).send().await;
    drop(server);
    assert!(matches!(idle.read(&mut [0]).await, Ok(0) | Err(_)));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = MockServer::builder().port(port).start().await.unwrap_err();
    assert!(matches!(error, Error::Listen { port: asked, .. } if asked == port));
    assert_eq!(
        error.to_string(),
        format!("cannot listen on 127.0.0.1:{port}: choose another port, or 0 for any free one")
    );
}

#[tokio::test]
async fn a_setting_that_cannot_work_is_named() {
    let builder = MockServer::builder;
    let cases = [
        (builder().path_prefix("gateway"), "path_prefix"),
        (builder().path_prefix("/gateway/"), "path_prefix"),
        (builder().path_prefix("/?"), "path_prefix"),
        (builder().client(""), "client"),
        (builder().api_key("two words"), "api_key"),
        (builder().models(Vec::<String>::new()), "models"),
        (builder().access_token_ttl(Duration::from_millis(999)), "access_token_ttl"),
        (builder().requests_per_minute(0), "limits"),
        (builder().clock_held_at(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), "clock_held_at"),
    ];
    for (builder, setting) in cases {
        let error = builder.start().await.unwrap_err();
        assert!(matches!(error, Error::Setting { name, .. } if name == setting), "{error}");
    }
}

#[tokio::test]
async fn a_key_of_ones_own_is_accepted_and_never_printed() {
    let builder = held().api_key("my-own-key");
    assert!(!format!("{builder:?}").contains("my-own-key"));
    let server = builder.start().await.unwrap();
    assert_eq!(server.api_key(), "my-own-key");
    assert_eq!(get(url(&server, "/v1/models")).key("my-own-key").send().await.status, 200);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_secrets() {
    let (one, same, other) = (held().start(), held().start(), held().seed(8).start());
    let (one, same, other) = (one.await.unwrap(), same.await.unwrap(), other.await.unwrap());
    assert_eq!(one.api_key(), same.api_key());
    assert_ne!(one.api_key(), other.api_key());
}
