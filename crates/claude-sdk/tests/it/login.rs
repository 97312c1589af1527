//! The listener of a login, as browsers and strangers meet it.

use std::time::Duration;

use claude_sdk::{
    AuthError, Error, LoginError,
    auth_core::{CallbackErrorKind, Server, Snapshot},
    login::{Login, PendingLogin},
    transport::{self, HttpBackend, Request, Response},
};
use futures_util::future::poll_immediate;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

use crate::rig::{PATIENCE, Place, access, backend, decide, get, held, raw, told, until};

/// A login that is being waited for.
struct Waiting {
    url: Url,
    port: u16,
    login: JoinHandle<Result<Snapshot, AuthError>>,
}

impl Waiting {
    fn new(login: PendingLogin) -> Self {
        let url = login.url().clone();
        let redirect = query(&url, "redirect_uri").parse::<Url>().unwrap();
        assert_eq!((redirect.host_str(), redirect.path()), (Some("localhost"), "/callback"));
        let login = tokio::spawn(async move { login.finish(&backend(), PATIENCE).await });
        Self { url, port: redirect.port().unwrap(), login }
    }

    /// Asks the listener for `target` as a browser would, and gives its whole answer.
    async fn ask(&self, target: &str) -> String {
        self.say(&format!("GET {target} HTTP/1.1\r\nhost: localhost:{}\r\n\r\n", self.port)).await
    }

    async fn say(&self, text: &str) -> String {
        let answer = raw("127.0.0.1", self.port, text).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        for header in [
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'",
        ] {
            assert!(head.contains(header), "{header} is missing in {head}");
        }
        assert!(!answer.contains("CANARY") && !answer.contains("canary"), "{answer}");
        assert!(!body.contains("<script"), "{body}");
        answer
    }

    /// Presses a button of the consent page and follows the redirect.
    async fn decide(&self, decision: &str) -> (u16, String) {
        get(&decide(&self.url, decision).await).await
    }
}

fn query(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
}

async fn is_closed(port: u16) -> bool {
    let v6 = TcpStream::connect(("::1", port)).await.is_err();
    v6 && TcpStream::connect(("127.0.0.1", port)).await.is_err()
}

#[tokio::test]
async fn a_thousand_forged_callbacks_do_not_end_a_login() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let state = query(&waiting.url, "state");
    let issuer = place.mock.issuer();
    for number in 0..1000 {
        let target = match number % 8 {
            0 => format!("/callback?code=CANARY&state=forged-{number}"),
            1 => "/callback?code=CANARY".to_owned(),
            2 => "/callback?error=access_denied&error_description=CANARY&state=wrong".to_owned(),
            3 => "/callback?error=access_denied".to_owned(),
            4 => format!("/callback?code=CANARY&state={state}&state={state}"),
            5 => format!("/callback?code=CANARY&state={state}x"),
            6 => "/callback".to_owned(),
            _ => format!("/callback?state={state}&iss={issuer}&code=CANARY&error=access_denied"),
        };
        let answer = waiting.ask(&target).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
        assert!(!waiting.login.is_finished(), "{target}");
    }
    assert_eq!(place.exchanges(200) + place.exchanges(400), 0, "no forged code was sent anywhere");

    let (status, page) = waiting.decide("allow").await;
    assert_eq!(status, 200);
    assert!(page.contains("You are logged in"), "{page}");
    let session = waiting.login.await.unwrap().unwrap();
    assert!(access(&session).starts_with("sk-ant-"), "a token of the server");
    assert!(is_closed(waiting.port).await, "the listener is gone");
}

#[tokio::test]
async fn what_is_not_the_callback_is_turned_away() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let (port, state) = (waiting.port, query(&waiting.url, "state"));
    let callback = format!("/callback?code=canary&state={state}");
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"), 404),
        (format!("GET /callback/?state={state} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"), 404),
        (format!("GET /favicon.ico HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"), 404),
        (format!("GET /{callback} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"), 404),
        (format!("GET /callback/..?state={state} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"), 404),
        (format!("POST {callback} HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-length: 0\r\n\r\n"), 405),
        (format!("HEAD {callback} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"), 405),
        (format!("GET {callback} HTTP/1.1\r\nhost: evil.example:{port}\r\n\r\n"), 403),
        (format!("GET {callback} HTTP/1.1\r\nhost: localhost.evil.example:{port}\r\n\r\n"), 403),
        (format!("GET {callback} HTTP/1.1\r\nhost: localhost:1\r\n\r\n"), 403),
        (format!("GET {callback} HTTP/1.1\r\nhost: localhost\r\n\r\n"), 403),
        (format!("GET {callback} HTTP/1.1\r\nhost: localhost:{port}\r\nhost: evil.example\r\n\r\n"), 403),
        (format!("GET {callback} HTTP/1.0\r\n\r\n"), 403),
    ] {
        let answer = waiting.say(&request).await;
        let got: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(got, status, "{request}");
        assert!(!waiting.login.is_finished(), "{request}");
    }
    // What is no HTTP at all, or too much of it, is somebody else's problem too.
    let long = format!("GET {callback}&x={} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n", "x".repeat(20_000));
    for noise in ["\r\n\r\n\0\0\0", "GET", &long] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = socket.write_all(noise.as_bytes()).await;
    }
    assert_eq!(waiting.decide("allow").await.0, 200);
    waiting.login.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_denial_ends_the_login_and_says_why() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let (status, page) = waiting.decide("deny").await;
    assert_eq!(status, 400);
    assert!(page.contains("You are not logged in") && !page.contains("the person said no"), "{page}");
    let error = waiting.login.await.unwrap().unwrap_err();
    let denied = matches!(&error, AuthError::Login(LoginError::Callback(CallbackErrorKind::Denied { .. })));
    assert!(denied && told(&error).contains("the login was refused: access_denied"), "{error:?}");
    assert!(is_closed(waiting.port).await);
    assert_eq!(place.exchanges(200), 0);
}

#[tokio::test]
async fn an_answer_of_another_server_ends_the_login() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let mut target = decide(&waiting.url, "allow").await;
    let pairs: Vec<(String, String)> =
        target.query_pairs().into_owned().filter(|(name, _)| name != "iss").collect();
    target.query_pairs_mut().clear().extend_pairs(pairs).append_pair("iss", "https://evil.example");
    assert_eq!(get(&target).await.0, 400);
    let error = waiting.login.await.unwrap().unwrap_err();
    let other = AuthError::Login(LoginError::Callback(CallbackErrorKind::IssuerMismatch));
    assert_eq!(format!("{error:?}"), format!("{other:?}"));
    assert!(told(&error).contains("another server answered"), "{error}");
    assert_eq!(place.exchanges(200), 0, "the code was not sent");
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_said() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    until(|| place.clock.sleepers() == 1).await;
    // A stranger who connects and says nothing is no reason to wait on.
    let _silent = TcpStream::connect(("127.0.0.1", waiting.port)).await.unwrap();
    place.advance(PATIENCE - Duration::from_secs(1));
    tokio::task::yield_now().await;
    assert!(!waiting.login.is_finished());

    place.advance(Duration::from_secs(1));
    let error = waiting.login.await.unwrap().unwrap_err();
    assert!(matches!(error, AuthError::Login(LoginError::TimedOut { patience: PATIENCE })), "{error:?}");
    assert!(told(&error).contains("nobody answered within 300 s"), "{error}");
    assert!(is_closed(waiting.port).await);
}

#[tokio::test]
async fn a_login_that_is_dropped_closes_its_port() {
    let place = Place::new(held()).await;
    let login = place.begin("user:inference").await;
    let port = query(login.url(), "redirect_uri").parse::<Url>().unwrap().port().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    drop(login);
    assert!(is_closed(port).await);
}

#[tokio::test]
async fn localhost_is_answered_on_both_of_its_addresses() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let port = waiting.port;
    let ask = |host: &str| format!("GET /callback HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n");
    assert!(raw("127.0.0.1", port, &ask("127.0.0.1")).await.unwrap().starts_with("HTTP/1.1 400"));
    // A machine without IPv6 has nobody there, neither us nor a stranger.
    match TcpListener::bind(("::1", 0)).await {
        Ok(_) => assert!(raw("::1", port, &ask("[::1]")).await.unwrap().starts_with("HTTP/1.1 400")),
        Err(_) => assert!(raw("::1", port, &ask("[::1]")).await.is_err()),
    }
    assert!(!waiting.login.is_finished());
}

#[tokio::test]
async fn every_login_has_a_state_a_challenge_and_a_port_of_its_own() {
    let place = Place::new(held()).await;
    let (one, two) = (place.begin("user:profile").await, place.begin("user:profile").await);
    for name in ["state", "code_challenge", "redirect_uri"] {
        assert_ne!(query(one.url(), name), query(two.url(), name), "{name}");
    }
    assert_eq!(query(one.url(), "code_challenge_method"), "S256");
    assert_eq!(query(one.url(), "scope"), "user:profile");
    assert!(query(one.url(), "state").len() >= 22, "128 bits");
}

/// C22: what the system says about the port, so that no address is forgotten.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_listener_is_bound_to_loopback_only() {
    let place = Place::new(held()).await;
    let login = place.begin("user:inference").await;
    let port = query(login.url(), "redirect_uri").parse::<Url>().unwrap().port().unwrap();
    let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let v6 = format!("{}{}", "0".repeat(24), word([0, 0, 0, 1]));
    let mut listening = 0;
    for (table, loopback) in [("/proc/net/tcp", word([127, 0, 0, 1])), ("/proc/net/tcp6", v6)] {
        // A kernel without IPv6 has no table for it.
        let table = std::fs::read_to_string(table).unwrap_or_default();
        for line in table.lines().skip(1) {
            let mut columns = line.split_whitespace().skip(1);
            let (address, local_port) = columns.next().unwrap().split_once(':').unwrap();
            let listens = columns.nth(1) == Some("0A");
            if listens && local_port == format!("{port:04X}") {
                assert_eq!(address, loopback, "{line}");
                listening += 1;
            }
        }
    }
    assert!((1..=2).contains(&listening), "{listening} sockets listen on {port}");
}

/// C27: a page of another site cannot end a login, and cannot read what the listener says.
#[tokio::test]
async fn a_fetch_of_another_site_does_not_end_a_login() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    for target in ["/callback?code=CANARY&state=forged", "/callback?error=access_denied"] {
        for mode in ["no-cors", "cors"] {
            let port = waiting.port;
            let answer = waiting
                .say(&format!(
                    "GET {target} HTTP/1.1\r\nhost: localhost:{port}\r\norigin: https://evil.example\r\n\
                     sec-fetch-site: cross-site\r\nsec-fetch-mode: {mode}\r\n\r\n"
                ))
                .await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
            assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
            assert!(!waiting.login.is_finished());
        }
    }
    assert_eq!(waiting.decide("allow").await.0, 200);
    waiting.login.await.unwrap().unwrap();
}

/// C28: a head has 8 KiB. Where it has more the connection may be reset before its answer is read.
#[tokio::test]
async fn a_head_of_more_than_8_kib_is_not_served() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let port = waiting.port;
    let head = |pad: usize| {
        format!("GET /nothing HTTP/1.1\r\nhost: localhost:{port}\r\nx: {}\r\n\r\n", "x".repeat(pad))
    };
    assert!(waiting.say(&head(8_000)).await.starts_with("HTTP/1.1 404 "));
    for pad in [20_000, 200_000] {
        let answer = raw("127.0.0.1", port, &head(pad)).await.unwrap_or_default();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{pad}: {answer}");
    }
    assert_eq!(waiting.decide("allow").await.0, 200);
    waiting.login.await.unwrap().unwrap();
}

/// C28: a head has five seconds on the clock of the login.
#[tokio::test]
async fn whoever_is_slow_to_ask_is_not_waited_for() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let mut slow = TcpStream::connect(("127.0.0.1", waiting.port)).await.unwrap();
    slow.write_all(b"GET /callback HTTP/1.1\r\nhost: lo").await.unwrap();
    // Its limit, and that of the login.
    until(|| place.clock.sleepers() == 2).await;
    place.advance(Duration::from_secs(5) - Duration::from_nanos(1));
    let mut byte = [0];
    tokio::task::yield_now().await;
    assert!(poll_immediate(slow.read(&mut byte)).await.is_none());
    place.advance(Duration::from_nanos(1));
    assert!(matches!(slow.read(&mut byte).await, Ok(0) | Err(_)));
    assert!(!waiting.login.is_finished());
    assert_eq!(waiting.decide("allow").await.0, 200);
    waiting.login.await.unwrap().unwrap();
}

/// C28: at most sixteen are served at once, and whoever says nothing makes room for whoever does.
#[tokio::test]
async fn silent_connections_end_for_those_who_come_after_and_keep_no_browser_out() {
    let place = Place::new(held()).await;
    let waiting = Waiting::new(place.begin("user:inference").await);
    let port = waiting.port;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    for early in silent.drain(..300 - 16) {
        let mut early = early;
        // Closed, or reset: no other end comes without a byte being sent.
        assert!(matches!(early.read(&mut [0]).await, Ok(0) | Err(_)));
    }
    let mut byte = [0];
    let mut late = silent.pop().unwrap();
    assert!(poll_immediate(late.read(&mut byte)).await.is_none(), "the newest are still served");

    let target = decide(&waiting.url, "allow").await;
    assert_eq!(get(&target).await.0, 200);
    waiting.login.await.unwrap().unwrap();
}

/// C38: the exchange of the code has a limit of its own, and nobody else is listened to while it lasts.
#[tokio::test]
async fn a_code_exchange_without_an_answer_is_given_up() {
    let place = Place::new(held()).await;
    let login = place.begin("user:inference").await;
    let port = login.redirect_uri().port().unwrap();
    let target = decide(login.url(), "allow").await;
    let login = tokio::spawn(async move { login.finish(&Silence, PATIENCE).await });
    let page = tokio::spawn(async move { get(&target).await });
    // The limit of the exchange, and that of the browser's head.
    until(|| place.clock.sleepers() == 2).await;
    assert!(is_closed(port).await);
    place.advance(Duration::from_secs(30) - Duration::from_nanos(1));
    tokio::task::yield_now().await;
    assert!(!login.is_finished() && !page.is_finished());
    place.advance(Duration::from_nanos(1));
    let error = login.await.unwrap().unwrap_err();
    assert!(matches!(error, AuthError::Login(LoginError::NoAnswer { .. })), "{error:?}");
    let (status, page) = page.await.unwrap();
    assert_eq!(status, 502);
    assert!(page.contains("You are not logged in"), "{page}");
}

/// A backend whose server never answers.
#[derive(Debug)]
struct Silence;

#[async_trait::async_trait]
impl HttpBackend for Silence {
    async fn send(&self, _: Request) -> Result<Response, transport::Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_login_at_a_server_without_a_page_for_it_does_not_begin() {
    let place = Place::new(held()).await;
    let server = Server::new(place.mock.token_url()).unwrap();
    let error = Login::new(server, place.app()).begin().await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::Login(LoginError::Server(_)), ..)), "{error:?}");
    assert!(told(&error).contains("no authorization endpoint"), "{error:?}");
}
