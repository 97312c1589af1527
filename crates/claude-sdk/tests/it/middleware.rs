//! Functions of the user around each attempt, and what happens when one of them panics.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use claude_sdk::{
    Error,
    credentials::{Credential, CredentialProvider},
    transport::{
        self, Body, ErrorKind, Request, Response,
        layers::{Middleware, Next, Outcome, RetryPolicy, Verdict},
    },
};
use http::{HeaderValue, StatusCode};
use mock_server::Reply;

use crate::rig::{client, held, hello, told};

/// Writes down what passes by.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Middleware for Witness {
    async fn handle(&self, request: Request, next: Next) -> Result<Response, transport::Error> {
        self.0.lock().unwrap().push(format!("{request:?}"));
        let response = next.run(request).await?;
        assert!(response.extensions().get::<Credential>().is_none());
        self.0.lock().unwrap().push(format!("{response:?}"));
        Ok(response)
    }
}

#[tokio::test]
async fn middleware_sees_each_attempt_and_never_the_credential() {
    let server = held().start().await.unwrap();
    let overloaded = Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "no");
    server.set_script([overloaded]);
    let witness = Witness::default();
    let client = client(&server).0.middleware(witness.clone()).build().unwrap();

    client.messages().create(&hello()).await.unwrap();

    let seen = witness.0.lock().unwrap().clone();
    assert_eq!(seen.len(), 4, "two attempts, there and back");
    assert!(seen[0].contains("claude-sdk-rust/") && seen[1].contains("529"), "{seen:?}");
    let secret = server.api_key();
    assert!(!seen.iter().any(|text| text.contains(secret) || text.contains("authorization")), "{seen:?}");
}

#[tokio::test]
async fn middleware_changes_what_is_sent_and_what_came_from_the_outside_in() {
    let server = held().start().await.unwrap();
    let mark = |name: &'static str| {
        move |mut request: Request, next: Next| async move {
            request.headers_mut().append("x-mark", HeaderValue::from_static(name));
            let mut response = next.run(request).await?;
            response.headers_mut().append("x-mark", HeaderValue::from_static(name));
            Ok(response)
        }
    };
    let client = client(&server).0.middleware(mark("outer")).middleware(mark("inner")).build().unwrap();

    let reply = client.messages().create(&hello()).await.unwrap();

    let entry = server.journal().pop().unwrap();
    assert!(entry.headers.get_all("x-mark").iter().eq(["outer", "inner"]));
    assert!(reply.headers().get_all("x-mark").iter().eq(["inner", "outer"]));
}

#[tokio::test]
async fn middleware_may_answer_or_refuse_by_itself() {
    let server = held().start().await.unwrap();
    let answers = |_: Request, _: Next| async {
        let mut response = Response::new(Body::from(r#"{"input_tokens": 7}"#));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        Ok(response)
    };
    let answered = client(&server).0.middleware(answers).build().unwrap();
    assert_eq!(answered.messages().count_tokens(&hello()).await.unwrap().input_tokens, 7);

    let refuses = |_: Request, _: Next| async { Err(transport::Error::refused(std::fmt::Error)) };
    let refused = client(&server).0.middleware(refuses).build().unwrap();
    let error = refused.messages().count_tokens(&hello()).await.unwrap_err();
    assert!(matches!(&error, Error::Transport(error) if error.kind() == ErrorKind::Refused), "{error:?}");
    assert_eq!(server.journal_len(), 0);
}

#[tokio::test]
async fn middleware_cannot_send_a_credential_elsewhere() {
    let (server, other) = (held().start().await.unwrap(), held().start().await.unwrap());
    let target: http::Uri = other.base_url().join("v1/messages").unwrap().as_str().parse().unwrap();
    let diverts = move |mut request: Request, next: Next| {
        *request.uri_mut() = target.clone();
        next.run(request)
    };
    let client = client(&server).0.middleware(diverts).build().unwrap();
    let error = client.messages().create(&hello()).await.unwrap_err();
    assert!(matches!(error, Error::Auth(..)), "{error:?}");
    assert_eq!((server.journal_len(), other.journal_len()), (0, 0));
}

fn panics(error: &Error) -> bool {
    matches!(error, Error::Transport(error) if error.kind() == ErrorKind::Panicked)
        && !error.is_retryable()
        && !told(error).contains("canary")
}

/// Panics the first time.
#[derive(Debug, Default)]
struct Faulty(AtomicUsize);

impl Faulty {
    fn once(&self) {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "canary");
    }
}

#[async_trait]
impl Middleware for Faulty {
    async fn handle(&self, request: Request, next: Next) -> Result<Response, transport::Error> {
        self.once();
        next.run(request).await
    }
}

impl RetryPolicy for Faulty {
    fn verdict(&self, _: u32, _: &Request, _: Outcome<'_>) -> Verdict {
        self.once();
        Verdict::Return
    }
}

#[derive(Debug)]
struct FaultyProvider(Faulty, Credential);

#[async_trait]
impl CredentialProvider for FaultyProvider {
    async fn credential(&self) -> Result<Credential, claude_sdk::AuthError> {
        self.0.once();
        Ok(self.1.clone())
    }
}

#[tokio::test]
async fn a_panic_in_middleware_a_provider_or_a_policy_is_an_error_and_the_next_call_goes_on() {
    let server = held().start().await.unwrap();
    let key = Credential::api_key(server.api_key().into()).unwrap();
    let overloaded = Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "no");
    for (builder, script) in [
        (client(&server).0.middleware(Faulty::default()), vec![]),
        (client(&server).0.credentials(FaultyProvider(Faulty::default(), key)), vec![]),
        (client(&server).0.retry_policy(Faulty::default()), vec![overloaded]),
    ] {
        let client = builder.build().unwrap();
        server.set_script(script);
        let error = client.messages().create(&hello()).await.unwrap_err();
        assert!(panics(&error), "{error:?}");
        client.messages().create(&hello()).await.unwrap();
    }
}
