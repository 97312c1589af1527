//! Calls that fail: each ends in one error that a program can match on and a person can act on.

use std::time::Duration;

use claude_sdk::{
    Client, Error,
    transport::{ErrorKind, Reach, SimClock, TimeoutKind},
    types::{ErrorType, MessageRequest},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use mock_server::Reply;
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::rig::{backend, client, held, hello, t0, told, until};

/// What an error has to be.
struct Expected {
    variant: &'static str,
    retryable: bool,
    retry_after: Option<Duration>,
    has_request_id: bool,
    attempts: u32,
    says: &'static str,
}

impl Expected {
    const fn new(variant: &'static str, says: &'static str) -> Self {
        Self { variant, retryable: false, retry_after: None, has_request_id: true, attempts: 1, says }
    }

    const fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }

    const fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    fn check(&self, what: &str, error: &Error) {
        let text = told(error);
        let variant = match error {
            Error::Config(_) => "config",
            Error::Auth(..) => "auth",
            Error::Api(_) => "api",
            Error::RateLimit(..) => "rate limit",
            Error::Transport(_) => "transport",
            Error::Answer(_) => "answer",
            Error::Stream(_) => "stream",
            _ => "new",
        };
        assert_eq!(variant, self.variant, "{what}: {error:?}");
        assert_eq!(error.is_retryable(), self.retryable, "{what}: {text}");
        assert_eq!(error.retry_after(), self.retry_after, "{what}: {text}");
        assert_eq!(error.request_id().is_some(), self.has_request_id, "{what}: {text}");
        assert_eq!(error.attempts(), self.attempts, "{what}: {text}");
        assert!(text.contains(self.says), "{what}: {text}");
        assert!(!text.contains('\n') && !text.ends_with('.'), "{what}: {text}");
        if let Some(id) = error.request_id() {
            assert!(text.contains(id), "{what}: {text}");
        }
    }
}

fn error(status: u16, kind: &str) -> Reply {
    Reply::error(StatusCode::from_u16(status).unwrap(), kind, "the service's words")
}

fn with(reply: Reply, name: HeaderName, value: &'static str) -> Reply {
    reply.header(name, HeaderValue::from_static(value))
}

#[tokio::test]
async fn every_bad_answer_is_an_error_that_says_what_to_do() {
    let page = || Reply::html("<h1>Welcome to the hotel</h1>");
    let no_retry = HeaderName::from_static("x-should-retry");
    let redirect =
        with(page().status(StatusCode::FOUND), header::LOCATION, "https://elsewhere.example/x?key=1");
    let cases = [
        ("a web page", vec![page()], Expected::new("answer", "a web page instead")),
        (
            "a gateway's page",
            vec![page().status(StatusCode::BAD_GATEWAY); 3],
            Expected::new("answer", "a web page instead").retryable().attempts(3),
        ),
        (
            "a web page of a gateway that has enough",
            vec![page().status(StatusCode::TOO_MANY_REQUESTS); 3],
            Expected::new("answer", "a web page instead").retryable().attempts(3),
        ),
        (
            "a redirect",
            vec![redirect],
            Expected::new("answer", "a redirect to https://elsewhere.example, which"),
        ),
        (
            "a redirect to nowhere",
            vec![page().status(StatusCode::FOUND)],
            Expected::new("answer", "not followed"),
        ),
        (
            "JSON that ends too early",
            vec![Reply::text("x").truncate_after(40)],
            Expected::new("answer", "broke off").retryable(),
        ),
        (
            "a connection that breaks",
            vec![Reply::text("x").break_after(40)],
            Expected::new("answer", "broke off").retryable(),
        ),
        (
            "JSON of another shape",
            vec![Reply::json(json!({"hello": 1}))],
            Expected::new("answer", "is the base URL"),
        ),
        (
            "an empty answer",
            vec![Reply::text("x").truncate_after(0)],
            Expected::new("answer", "an empty answer in place of JSON").retryable(),
        ),
        (
            "an event stream",
            vec![Reply::sse(["event: message_stop\ndata: {}\n\n"])],
            Expected::new("answer", "call `stream()`"),
        ),
        (
            "an error that is not the API's",
            vec![Reply::json(json!({"oops": true})).status(StatusCode::FORBIDDEN)],
            Expected::new("answer", "JSON that is not the API's"),
        ),
        ("400", vec![error(400, "invalid_request_error")], Expected::new("api", "the service's words")),
        ("401", vec![error(401, "authentication_error")], Expected::new("api", "check the key or token")),
        ("403", vec![error(403, "permission_error")], Expected::new("api", "ask for the missing scope")),
        ("413", vec![error(413, "request_too_large")], Expected::new("api", "send less")),
        (
            "500 that is not to be tried again",
            vec![with(error(500, "api_error"), no_retry, "false")],
            Expected::new("api", "the service answered 500 api_error"),
        ),
        (
            "529",
            vec![error(529, "overloaded_error"); 3],
            Expected::new("api", "try again later").retryable().attempts(3),
        ),
        (
            "an error of a new type",
            vec![error(418, "teapot_error")],
            Expected::new("api", "418 teapot_error"),
        ),
    ];
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for (what, script, expected) in cases {
        server.clear_journal();
        server.set_script(script);
        let error = client.messages().create(&hello()).await.unwrap_err();
        expected.check(what, &error);
        assert_eq!(server.journal_len(), usize::try_from(expected.attempts).unwrap(), "{what}");
    }
}

#[tokio::test]
async fn what_the_server_itself_refuses_is_told_in_its_words() {
    let server = held().start().await.unwrap();
    let (builder, _) = client(&server);
    let client = builder.build().unwrap();

    let unknown =
        client.messages().create(&MessageRequest::new("claude-nope", 10).user("x")).await.unwrap_err();
    Expected::new("api", "claude-nope").check("an unknown model", &unknown);
    Expected::new("api", "`models().list()` names those").check("an unknown model", &unknown);
    let Error::Api(refusal) = &unknown else { panic!("{unknown:?}") };
    assert_eq!((refusal.status().as_u16(), refusal.kind()), (404, &ErrorType::NotFound));

    let blank = MessageRequest::new("claude-opus-5", 10).user("x").stop_sequence(" ");
    let blank = client.messages().create(&blank).await.unwrap_err();
    Expected::new("api", "stop_sequences").check("a blank stop sequence", &blank);

    let stranger = self::client(&server).0.api_key("sk-ant-not-a-key").build().unwrap();
    let refused = stranger.messages().create(&hello()).await.unwrap_err();
    Expected::new("api", "check the key or token").check("a wrong key", &refused);
    assert_eq!(refused.status(), Some(StatusCode::UNAUTHORIZED));
    let Error::Api(refusal) = &refused else { panic!("{refused:?}") };
    assert!(!refusal.body().is_empty(), "the body is reachable");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_sees_nothing() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/v1/messages", target.local_addr().unwrap());
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for status in [301, 302, 303, 307, 308] {
        let redirect = Reply::html("").status(StatusCode::from_u16(status).unwrap());
        server.push_reply(redirect.header(header::LOCATION, location.parse().unwrap()));
        let error = client.messages().create(&hello()).await.unwrap_err();
        Expected::new("answer", "make it the base URL").check("a redirect", &error);
    }
    // The first connection the target sees is this one.
    let ours = tokio::net::TcpStream::connect(target.local_addr().unwrap()).await.unwrap();
    let (_, peer) = target.accept().await.unwrap();
    assert_eq!(peer, ours.local_addr().unwrap(), "somebody followed a redirect");
}

#[tokio::test]
async fn a_whole_answer_where_a_stream_was_asked_for_says_what_to_call() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    server.set_script([Reply::json(json!({"type": "message"}))]);
    let error = client.messages().stream(&hello()).await.map(|_| ()).unwrap_err();
    Expected::new("answer", "call `create()`").check("JSON for a stream", &error);
}

#[tokio::test]
async fn a_429_is_tried_again_and_never_earlier_than_told() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.build().unwrap();
    server.set_script([with(error(429, "rate_limit_error"), header::RETRY_AFTER, "20")]);

    let message = client.messages().create(&hello()).await.unwrap();

    assert_eq!(message.retries_taken(), 1);
    let [slept] = waits.slept()[..] else { panic!("{:?}", waits.slept()) };
    assert!((Duration::from_secs(20)..Duration::from_secs(25)).contains(&slept), "{slept:?}");
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_handed_to_the_caller_at_once() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.build().unwrap();
    server.set_script([with(error(429, "rate_limit_error"), header::RETRY_AFTER, "3600")]);

    let error = client.messages().create(&hello()).await.unwrap_err();

    let hour = Some(Duration::from_secs(3600));
    Expected { retry_after: hour, ..Expected::new("api", "slow down").retryable() }.check("429", &error);
    assert!(waits.slept().is_empty());
}

#[tokio::test]
async fn a_limit_of_spend_is_no_matter_of_waiting() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.max_retries(0).build().unwrap();
    let detail = json!({"error_code": "enforced_spend_limit_reached"});
    let body = json!({
        "type": "error", "error": {"type": "rate_limit_error", "message": "spent", "details": detail}
    });
    server.set_script([Reply::json(body).status(StatusCode::TOO_MANY_REQUESTS)]);

    let error = client.messages().create(&hello()).await.unwrap_err();

    Expected::new("api", "limits and spend of the organisation").check("spent", &error);
    let Error::Api(error) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), Some("enforced_spend_limit_reached"));
}

#[tokio::test]
async fn an_overloaded_service_is_asked_again_with_growing_waits() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.build().unwrap();
    server.set_script([error(529, "overloaded_error"), error(503, "api_error")]);

    let stream = client.messages().stream(&hello()).await.unwrap();
    let message = stream.final_message().await.unwrap();

    assert_eq!(message.retries_taken(), 2);
    assert_eq!(message.text(), "You said: hello there");
    let [first, second] = waits.slept()[..] else { panic!("{:?}", waits.slept()) };
    assert!((Duration::from_millis(250)..=Duration::from_millis(500)).contains(&first), "{first:?}");
    assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&second), "{second:?}");
}

#[tokio::test]
async fn no_retries_means_one_attempt() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.max_retries(0).build().unwrap();
    server.set_script([error(529, "overloaded_error")]);

    let error = client.messages().create(&hello()).await.unwrap_err();

    Expected::new("api", "try again later").retryable().check("529", &error);
    assert!(waits.slept().is_empty());
    assert_eq!(server.journal_len(), 1);
}

#[tokio::test]
async fn a_refused_port_is_tried_again_and_named() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.build().unwrap();
    let port = server.base_url().port().unwrap();
    server.shutdown().await;

    let error = client.messages().create(&hello()).await.unwrap_err();

    let expected = Expected::new("transport", "check that it is up").retryable().attempts(3);
    Expected { has_request_id: false, ..expected }.check("a refused port", &error);
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    let Error::Transport(error) = error else { panic!("{error:?}") };
    assert_eq!((error.kind(), error.reach()), (ErrorKind::Connect, Reach::NotSent));
    assert_eq!(waits.slept().len(), 2);
}

/// A `main` that returns an error prints it with `Debug`.
#[tokio::test]
async fn what_a_program_prints_that_ends_with_an_error_is_the_next_step_and_the_causes() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Client::builder().api_key("k").base_url(format!("http://{free}")).max_retries(0);
    let error = client.backend(backend()).build().unwrap().messages().create(&hello()).await.unwrap_err();
    let printed = format!("{error:?}");
    let (first, causes) = printed.split_once("\n  caused by: ").unwrap();
    assert_eq!(first, error.to_string());
    assert!(first.contains("check that it is up"), "{printed}");
    assert!(causes.ends_with("(os error 111)") || !cfg!(target_os = "linux"), "{printed}");
    assert_eq!(format!("{error:#?}"), printed);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_a_message_not_sent_twice() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clock = SimClock::new(t0());
    let client = Client::builder()
        .base_url(format!("http://{}", silent.local_addr().unwrap()))
        .api_key("sk-ant-key")
        .backend(backend())
        .clock(clock.clone())
        .timeout(Duration::from_secs(90))
        .build()
        .unwrap();
    let call = tokio::spawn(async move { client.messages().create(&hello()).await });
    let (mut socket, _) = silent.accept().await.unwrap();
    socket.read_exact(&mut [0; 100]).await.unwrap();
    until(|| clock.sleepers() == 1).await;

    clock.advance(Duration::from_secs(89));
    until(|| clock.sleepers() == 1).await;
    assert!(!call.is_finished());
    clock.advance(Duration::from_secs(1));
    let error = call.await.unwrap().unwrap_err();

    let expected = Expected::new("transport", "took too long to answer").retryable();
    Expected { has_request_id: false, ..expected }.check("silence", &error);
    let Error::Transport(error) = error else { panic!("{error:?}") };
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Headers));
}

#[tokio::test]
async fn an_identifier_that_would_change_the_route_is_not_sent() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for id in ["../organizations", "a/../../organizations", "", "..%2fskills"] {
        let error = client.models().get(&id.into()).await.unwrap_err();
        let expected = Expected::new("config", "give the bare identifier").attempts(0);
        Expected { has_request_id: false, ..expected }.check(id, &error);
    }
    assert_eq!(server.journal_len(), 0);
    // Whatever else it is, it stays where it belongs.
    let error = client.models().get(&"a/b?c d".into()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    assert_eq!(server.journal()[0].path, "/v1/models/a%2Fb%3Fc%20d");
}
