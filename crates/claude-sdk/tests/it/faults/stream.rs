//! F58 to F62: streams that stall, drip, fail or are not what they should be.

use std::time::Duration;

use claude_sdk::{
    Client,
    transport::{ErrorKind, SimClock, TimeoutKind},
};
use mock_server::{At, Fault, MockServer, Reply};

use super::{CONTENT, EVENTS, Footprint, Trial, assert_kind, stream_error, whole};
use crate::rig::{backend, held, hello, t0, until};

const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\
                     \"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5\",\"content\":[],\
                     \"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\
                     \"output_tokens\":1}}}\n\n";
const BLOCK: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\
                     \"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const HALF: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                    \"delta\":{\"type\":\"text_delta\",\"text\":\"You said: \"}}\n\n";
const REST: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                    \"delta\":{\"type\":\"text_delta\",\"text\":\"hello there\"}}\n\n";
const STOP: &str = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
const END: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\
                   \"stop_sequence\":null},\"usage\":{\"output_tokens\":4}}\n\n\
                   event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
const OVERLOADED: &str = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\
                          \"message\":\"Overloaded\"}}\n\n";

fn events(parts: &[&str]) -> Fault {
    Fault::answer(Reply::sse([parts.concat()]))
}

fn held_client(server: &MockServer, clock: &SimClock) -> Client {
    let client = Client::builder().base_url(server.base_url()).api_key(server.api_key());
    client.backend(backend()).clock(clock.clone()).idle_timeout(Duration::from_secs(60)).build().unwrap()
}

/// F58 and G43.
#[tokio::test]
async fn a_stream_that_stalls_between_any_two_events_ends_at_its_limit() {
    let before = Footprint::now();
    let server = held().start().await.unwrap();
    for event in CONTENT..EVENTS {
        let clock = SimClock::new(t0());
        let client = held_client(&server, &clock);
        server.inject(Fault::stall(At::Event(event)));
        let mut stream = client.messages().stream(&hello()).await.unwrap();
        let call = tokio::spawn(async move {
            let mut read = 0;
            while let Some(event) = stream.next().await {
                match event {
                    Ok(_) => read += 1,
                    Err(error) => return (read, error),
                }
            }
            panic!("a stalled stream ended without an error");
        });
        // It reads what there is, and then waits.
        until(|| clock.sleepers() > 0).await;
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_millis(59_999));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(!call.is_finished(), "event {event}: given up too early");
        clock.advance(Duration::from_millis(251));
        until(|| call.is_finished()).await;
        let (read, error) = call.await.unwrap();
        // The ping is swallowed or told; whatever came was read.
        assert!(read + 1 >= event, "event {event}: {read} were read");
        assert_kind("a stall", &error, &[ErrorKind::Timeout(TimeoutKind::Idle)]);
        assert!(stream_error("a stall", error).is_truncated());
    }
    server.shutdown().await;
    before.assert_restored().await;
}

/// F59 and G43: comments or pings for ever, which real time brings and the held clock judges.
#[tokio::test]
async fn a_stream_of_signs_of_life_alone_ends_at_its_limit() {
    let before = Footprint::now();
    let server = held().start().await.unwrap();
    for sign in ["comment", "ping"] {
        for event in [CONTENT + 1, EVENTS - 2] {
            let clock = SimClock::new(t0());
            let client = held_client(&server, &clock);
            server.inject(format!("keep-alive {event} {sign} 1").parse().unwrap());
            let mut stream = client.messages().stream(&hello()).await.unwrap();
            let call = tokio::spawn(async move {
                loop {
                    if let Err(error) = stream.next().await.expect("an error and no end") {
                        return error;
                    }
                }
            });
            // Signs of life keep coming before each step, which is shorter than the limit for silence.
            for step in [30, 30, 30, 29] {
                let sent = server.bytes_sent();
                until(|| server.bytes_sent() > sent + 200).await;
                clock.advance(Duration::from_secs(step));
            }
            let sent = server.bytes_sent();
            until(|| server.bytes_sent() > sent + 200).await;
            assert!(!call.is_finished(), "{sign} after event {event}: given up too early");
            clock.advance(Duration::from_millis(1_250));
            until(|| call.is_finished()).await;
            let error = call.await.unwrap();
            assert_kind(sign, &error, &[ErrorKind::Timeout(TimeoutKind::Progress)]);
            assert!(error.request_id().is_some() && error.attempts() == 1, "{sign}: {error:?}");
            let error = stream_error(sign, error);
            assert!(error.is_truncated() && error.partial().is_some(), "{sign}: {error:?}");
            until(|| server.open_connections() == 0).await;
        }
    }
    server.shutdown().await;
    before.assert_restored().await;
}

/// F60.
#[tokio::test]
async fn an_error_event_after_the_first_delta_ends_the_stream_with_what_had_come() {
    let trial = Trial::new().await;
    let error =
        trial.stream("after a delta", events(&[START, BLOCK, HALF, OVERLOADED]).times(3)).await.unwrap_err();
    assert_eq!((error.attempts(), trial.server.journal_len()), (1, 1));
    let error = stream_error("after a delta", error);
    assert_eq!(error.api_error().unwrap().status().as_u16(), 529);
    assert_eq!(error.partial().unwrap().text(), "You said: ");
    trial.end().await;
}

/// F61.
#[tokio::test]
async fn a_stream_is_read_however_its_bytes_are_written() {
    let trial = Trial::new().await;
    let plain = [START, PING, BLOCK, HALF, REST, STOP, END].concat();
    let forms = [
        ("as it is", plain.clone()),
        ("with a byte order mark", format!("\u{feff}{plain}")),
        ("with CRLF", plain.replace('\n', "\r\n")),
        ("with CR", plain.replace('\n', "\r")),
        ("with comments", plain.replace("event:", ": a comment\nevent:")),
        ("with a NUL in an id", plain.replace("event:", "id: \0\nevent:")),
        ("with a million empty events", format!("{}{plain}", "\n".repeat(1_000_000))),
        ("with unknown fields", plain.replace("event:", "retry: -5\nfoo: bar\nevent:")),
    ];
    for (what, text) in forms {
        trial.stream(what, Fault::answer(Reply::sse([text.clone()]))).await.unwrap();
        if text.len() < 10_000 {
            let bytes = text.into_bytes().into_iter().map(|byte| vec![byte]);
            trial.stream(&format!("{what}, byte by byte"), Fault::answer(Reply::sse(bytes))).await.unwrap();
        }
    }
    trial.end().await;
}

/// F61, what is no text.
#[tokio::test]
async fn bytes_that_are_no_text_are_replaced_and_do_not_end_a_stream() {
    let before = Footprint::now();
    let server = held().start().await.unwrap();
    let client = crate::rig::client(&server).0.build().unwrap();
    let mut bytes = [START, BLOCK].concat().into_bytes();
    bytes.extend(
        HALF.replace("You said: ", "a?b")
            .into_bytes()
            .into_iter()
            .map(|byte| if byte == b'?' { 0xff } else { byte }),
    );
    bytes.extend([STOP, END].concat().into_bytes());
    server.set_script([Reply::sse([bytes])]);
    let message = whole(client.messages().stream(&hello()).await.unwrap()).await.unwrap();
    assert_eq!(message.text(), "a\u{fffd}b");
    drop((client, message));
    server.shutdown().await;
    before.assert_restored().await;
}

/// F61, too long a line: it is given up at the limit and not kept.
#[tokio::test]
async fn a_line_without_end_is_given_up() {
    let trial = Trial::new().await;
    let piece = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    let pieces = std::iter::once(bytes::Bytes::from_static(b"data: ")).chain(std::iter::repeat_n(piece, 64));
    let error = trial.stream("a line of 64 MiB", Fault::answer(Reply::sse(pieces))).await.unwrap_err();
    assert_kind("a line of 64 MiB", &error, &[ErrorKind::Protocol]);
    trial.end().await;
}

/// F62.
#[tokio::test]
async fn what_is_unknown_passes_and_what_is_impossible_does_not() {
    let trial = Trial::new().await;
    let unknown = "event: content_block_thought\ndata: {\"type\":\"content_block_thought\",\"index\":0}\n\n";
    let delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{\"type\":\"mood_delta\",\"mood\":\"good\"}}\n\n";
    trial
        .stream("unknown", events(&[START, unknown, BLOCK, HALF, delta, REST, STOP, unknown, END]))
        .await
        .unwrap();
    let other = HALF.replace("\"index\":0", "\"index\":3");
    let broken = "event: content_block_delta\ndata: {\"type\":\"content_blo\n\n";
    for (what, parts) in [
        ("no start", vec![BLOCK, HALF, STOP, END]),
        ("a second start", vec![START, BLOCK, START]),
        ("no block", vec![START, HALF, END]),
        ("another index", vec![START, BLOCK, &other]),
        ("a closed block", vec![START, BLOCK, STOP, HALF]),
        ("no JSON", vec![START, BLOCK, broken]),
    ] {
        let error = trial.stream(what, events(&parts)).await.unwrap_err();
        let error = stream_error(what, error);
        assert!(!error.is_truncated() && error.api_error().is_none(), "{what}: {error:?}");
    }
    trial.end().await;
}
