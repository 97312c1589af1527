//! How long a call goes on, and what it says when it gives up.

use std::time::Duration;

use claude_sdk::{
    ConfigError, Error,
    transport::{ErrorKind, SimClock, layers::Breaker},
    types::MessageRequest,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use mock_server::Reply;
use serde_json::json;

use crate::rig::{T0, backend, client, held, hello, t0, told, until};

fn error(status: u16, kind: &str) -> Reply {
    Reply::error(StatusCode::from_u16(status).unwrap(), kind, "the service's words")
}

fn refusal(kind: &str) -> String {
    let body = json!({"type": "error", "error": {"type": kind, "message": "enough"}});
    format!("event: error\ndata: {body}\n\n")
}

const PING: &str = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\
                     \"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5\",\"content\":[],\
                     \"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\
                     \"output_tokens\":1}}}\n\n";
const BLOCK: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\
                     \"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";

/// F60, before the first content.
#[tokio::test]
async fn a_stream_that_fails_before_its_first_content_is_sent_again() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for beginning in [
        vec![START.to_owned(), PING.to_owned(), refusal("overloaded_error")],
        vec![refusal("api_error")],
        vec![PING.to_owned(), refusal("not_yet_known_error")],
        vec![START.to_owned()],
        vec![PING.to_owned()],
    ] {
        server.clear_journal();
        server.set_script([Reply::sse(beginning.clone())]);
        let stream = client.messages().stream(&hello()).await.unwrap();
        assert_eq!(stream.retries_taken(), 1, "{beginning:?}");
        let message = stream.final_message().await.unwrap();
        assert_eq!(message.text(), "You said: hello there", "{beginning:?}");
        assert_eq!((message.retries_taken(), server.journal_len()), (1, 2), "{beginning:?}");
    }
}

/// F60, where it does not help: what cannot pass is not tried again, and what has begun is the caller's.
#[tokio::test]
async fn a_stream_that_has_begun_or_cannot_pass_is_not_sent_again() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for (events, kind) in [
        (vec![START.to_owned(), BLOCK.to_owned(), refusal("overloaded_error")], "overloaded_error"),
        (vec![START.to_owned(), refusal("invalid_request_error")], "invalid_request_error"),
    ] {
        server.clear_journal();
        server.set_script([Reply::sse(events)]);
        let stream = client.messages().stream(&hello()).await.unwrap();
        let error = stream.final_message().await.unwrap_err();
        assert!(told(&error).contains(kind) && error.request_id().is_some(), "{error:?}");
        assert_eq!((error.attempts(), server.journal_len()), (1, 1), "{kind}");
    }
}

#[tokio::test]
async fn a_stream_that_never_begins_is_an_error_of_the_last_attempt() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    server.set_script(vec![Reply::sse([refusal("overloaded_error")]); 3]);
    let error = match client.messages().stream(&hello()).await {
        Ok(stream) => stream.final_message().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(told(&error).contains("529") && error.is_retryable(), "{error:?}");
    assert_eq!((error.attempts(), server.journal_len()), (3, 3));
}

/// F23, G24.
#[tokio::test]
async fn a_limit_of_spend_is_tried_once() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.build().unwrap();
    for (code, attempts) in
        [("enforced_spend_limit_reached", 1), ("contract_spend_limit_reached", 1), ("ramp_limit_exceeded", 3)]
    {
        server.clear_journal();
        let detail = json!({"type": "rate_limit_error", "message": "no", "details": {"error_code": code}});
        let body = json!({"type": "error", "error": detail});
        let reply = Reply::json(body).status(StatusCode::TOO_MANY_REQUESTS);
        server.set_script(vec![
            reply.header(
                "x-should-retry".parse().unwrap(),
                HeaderValue::from_static("true")
            );
            3
        ]);
        let error = client.messages().create(&hello()).await.unwrap_err();
        assert_eq!((error.attempts(), server.journal_len()), (attempts, attempts as usize), "{code}");
        assert_eq!(error.is_retryable(), attempts > 1, "{code}");
    }
    assert_eq!(waits.slept().len(), 2);
}

/// F22, G23: the instant is told, and nothing is waited for.
#[tokio::test]
async fn a_wait_that_does_not_fit_is_told_with_its_end() {
    let server = held().start().await.unwrap();
    for (deadline, wait) in [(None, "61"), (Some(45), "45"), (Some(3600), "3600")] {
        let (builder, waits) = client(&server);
        let builder = match deadline {
            Some(seconds) => builder.deadline(Duration::from_secs(seconds)),
            None => builder,
        };
        server.set_script([
            error(429, "rate_limit_error").header(header::RETRY_AFTER, HeaderValue::from_static(wait))
        ]);
        let error = builder.build().unwrap().messages().create(&hello()).await.unwrap_err();
        let seconds = Duration::from_secs(wait.parse().unwrap());
        assert_eq!(error.retry_at(), Some(t0() + seconds));
        assert_eq!((error.retry_after(), error.attempts()), (Some(seconds), 1));
        assert!(waits.slept().is_empty());
        let text = told(&error);
        assert!(text.contains("not before 2027-01-15T"), "{text}");
    }
    assert_eq!(T0.as_secs(), 1_800_000_000, "the day above");
}

/// F24, F25.
#[tokio::test]
async fn a_refusal_is_sent_again_where_it_may_pass_or_the_service_says_so() {
    let server = held().start().await.unwrap();
    let (builder, _) = client(&server);
    let client = builder.circuit_breaker(None).build().unwrap();
    for (status, should_retry, attempts) in [
        (408, None, 3),
        (409, None, 1),
        (409, Some("true"), 3),
        (500, None, 3),
        (502, None, 3),
        (503, None, 3),
        (504, None, 3),
        (529, None, 3),
        (529, Some("false"), 1),
        (400, None, 1),
        (400, Some("true"), 3),
        (402, None, 1),
        (403, None, 1),
        (404, None, 1),
        (413, None, 1),
    ] {
        server.clear_journal();
        let mut reply = error(status, "some_error");
        if let Some(word) = should_retry {
            reply = reply.header(HeaderName::from_static("x-should-retry"), HeaderValue::from_static(word));
        }
        server.set_script(vec![reply; 3]);
        let error = client.messages().create(&hello()).await.unwrap_err();
        let found = (error.attempts(), server.journal_len());
        assert_eq!(found, (attempts, attempts as usize), "{status} {should_retry:?}");
        assert_eq!(error.is_retryable(), attempts > 1, "{status} {should_retry:?}");
        assert!(error.request_id().is_some());
    }
}

#[tokio::test]
async fn a_service_that_keeps_failing_is_left_alone_and_the_error_says_until_when() {
    let server = held().start().await.unwrap();
    let breaker = Breaker::new();
    let clock = SimClock::new(t0());
    let client = client(&server).0.clock(clock.clone()).circuit_breaker(breaker.clone()).max_retries(0);
    let client = client.build().unwrap();
    server.set_script(vec![error(529, "overloaded_error"); 10]);
    for _ in 0..10 {
        client.messages().create(&hello()).await.unwrap_err();
    }
    let error = client.messages().create(&hello()).await.unwrap_err();
    let Error::Transport(open) = &error else { panic!("{error:?}") };
    assert_eq!((open.kind(), error.attempts(), server.journal_len()), (ErrorKind::Open, 0, 10));
    assert_eq!(error.retry_at(), Some(t0() + Duration::from_secs(1)));
    assert!(error.is_retryable() && !error.is_ambiguous());

    clock.advance(Duration::from_secs(1));
    client.clone().messages().create(&hello()).await.unwrap();
    assert_eq!(breaker.open(), None);
}

/// The deadline counts for reading the answer too.
#[tokio::test]
async fn a_deadline_covers_the_whole_of_a_call() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clock = SimClock::new(t0());
    let client = claude_sdk::Client::builder()
        .base_url(format!("http://{}", listener.local_addr().unwrap()))
        .api_key("sk-ant-key")
        .backend(backend())
        .clock(clock.clone())
        .deadline(Duration::from_secs(10))
        .build()
        .unwrap();
    let call = tokio::spawn(async move { client.messages().create(&hello()).await });
    let (_silent, _) = listener.accept().await.unwrap();
    until(|| clock.sleepers() >= 2).await;
    clock.advance(Duration::from_secs(10));
    let error = call.await.unwrap().unwrap_err();
    assert!(
        matches!(&error, Error::Transport(error) if matches!(error.kind(), ErrorKind::Timeout(_))),
        "{error:?}"
    );
    assert!(error.is_ambiguous());
}

#[tokio::test]
async fn a_whole_message_that_may_take_too_long_is_refused_unless_somebody_says_how_long() {
    let server = held().start().await.unwrap();
    let long = MessageRequest::new("claude-haiku-4-5", 30_000).user("hello there");
    let plain = client(&server).0.build().unwrap();
    let error = plain.messages().create(&long).await.unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::TooLongToWait { max_tokens: 30_000 })), "{error:?}");
    assert!(told(&error).contains("messages().stream"), "{error}");
    assert_eq!(server.journal_len(), 0);

    plain.messages().stream(&long).await.unwrap().final_message().await.unwrap();
    let hour = Duration::from_secs(3600);
    for builder in [client(&server).0.timeout(hour), client(&server).0.deadline(hour)] {
        builder.build().unwrap().messages().create(&long).await.unwrap();
    }
}

#[tokio::test]
async fn a_deadline_beyond_all_time_is_none() {
    let server = held().start().await.unwrap();
    for length in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 62)] {
        client(&server).0.deadline(length).build().unwrap().messages().create(&hello()).await.unwrap();
    }
}

/// An error's body beyond the limit is an error of its own, which still says what is known.
#[tokio::test]
async fn an_error_whose_body_is_too_large_still_says_which_call_it_was() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let reply = Reply::json(json!({"error": {"type": "api_error", "message": "x".repeat(2 << 20)}}));
    server.set_script(vec![reply.status(StatusCode::SERVICE_UNAVAILABLE); 3]);
    let error = client.messages().create(&hello()).await.unwrap_err();
    assert_eq!((error.attempts(), error.status()), (3, Some(StatusCode::SERVICE_UNAVAILABLE)));
    assert!(error.request_id().is_some() && error.is_retryable());
    assert!(told(&error).contains("more than the 1048576 bytes"), "{}", told(&error));
}
