//! F11 to F13, F17 and F19: answers that are not what HTTP, their head or the API says.

use std::{fmt::Write as _, time::Duration};

use claude_sdk::{Error, transport::ErrorKind};
use http::HeaderValue;
use mock_server::{At, Fault, Reply};

use super::{Trial, assert_kind, transport_error};
use crate::rig::{hello, told};

/// F11.
#[tokio::test]
async fn an_answer_shorter_than_it_said_is_truncated_and_never_a_success() {
    let trial = Trial::new().await;
    for fault in
        [Fault::length(1), Fault::length(1000), Fault::close(At::Body(40)), Fault::reset(At::Body(40))]
    {
        let what = format!("{fault:?}");
        let error = trial.create(&what, fault).await.unwrap_err();
        assert!(matches!(error, Error::Answer(_)), "{what}: {error:?}");
        assert_kind(&what, &error, &[ErrorKind::Truncated]);
        assert!(error.request_id().is_some() && error.attempts() == 1, "{what}: {error:?}");
    }
    trial.end().await;
}

/// F11, cut anywhere: head, framing and content.
#[tokio::test]
async fn an_answer_cut_at_any_byte_of_the_wire_is_an_error() {
    let trial = Trial::unheard().await;
    let before = trial.server.bytes_sent();
    trial.client.messages().create(&hello()).await.unwrap();
    let whole = usize::try_from(trial.server.bytes_sent() - before).unwrap();
    for bytes in 0..whole {
        trial.server.advance(Duration::from_secs(1)); // or there would be too many of them in a minute
        let what = format!("byte {bytes} of {whole}");
        let error = trial.create(&what, Fault::close(At::Byte(bytes))).await.unwrap_err();
        assert_kind(&what, &error, &[ErrorKind::Closed, ErrorKind::Truncated]);
        assert_eq!((error.attempts(), trial.executions()), (1, 1), "{what}");
    }
    assert!(trial.create("all of it", Fault::close(At::Byte(whole))).await.is_ok());
    trial.end().await;
}

/// F12.
#[tokio::test]
async fn bytes_after_an_answer_are_no_answer_to_the_next_request() {
    let smuggled = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n{\"smuggled\": \"answer\"}";
    let trial = Trial::new().await;
    for fault in [Fault::extra(smuggled), Fault::extra("0123456789")] {
        let what = format!("{fault:?}");
        let before = trial.server.connections();
        trial.create(&what, fault).await.unwrap();
        trial.create("after it", Fault::close(At::End)).await.unwrap();
        assert!(trial.server.connections() > before, "{what}: the connection was used again");
    }
    // Fewer bytes announced than there are: what is left of a JSON object is none.
    let before = trial.server.connections();
    let error = trial.create("too short a length", Fault::length(-10)).await.unwrap_err();
    assert!(matches!(error, Error::Answer(_)), "{error:?}");
    trial.create("after it", Fault::close(At::End)).await.unwrap();
    assert!(trial.server.connections() > before, "what was left of the answer was on it");
    trial.end().await;
}

/// F13.
#[tokio::test]
async fn what_is_no_http_is_a_protocol_error() {
    let trial = Trial::new().await;
    for (what, fault) in [
        ("another protocol", Fault::garbage()),
        ("a hundred thousand headers", Fault::headers(100_000, 1)),
        ("a header of a mebibyte", Fault::headers(1, 1 << 20)),
        ("a head without end", Fault::raw(format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(200_000)))),
        ("a version of its own", Fault::raw("HTTP/7.3 200 OK\r\n\r\n")),
        ("a status of its own", Fault::raw("HTTP/1.1 2OO OK\r\n\r\n")),
        ("two lengths", Fault::raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}")),
        ("a length that is none", Fault::raw("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}")),
    ] {
        let error = trial.create(what, fault).await.unwrap_err();
        assert_kind(what, &error, &[ErrorKind::Protocol]);
        assert!(!error.is_retryable() && error.attempts() == 1, "{what}: {error:?}");
        trial.create("after it", Fault::close(At::End)).await.unwrap();
    }
    trial.end().await;
}

/// F13, in the body.
#[tokio::test]
async fn chunks_that_are_none_are_a_protocol_error() {
    let head = "HTTP/1.1 200 OK\r\nrequest-id: req_1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let trial = Trial::new().await;
    for chunks in ["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}xx0\r\n\r\n", "fffffffffffffffff\r\n{}"] {
        let error = trial.create(chunks, Fault::raw(format!("{head}{chunks}"))).await.unwrap_err();
        assert_kind(chunks, &error, &[ErrorKind::Protocol]);
    }
    trial.end().await;
}

/// F17: we asked for no encoding, or for some, and get something that is not what it says.
#[tokio::test]
async fn a_body_that_is_not_encoded_as_it_says_is_an_error() {
    let trial = Trial::new().await;
    for name in ["gzip", "br", "zstd", "deflate", "compress", "x-secret", "gzip, gzip"] {
        let fault = Fault::encoding(HeaderValue::from_static(name));
        let error = trial.create(name, fault).await.unwrap_err();
        assert!(matches!(error, Error::Answer(_)), "{name}: {error:?}");
        // The body is no message either: what failed has to be the decoding.
        assert_kind(name, &error, &[ErrorKind::Decode]);
        assert_eq!(error.attempts(), 1, "{name}");
        let stream = format!(
            "HTTP/1.1 200 OK\r\nrequest-id: req_1\r\ncontent-type: text/event-stream\r\ncontent-encoding: {name}\r\ncontent-length: 90\r\n\r\n{}",
            "event: x\n".repeat(10)
        );
        let error = trial.stream(name, Fault::raw(stream)).await.unwrap_err();
        assert_kind(name, &error, &[ErrorKind::Decode]);
        assert!(
            !error.is_retryable() && !told(&error).contains("send the request again"),
            "{}",
            told(&error)
        );
        assert_eq!(error.attempts(), 1, "{name}");
    }
    trial.end().await;
}

/// F19.
#[tokio::test]
async fn the_page_of_a_captive_portal_is_not_the_api() {
    let trial = Trial::new().await;
    let page = || Fault::answer(Reply::html("<h1>Welcome to the hotel</h1>"));
    for error in
        [trial.create("a page", page()).await.unwrap_err(), trial.stream("a page", page()).await.unwrap_err()]
    {
        assert!(matches!(error, Error::Answer(_)), "{error:?}");
        let mut text = told(&error);
        write!(text, "{error:?}").unwrap();
        assert!(text.contains("a web page instead") && !text.contains("hotel"), "{text}");
        assert!(transport_error(&error).is_none() && error.attempts() == 1);
    }
    trial.end().await;
}
