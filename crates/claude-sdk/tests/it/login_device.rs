//! Logins on another device: at the server's pace, to every end there is.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, LoginError,
    auth_core::{Client, DeviceError, ScopeSet, Server, Snapshot},
    login::{Login, PendingDevice},
    transport::{self, Clock, ErrorKind, HttpBackend, Reach, Request, Response, SimClock},
};
use mock_server::MockServer;
use url::form_urlencoded;

use crate::rig::{Recorder, access, backend, get, held, post, t0, told, until};

/// A clock on which short waits are over at once, take the server's clock with them, and are written down; long ones,
/// the limits, never end. Its time of day jumps about.
#[derive(Clone, Debug)]
struct Following {
    mock: Arc<MockServer>,
    slept: Arc<Mutex<Vec<Duration>>>,
}

impl Following {
    fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for Following {
    fn now(&self) -> SystemTime {
        let day = Duration::from_secs(86_400);
        if self.slept().len().is_multiple_of(2) { t0() + day } else { t0() - day }
    }

    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(30) {
            std::future::pending::<()>().await;
        }
        self.mock.advance(duration);
        self.slept.lock().unwrap().push(duration);
        tokio::task::yield_now().await;
    }
}

/// A login on another device, at a mock server that shares its clock.
async fn device(mock: mock_server::Builder) -> (Arc<MockServer>, Following, PendingDevice) {
    let mock = Arc::new(mock.start().await.unwrap());
    let clock = Following { mock: Arc::clone(&mock), slept: Arc::default() };
    let server = Server::new(mock.token_url()).unwrap();
    let login = Login::new(server, Client::public(mock.client_id()));
    let login = login.scopes(ScopeSet::parse("user:inference")).clock(clock.clone());
    let pending = login.begin_device(mock.device_authorization_url(), &backend()).await.unwrap();
    (mock, clock, pending)
}

/// Presses a button of the page for `user_code`, as a person with another browser does.
async fn decide_device(mock: &MockServer, user_code: &str, decision: &str) {
    let mut page = mock.device_authorization_url().join("/oauth/device").unwrap();
    page.query_pairs_mut().append_pair("user_code", user_code);
    let (_, html) = get(&page).await;
    let csrf = html.split_once("name=\"csrf_token\" value=\"").unwrap().1.split('"').next().unwrap();
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("user_code", user_code), ("csrf_token", csrf), ("decision", decision)])
        .finish();
    assert_eq!(post(&page.join("/oauth/device/decision").unwrap(), form).await.0, 200);
}

fn device_error(outcome: Result<Snapshot, AuthError>) -> DeviceError {
    match outcome.unwrap_err() {
        AuthError::Login(LoginError::Device(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_login_on_another_device_waits_at_the_servers_pace() {
    let (mock, clock, pending) = device(held().device_code_ttl(Duration::from_secs(1_000_000))).await;
    let complete = pending.verification_uri_complete().unwrap().clone();
    assert!(complete.as_str().contains(pending.user_code()));
    assert!(!format!("{pending:?}").contains(pending.user_code()));
    // What is opened has no code in it: the person compares and enters it.
    let browser = Recorder::default();
    pending.open_in(&browser).unwrap();
    assert_eq!(browser.opened(), [pending.verification_uri().as_str()]);

    let user_code = pending.user_code().to_owned();
    let task = tokio::spawn(async move { pending.finish(&backend()).await });
    until(|| clock.slept().len() >= 3).await;
    assert!(!task.is_finished());
    decide_device(&mock, &user_code, "allow").await;
    let session = task.await.unwrap().unwrap();
    assert!(access(&session).starts_with("sk-ant-"));
    // No poll was too early for the server, and none was late.
    assert!(clock.slept().iter().all(|gap| *gap == Duration::from_secs(5)), "{:?}", clock.slept());
    assert!(mock.journal().iter().all(|entry| entry.note != Some("polled too early")));
}

#[tokio::test]
async fn a_login_on_another_device_ends_when_it_is_refused() {
    let (mock, clock, pending) = device(held()).await;
    decide_device(&mock, pending.user_code(), "deny").await;
    assert_eq!(device_error(pending.finish(&backend()).await), DeviceError::Denied);
    assert_eq!(clock.slept(), [Duration::from_secs(5)]);
}

/// C73: the time of day jumps back and forth all the while.
#[tokio::test]
async fn a_login_on_another_device_ends_when_its_code_expires_whatever_the_calendar_says() {
    let (mock, clock, pending) = device(held().device_code_ttl(Duration::from_secs(100))).await;
    assert_eq!(pending.expires_in(), Duration::from_secs(100));
    assert_eq!(device_error(pending.finish(&backend()).await), DeviceError::Expired);
    assert_eq!(clock.slept().iter().sum::<Duration>(), Duration::from_secs(100));
    assert_eq!(mock.journal_len(), 20, "the codes, and nineteen polls");
}

/// Answers from a list; what is no answer is a network that fails.
#[derive(Debug)]
struct Answers(Mutex<VecDeque<Option<(u16, &'static str)>>>);

#[async_trait]
impl HttpBackend for Answers {
    async fn send(&self, _: Request) -> Result<Response, transport::Error> {
        let next = self.0.lock().unwrap().pop_front().expect("one poll too many");
        let (status, body) =
            next.ok_or_else(|| transport::Error::bare(ErrorKind::Connect, Reach::NotSent))?;
        Ok(http::Response::builder().status(status).body(body.into()).unwrap())
    }
}

/// F56: ten times `slow_down`, then a gateway that breaks and a network that fails.
#[tokio::test]
async fn a_login_on_another_device_survives_what_may_pass() {
    let begin = r#"{"device_code":"d","user_code":"U","verification_uri":"https://auth.example/d","expires_in":9000}"#;
    let tokens = r#"{"access_token":"a","token_type":"Bearer","expires_in":60}"#;
    let mut answers = VecDeque::from([Some((200, begin))]);
    answers.extend([Some((400, r#"{"error":"slow_down"}"#)); 10]);
    answers.extend([Some((502, "<html>")), None, Some((400, r#"{"error":"authorization_pending"}"#))]);
    answers.push_back(Some((200, tokens)));
    let (clock, backend) = (SimClock::new(t0()).auto_advance(), Answers(Mutex::new(answers)));

    let server = Server::new("https://auth.example/token".parse().unwrap()).unwrap();
    let login = Login::new(server, Client::public("app")).clock(clock.clone());
    let pending = login.begin_device("https://auth.example/device".parse().unwrap(), &backend).await.unwrap();
    pending.finish(&backend).await.unwrap();
    // 5 s and then 5 s more each time, 55 s at last; twice that after a failure, and 55 s again.
    let slowed: u64 = (1..=11).map(|times| 5 * times).sum();
    assert_eq!(clock.slept(), Duration::from_secs(slowed + 110 + 110 + 55));
}

#[tokio::test]
async fn a_device_login_that_cannot_begin_says_why() {
    let mock = held().start().await.unwrap();
    let login = Login::new(Server::new(mock.token_url()).unwrap(), Client::public(mock.client_id()));
    let plain = "http://auth.example/device".parse().unwrap();
    let error = login.clone().begin_device(plain, &backend()).await.unwrap_err();
    assert!(matches!(error, AuthError::Login(LoginError::Server(_))), "{error:?}");
    let nowhere = mock.base_url().join("/nothing").unwrap();
    let error = login.begin_device(nowhere, &backend()).await.unwrap_err();
    assert!(told(&error).contains("404"), "{error:?}");
}
