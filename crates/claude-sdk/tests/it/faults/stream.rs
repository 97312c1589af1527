//! F57 to F64: streams that break, stall, lie or are left.

use std::time::Duration;

use claude_sdk::{
    Client, Error, MessageStream,
    transport::{ErrorKind, SimClock, TimeoutKind},
    types::MessageRequest,
};
use mock_server::{At, Fault, MockServer, Reply};

use super::{Trial, assert_kind, stream_error, whole};
use crate::rig::{backend, held, hello, t0, told, until};

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

/// How many events the server sends for `hello()`, its ping included.
const EVENTS: usize = 10;
/// How many of them come before there is content: until then a stream that fails is sent again.
const CONTENT: usize = 2;

fn events(parts: &[&str]) -> Fault {
    Fault::answer(Reply::sse([parts.concat()]))
}

/// F57: with a RST in place of an end. Cut in order, or by the body: `streams`.
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
            Err(error) => {
                // Nothing of the stream had come, or some of it.
                assert_eq!((error.attempts(), trial.executions()), (1, 1), "{what}");
                if let Error::Stream(error) = &error {
                    assert!(error.is_truncated(), "{what}: {error:?}");
                    let text = error.partial().map(claude_sdk::types::Message::text).unwrap_or_default();
                    assert!("You said: hello there".starts_with(&text), "{what}: {text}");
                } else {
                    assert_kind(&what, &error, &[ErrorKind::Closed, ErrorKind::Truncated]);
                }
            }
        }
        cut += 37;
    }
    assert!(cut > 1000, "{cut}");
    trial.end().await;
}

/// F57, between the chunks of HTTP.
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

fn held_client(server: &MockServer, clock: &SimClock) -> Client {
    let client = Client::builder().base_url(server.base_url()).api_key(server.api_key());
    client.backend(backend()).clock(clock.clone()).idle_timeout(Duration::from_secs(60)).build().unwrap()
}

/// F58 and G43.
#[tokio::test]
async fn a_stream_that_stalls_between_any_two_events_ends_at_its_limit() {
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
        ("with empty events", format!("{}{plain}", "\n\n".repeat(100_000))),
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

/// F63.
#[tokio::test]
async fn a_reader_that_stops_reading_holds_the_server_back() {
    let trial = Trial::new().await;
    let delta = bytes::Bytes::from(HALF.replace("You said: ", &"x".repeat(1 << 16)));
    let pieces = [START, BLOCK].map(bytes::Bytes::from).into_iter();
    let pieces = pieces.chain(std::iter::repeat_n(delta, 1024));
    trial.server.inject(Fault::answer(Reply::sse(pieces)));
    let before = super::Footprint::now().kib;
    let mut stream = trial.client.messages().stream(&hello()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let mut sent = 0;
    let mut quiet = 0;
    while quiet < 2_000 {
        tokio::task::yield_now().await;
        let now = trial.server.bytes_sent();
        quiet = if now == sent { quiet + 1 } else { 0 };
        sent = now;
    }
    // What the kernel holds of a loopback connection, and no more than that.
    assert!(sent < 24 << 20, "{sent} bytes were taken from the server");
    let grown = super::Footprint::now().kib.saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB for a stream nobody reads");
    drop(stream);
    until(|| trial.server.open_connections() == 0).await;
    trial.end().await;
}

/// F64, for every event after which a reader may go away.
#[tokio::test]
async fn a_stream_that_is_dropped_closes_its_connection() {
    let trial = Trial::new().await;
    for event in 0..EVENTS {
        trial.server.inject(Fault::stall(At::Event(EVENTS - 1)));
        let mut stream = trial.client.messages().stream(&hello()).await.unwrap();
        for _ in 0..event.min(EVENTS - 3) {
            stream.next().await.unwrap().unwrap();
        }
        assert_eq!(trial.server.open_connections(), 1);
        drop(stream);
        until(|| trial.server.open_connections() == 0).await;
    }
    trial.end().await;
}

/// G44: cancelled while it is sent, before the head, and in the body.
#[tokio::test]
async fn a_thousand_calls_that_are_dropped_leave_nothing_open() {
    let trial = Trial::unheard().await;
    let request: MessageRequest = hello();
    for number in 0..1_000_usize {
        let polls = number % 40;
        trial.server.inject(if number % 2 == 0 {
            Fault::stall(At::Request)
        } else {
            Fault::stall(At::Event(2))
        });
        let call = async {
            let stream: MessageStream = trial.client.messages().stream(&request).await.unwrap();
            whole(stream).await
        };
        let mut call = Box::pin(call);
        for _ in 0..polls {
            if futures_util::future::poll_immediate(&mut call).await.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        trial.server.clear_faults();
    }
    until(|| trial.server.open_connections() <= 1).await;
    trial.end().await;
}

/// What a reader is told of it.
#[tokio::test]
async fn a_stream_that_broke_says_what_to_do() {
    let trial = Trial::new().await;
    let error = trial.stream("a cut", Fault::close(At::Event(6))).await.unwrap_err();
    assert!(told(&error).contains("send the request again"), "{}", told(&error));
    trial.end().await;
}
