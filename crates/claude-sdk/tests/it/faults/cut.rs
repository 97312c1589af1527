//! F57: streams that are cut, by a reset, in the framing of HTTP, and within TLS. By the body alone: `streams` and `stream_faults`.

use claude_sdk::{Error, transport::ErrorKind};
use mock_server::{At, Fault};

use super::{CONTENT, EVENTS, Trial, assert_kind, stream_error};
use crate::rig::{hello, told};

/// A cut stream was sent again before its content began, and is a typed error with what had come after that.
fn assert_cut(trial: &Trial, what: &str, error: &Error) {
    assert_eq!((error.attempts(), trial.executions()), (1, 1), "{what}");
    if let Error::Stream(error) = &error {
        assert!(error.is_truncated(), "{what}: {error:?}");
        let text = error.partial().map(claude_sdk::types::Message::text).unwrap_or_default();
        assert!("You said: hello there".starts_with(&text), "{what}: {text}");
    } else {
        // Nothing of the stream had come.
        assert_kind(what, error, &[ErrorKind::Closed, ErrorKind::Truncated]);
    }
}

/// With a RST in place of an end.
#[tokio::test]
async fn a_stream_that_is_reset_at_any_byte_is_told_from_a_whole_one() {
    let trial = Trial::new().await;
    let mut cut = 0;
    loop {
        let what = format!("reset at {cut}");
        match trial.stream(&what, Fault::reset(At::Body(cut))).await {
            Ok(reply) if reply.retries_taken() == 0 => break,
            // No content had come: it was sent again.
            Ok(reply) => assert_eq!((reply.retries_taken(), trial.executions()), (1, 2), "{what}"),
            Err(error) => assert_cut(&trial, &what, &error),
        }
        cut += 37;
    }
    assert!(cut > 1000, "{cut}");
    trial.end().await;
}

/// Between the chunks of HTTP.
#[tokio::test]
async fn a_stream_that_is_cut_in_its_framing_is_truncated() {
    let trial = Trial::new().await;
    for event in 0..EVENTS {
        let what = format!("after event {event}");
        match trial.stream(&what, Fault::close(At::Event(event))).await {
            Ok(reply) => {
                assert!(event < CONTENT, "{what}");
                assert_eq!((reply.retries_taken(), trial.executions()), (1, 2), "{what}");
            }
            Err(error) => {
                assert!(event >= CONTENT && trial.executions() == 1, "{what}: {error:?}");
                assert!(stream_error(&what, error).is_truncated(), "{what}");
            }
        }
    }
    // After `message_stop` nothing is missing but the end of HTTP.
    trial.stream("after all events", Fault::close(At::Event(EVENTS))).await.unwrap();
    trial.end().await;
}

/// At every byte takes minutes in a debug build, which is slow at handshakes: `cargo xtask soak cuts` does it.
const STEP: usize = if cfg!(debug_assertions) { 13 } else { 1 };

/// Cuts the connection after every so many bytes of the wire: TCP ends in order, and TLS without its `close_notify`.
async fn cut_within_tls(trial: Trial, tail: usize) {
    let mut whole = 0;
    // The second one is without what a connection begins with.
    for _ in 0..2 {
        let before = trial.server.bytes_sent();
        trial.client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
        whole = usize::try_from(trial.server.bytes_sent() - before).unwrap();
    }
    let (mut again, mut broken) = (0, 0);
    for bytes in (0..whole - tail).step_by(STEP) {
        let what = format!("byte {bytes} of {whole}");
        trial.server.advance(std::time::Duration::from_secs(1)); // or there would be too many of them in a minute
        match trial.stream(&what, Fault::close(At::Byte(bytes))).await {
            Ok(reply) => {
                assert_eq!(
                    (reply.retries_taken(), trial.executions()),
                    (1, 2),
                    "half a stream for a whole: {what}"
                );
                again += 1;
            }
            Err(error) => {
                assert_cut(&trial, &what, &error);
                broken += 1;
            }
        }
    }
    assert!(again > 5 && broken > 20, "{again} sent again, {broken} broken of {whole} bytes");
    trial.end().await;
}

#[tokio::test]
async fn a_stream_whose_tls_has_no_end_is_told_from_a_whole_one() {
    // After `message_stop` come the end of its chunk and the last chunk, which are no loss.
    cut_within_tls(Trial::over_http1_within_tls().await, "\r\n0\r\n\r\n".len()).await;
}

#[tokio::test]
async fn a_stream_over_http_2_whose_tls_has_no_end_is_told_from_a_whole_one() {
    // After `message_stop` comes an empty frame, which says that it was the last.
    cut_within_tls(Trial::over_http2_unheard().await, 9).await;
}

/// What a reader is told of it.
#[tokio::test]
async fn a_stream_that_broke_says_what_to_do() {
    let trial = Trial::new().await;
    let error = trial.stream("a cut", Fault::close(At::Event(6))).await.unwrap_err();
    assert!(told(&error).contains("send the request again"), "{}", told(&error));
    trial.end().await;
}
