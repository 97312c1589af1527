//! What a failed call tells of the attempts before (U8): how many were made, and the name of the last that was answered.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, Error,
    credentials::{Credential, CredentialProvider},
    ratelimit::{self, Cost, Key, Permit, RateLimiter},
    transport::{self, Attempt, ErrorKind, Reach, Request, layers::Next},
};
use http::{HeaderName, HeaderValue, StatusCode};
use mock_server::{MockServer, Reply};
use secrecy::SecretString;

use crate::rig::{client, held, hello, told};

fn failure(status: u16) -> Reply {
    Reply::error(StatusCode::from_u16(status).unwrap(), "api_error", "the service's words")
}

/// The error has to name the one answer that the server gave, in its text too.
fn names_the_answer(error: &Error, server: &MockServer, attempts: u32) {
    let text = told(error);
    assert_eq!((error.attempts(), server.journal_len()), (attempts, 1), "{text}");
    let id = error.request_id().unwrap();
    assert!(id.starts_with("req_") && text.contains(id), "{text}");
}

/// Gives these keys, one for each attempt, and then none.
#[derive(Debug)]
struct Keys(Mutex<VecDeque<Credential>>);

#[async_trait]
impl CredentialProvider for Keys {
    async fn credential(&self) -> Result<Credential, AuthError> {
        let next = self.0.lock().unwrap().pop_front();
        next.ok_or_else(|| AuthError::MissingSecret { name: "key".into() })
    }
}

fn keys(keys: impl IntoIterator<Item = Credential>) -> Keys {
    Keys(Mutex::new(keys.into_iter().collect()))
}

#[tokio::test]
async fn a_credential_that_fails_at_the_second_attempt_tells_of_the_first() {
    let server = held().start().await.unwrap();
    server.set_script([failure(529)]);
    let provider = keys([Credential::api_key(SecretString::from(server.api_key())).unwrap()]);
    let client = client(&server).0.credentials(provider).build().unwrap();
    let error = client.messages().create(&hello()).await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::MissingSecret { .. }, ..)), "{error:?}");
    names_the_answer(&error, &server, 1);

    let error = client.messages().create(&hello()).await.unwrap_err();
    assert_eq!((error.attempts(), error.request_id()), (0, None), "nothing was sent for this one");
}

#[tokio::test]
async fn a_token_that_is_refused_and_cannot_be_renewed_tells_of_the_refusal() {
    let server = held().start().await.unwrap();
    let provider = keys([Credential::token(SecretString::from("a-stale-token"), 1).unwrap()]);
    let client = client(&server).0.credentials(provider).build().unwrap();
    let error = client.messages().create(&hello()).await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::MissingSecret { .. }, ..)), "{error:?}");
    names_the_answer(&error, &server, 1);
}

/// Lets the first attempt through.
#[derive(Debug, Default)]
struct Turnstile(AtomicU32);

#[async_trait]
impl RateLimiter for Turnstile {
    async fn acquire(&self, _: Key, _: Cost, max_wait: Duration) -> Result<Permit, ratelimit::Error> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Permit::new(|_| ())),
            _ => Err(ratelimit::Error::WouldWait { wait: Duration::from_secs(90), max_wait }),
        }
    }
}

#[tokio::test]
async fn a_limiter_that_refuses_the_second_attempt_tells_of_the_first() {
    let server = held().start().await.unwrap();
    server.set_script([failure(529)]);
    let client = client(&server).0.rate_limiter(Turnstile::default()).build().unwrap();
    let error = client.messages().create(&hello()).await.unwrap_err();
    assert!(matches!(error, Error::RateLimit(..)), "{error:?}");
    names_the_answer(&error, &server, 1);
}

/// Lets one attempt through and has the others fail on the way.
async fn broken_wire(request: Request, next: Next) -> Result<transport::Response, transport::Error> {
    match Attempt::of(&request) {
        1 => next.run(request).await,
        _ => Err(transport::Error::bare(ErrorKind::Closed, Reach::NotSent)),
    }
}

#[tokio::test]
async fn a_lost_connection_after_an_answer_or_a_beginning_names_that() {
    let event = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n\n";
    for first in [failure(529), Reply::sse([event]), Reply::sse([": nothing\n\n"])] {
        let server = held().start().await.unwrap();
        server.set_script([first]);
        let client = client(&server).0.middleware(broken_wire).build().unwrap();
        let error = client.messages().stream(&hello()).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
        names_the_answer(&error, &server, 2);
    }
}

#[tokio::test]
async fn what_waits_after_a_failed_beginning_holds_no_permit() {
    let server = held().start().await.unwrap();
    server.set_script([Reply::sse([": nothing\n\n"])]);
    let held_now = Arc::new(AtomicU32::new(0));
    let client = client(&server).0.rate_limiter(OneAtATime(Arc::clone(&held_now))).build().unwrap();
    let message = client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    assert_eq!((message.retries_taken(), held_now.load(Ordering::Relaxed)), (1, 0));
}

#[derive(Debug)]
struct OneAtATime(Arc<AtomicU32>);

#[async_trait]
impl RateLimiter for OneAtATime {
    async fn acquire(&self, _: Key, _: Cost, _: Duration) -> Result<Permit, ratelimit::Error> {
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "the permit before is still held");
        let held = Arc::clone(&self.0);
        Ok(Permit::new(move |_| assert_eq!(held.fetch_sub(1, Ordering::Relaxed), 1)))
    }
}

#[tokio::test]
async fn a_name_that_repeats_the_key_is_not_told_of_an_answer_that_came_to_nothing() {
    const KEY: &str = "sk-ant-canary-key";
    let server = held().api_key(KEY).start().await.unwrap();
    let echo = HeaderValue::from_str(&format!("req_{KEY}")).unwrap();
    server.set_script([failure(529).header(HeaderName::from_static("request-id"), echo)]);
    let client = client(&server).0.middleware(broken_wire).build().unwrap();
    let error = client.messages().create(&hello()).await.unwrap_err();
    assert_eq!((error.attempts(), error.request_id()), (2, None));
    let Error::Transport(inner) = &error else { panic!("{error:?}") };
    let shown = format!("{} {error:?} {:?}", told(&error), inner.last_reply());
    assert!(!shown.contains("canary"), "{shown}");
}
