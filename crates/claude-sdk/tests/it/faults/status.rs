//! F20, F22 to F25: what the service says is tried again, or not, and when.

use std::time::Duration;

use claude_sdk::Error;
use http::{HeaderName, HeaderValue, StatusCode, header};
use mock_server::{Fault, Reply};
use serde_json::json;

use super::{MOST_ATTEMPTS, Trial};
use crate::rig::{t0, told};

fn status(code: u16) -> Fault {
    Fault::status(StatusCode::from_u16(code).unwrap())
}

fn limited(name: &'static str, value: &str) -> Fault {
    let reply = Reply::error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "slow down");
    Fault::answer(reply.header(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()))
}

/// F20.
#[tokio::test]
async fn a_failing_service_is_asked_again_as_often_as_there_are_retries() {
    let trial = Trial::new().await;
    for code in [500, 502, 503, 504, 529] {
        for times in 1..MOST_ATTEMPTS {
            let what = format!("{code}, {times} times");
            let reply = trial.create(&what, status(code).times(times)).await.unwrap();
            assert_eq!((reply.retries_taken(), trial.executions()), (times, 1), "{what}");
        }
        let error = trial.create("for ever", status(code).always()).await.unwrap_err();
        assert_eq!((error.attempts(), error.status().unwrap().as_u16()), (MOST_ATTEMPTS, code));
        assert!(error.is_retryable(), "{error:?}");
    }
    trial.end().await;
}

/// F22.
#[tokio::test]
async fn a_limit_that_passes_is_waited_for_and_never_shorter_than_told() {
    let trial = Trial::new().await;
    for (name, value, floor) in [
        ("retry-after", "7", Some(7_000)),
        ("retry-after", "0.5", Some(500)),
        ("retry-after-ms", "1500", Some(1_500)),
        ("retry-after", "0", None),
        ("retry-after", "-7", None),
        ("retry-after", "NaN", None),
        ("retry-after", "soon", None),
        ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", None),
    ] {
        let what = format!("{name}: {value}");
        let before = trial.waits.slept().len();
        let reply = trial.create(&what, limited(name, value)).await.unwrap();
        assert_eq!(reply.retries_taken(), 1, "{what}");
        let slept = trial.waits.slept()[before..].iter().sum::<Duration>();
        let (least, most) = match floor {
            Some(floor) => (floor, floor + (floor / 10).max(2_000)),
            None => (250, 8_000),
        };
        let bounds = Duration::from_millis(least)..=Duration::from_millis(most);
        assert!(bounds.contains(&slept), "{what}: {slept:?}");
    }
    trial.end().await;
}

/// F22, as a date: the clock is the client's.
#[tokio::test]
async fn a_date_to_come_back_at_is_not_come_back_before() {
    let trial = Trial::new().await;
    let date = httpdate_of(t0() + Duration::from_secs(12));
    let reply = trial.create("a date", limited("retry-after", &date)).await.unwrap();
    assert_eq!(reply.retries_taken(), 1);
    let slept = trial.waits.slept().iter().sum::<Duration>();
    assert!((Duration::from_secs(12)..Duration::from_secs(14)).contains(&slept), "{slept:?}");
    trial.end().await;
}

/// F22, too long: the caller decides.
#[tokio::test]
async fn a_wait_beyond_all_patience_is_told_at_once() {
    let trial = Trial::new().await;
    let year = 366 * 24 * 3600;
    for value in
        ["3600".to_owned(), "1000000000000".to_owned(), httpdate_of(t0() + Duration::from_secs(year))]
    {
        let error = trial.create(&value, limited("retry-after", &value)).await.unwrap_err();
        assert!(error.retry_after() >= Some(Duration::from_secs(3600)), "{value}: {error:?}");
        assert_eq!((error.attempts(), trial.waits.slept().len()), (1, 0), "{value}");
    }
    trial.end().await;
}

/// F23.
#[tokio::test]
async fn a_limit_of_spend_is_asked_once() {
    let trial = Trial::new().await;
    let details = json!({"error_code": "enforced_spend_limit_reached"});
    let error = json!({"type": "rate_limit_error", "message": "spent", "details": details});
    let reply = Reply::json(json!({"type": "error", "error": error})).status(StatusCode::TOO_MANY_REQUESTS);
    let error = trial.create("spent", Fault::answer(reply).always()).await.unwrap_err();
    let Error::Api(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.code(), Some("enforced_spend_limit_reached"));
    assert!(!error.is_retryable(), "{}", told(&error));
    assert_eq!((error.attempts(), trial.waits.slept().len()), (1, 0));
    trial.end().await;
}

/// F24.
#[tokio::test]
async fn each_status_is_tried_again_or_not() {
    let trial = Trial::new().await;
    for (code, attempts) in
        [(408, 3), (400, 1), (402, 1), (403, 1), (404, 1), (409, 1), (413, 1), (422, 1), (418, 1)]
    {
        let error = trial.create(&code.to_string(), status(code).always()).await.unwrap_err();
        assert!(matches!(error, Error::Api(_)), "{code}: {error:?}");
        assert_eq!((error.attempts(), error.status().unwrap().as_u16()), (attempts, code));
        assert_eq!(error.is_retryable(), attempts > 1, "{code}");
    }
    trial.end().await;
}

/// F25.
#[tokio::test]
async fn the_service_has_the_last_word_on_whether_to_try_again() {
    let trial = Trial::new().await;
    for (code, word, attempts) in
        [(400, "true", 3), (409, "true", 3), (529, "false", 1), (408, "false", 1), (503, "perhaps", 3)]
    {
        let reply = Reply::error(StatusCode::from_u16(code).unwrap(), "api_error", "words");
        let reply = reply.header(HeaderName::from_static("x-should-retry"), HeaderValue::from_static(word));
        let error = trial.create(word, Fault::answer(reply).always()).await.unwrap_err();
        assert_eq!(error.attempts(), attempts, "{code} {word}");
    }
    for reply in
        [Reply::html("<h1>Bad gateway</h1>"), Reply::error(StatusCode::BAD_GATEWAY, "api_error", "words")]
    {
        let reply = reply.status(StatusCode::BAD_GATEWAY);
        let final_ =
            reply.header(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
        let error = trial.create("final", Fault::answer(final_).always()).await.unwrap_err();
        assert!(error.attempts() == 1 && !error.is_retryable(), "{error:?}");
        assert!(!error.to_string().contains("try again"), "{error}");
    }
    let redirect = Reply::html("").status(StatusCode::FOUND);
    let redirect = redirect.header(header::LOCATION, HeaderValue::from_static("/"));
    let redirect =
        redirect.header(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("true"));
    let error = trial.create("a redirect", Fault::answer(redirect).always()).await.unwrap_err();
    assert!(matches!(error, Error::Answer(_)) && error.attempts() == MOST_ATTEMPTS, "{error:?}");
    trial.end().await;
}

/// A date of HTTP, through the one header that every server sends.
fn httpdate_of(time: std::time::SystemTime) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&jiff::Timestamp::try_from(time).unwrap())
        .unwrap()
}
