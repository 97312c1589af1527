//! The decoder against the WHATWG standard's rules, each input under every way to cut it in up to three, and byte by byte.

use std::time::Duration;

use bytes::Bytes;
use transport::{
    Error, ErrorKind, Reach,
    sse::{DecodeError, Decoder, EventRef, Events},
};

use crate::pieces;

/// What is compared of an event: name, data, id.
type Seen = (String, String, String);

/// Every decoding must give the same, however the input is cut: in one, two or three, or byte by byte.
pub(crate) fn check(input: &[u8], expected: &[(&str, &str, &str)]) {
    let expected: Vec<Seen> =
        expected.iter().map(|&(name, data, id)| (name.into(), data.into(), id.into())).collect();
    for second in 0..=input.len() {
        for first in 0..=second {
            let pieces = [&input[..first], &input[first..second], &input[second..]];
            let seen = decode(&mut Decoder::new(), pieces);
            assert_eq!(seen, expected, "{:?} cut at {first} and {second}", input.escape_ascii().to_string());
        }
    }
    assert_eq!(decode(&mut Decoder::new(), input.chunks(1)), expected, "{}", input.escape_ascii());
}

pub(crate) fn decode<C: AsRef<[u8]>>(
    decoder: &mut Decoder,
    chunks: impl IntoIterator<Item = C>,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    for chunk in chunks {
        let mut chunk = chunk.as_ref();
        while let Some(EventRef { name, data, id, .. }) = decoder.next_event(&mut chunk).unwrap() {
            seen.push((name.to_owned(), data.to_owned(), id.to_owned()));
        }
        assert!(chunk.is_empty());
    }
    seen
}

pub(crate) fn message(data: &str) -> [(&str, &str, &str); 1] {
    [("message", data, "")]
}

#[test]
fn lines_end_in_lf_cr_or_both() {
    check(b"data: a\n\n", &message("a"));
    check(b"data: a\r\r", &message("a"));
    check(b"data: a\r\n\r\n", &message("a"));
    check(b"data: a\r\n\r", &message("a"));
    check(b"data: a\r\n\n", &message("a"));
    check(
        b"data: a\n\r\ndata: b\r\n\rdata: c\r\n\n",
        &[("message", "a", ""), ("message", "b", ""), ("message", "c", "")],
    );
    check(b"data: a\ndata: b\rdata: c\r\ndata: d\n\r", &message("a\nb\nc\nd"));
}

#[test]
fn an_event_that_ends_in_cr_does_not_wait_for_more() {
    let mut decoder = Decoder::new();
    assert_eq!(decode(&mut decoder, [&b"data: a\r\r"[..]]).len(), 1);
    // The LF that follows belongs to the CR: it does not end another line.
    assert_eq!(decode(&mut decoder, [&b"\ndata: b\n"[..]]).len(), 0);
    assert_eq!(decode(&mut decoder, [&b"\n"[..]])[0].1, "b");
}

#[test]
fn one_space_after_the_colon_is_not_data() {
    check(b"data:a\ndata: b\ndata:  c\ndata:\td\n\n", &message("a\nb\n c\n\td"));
}

#[test]
fn data_lines_are_joined_even_when_empty() {
    check(b"data\n\n", &message(""));
    check(b"data:\n\n", &message(""));
    check(b"data\ndata\n\n", &message("\n"));
    check(b"data:\ndata: a\ndata\n\n", &message("\na\n"));
}

#[test]
fn without_data_there_is_no_event_and_the_name_is_forgotten() {
    check(b"event: lost\n\ndata: a\n\n", &message("a"));
    check(b"\n\n\n\r\n", &[]);
    check(b":\n\n", &[]);
}

#[test]
fn an_event_has_the_name_it_was_given_last() {
    check(b"event: ping\ndata: a\n\ndata: b\n\n", &[("ping", "a", ""), ("message", "b", "")]);
    check(b"event: one\nevent: two\ndata\n\n", &[("two", "", "")]);
    check(b"event: one\nevent\ndata\n\n", &message(""));
}

#[test]
fn comments_and_unknown_fields_are_passed_over() {
    check(b": hello\ndata: a\n:\n\n", &message("a"));
    check(b"data: a\nDATA: b\n data: c\ndata : d\nother\n\n", &message("a"));
    check(b"data:a:b: c\n\n", &message("a:b: c"));
}

#[test]
fn an_id_lasts_until_another_is_set() {
    check(
        b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
        &[("message", "a", "1"), ("message", "b", "1"), ("message", "c", "")],
    );
    check(b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", &[("message", "a", "1"), ("message", "b", "1")]);
    check(b"id: 7\n\ndata: a\n\n", &[("message", "a", "7")]);
}

#[test]
fn the_id_to_resume_from_is_that_of_the_last_complete_block() {
    let mut decoder = Decoder::new().resume_after("0");
    assert_eq!(decoder.last_event_id(), "0");
    decode(&mut decoder, [&b"id: 1\n\nid: 2\ndata: unfinished\n"[..]]);
    assert_eq!(decoder.last_event_id(), "1");
}

#[test]
fn retry_takes_ascii_digits_and_nothing_else() {
    for (value, wait) in [
        ("1500", Some(Duration::from_millis(1_500))),
        ("007", Some(Duration::from_millis(7))),
        ("99999999999999999999999", Some(Duration::from_millis(u64::MAX))),
        ("", None),
        ("-5", None),
        ("+5", None),
        ("1_000", None),
        ("1.5", None),
        ("5s", None),
        ("\u{0661}\u{0662}", None),
    ] {
        let mut decoder = Decoder::new();
        decode(&mut decoder, [format!("retry: {value}\n").as_bytes()]);
        assert_eq!(decoder.retry(), wait, "{value:?}");
    }
    let mut decoder = Decoder::new();
    let mut input = &b"retry: 3\ndata\n\nretry: x\ndata\n\n"[..];
    for _ in 0..2 {
        assert_eq!(decoder.next_event(&mut input).unwrap().unwrap().retry, Some(Duration::from_millis(3)));
    }
}

#[test]
fn one_byte_order_mark_at_the_start_is_dropped() {
    check(b"\xEF\xBB\xBFdata: a\n\n", &message("a"));
    check(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n", &[]);
    check(b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &message("a"));
    check(b"data: \xEF\xBB\xBFa\n\n", &message("\u{FEFF}a"));
    check(b"\xEF\xBBdata: a\n\n", &[]);
}

#[test]
fn text_is_utf_8_and_what_is_not_is_replaced() {
    check("data: grüße 🦀 \u{2028}\n\n".as_bytes(), &message("grüße 🦀 \u{2028}"));
    check(b"data: a\xFFb\xC3\n\n", &message("a\u{FFFD}b\u{FFFD}"));
    check(b"data: \xF0\x9F\x92\ndata: \xA9\n\n", &message("\u{FFFD}\n\u{FFFD}"));
    check(b"event: \xFF\nid: \xFE\ndata\n\n", &[("\u{FFFD}", "", "\u{FFFD}")]);
    check(b"data: nul\0 \x85 \x0b\n\n", &message("nul\0 \u{FFFD} \u{b}"));
}

#[test]
fn an_unfinished_event_at_the_end_is_discarded() {
    check(b"data: a\n\ndata: b\n", &message("a"));
    check(b"data: a\n\ndata: b", &message("a"));
    check(b"", &[]);
}

pub(crate) fn first_error<C: AsRef<[u8]>>(
    decoder: &mut Decoder,
    chunks: impl IntoIterator<Item = C>,
) -> Option<DecodeError> {
    for chunk in chunks {
        let mut chunk = chunk.as_ref();
        loop {
            match decoder.next_event(&mut chunk) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return Some(error),
            }
        }
    }
    None
}

#[test]
fn the_limits_hold_to_the_byte_however_the_input_is_cut() {
    let input = b"data: 34567890\r\ndata: 34\n\n";
    for chunk in 1..=input.len() {
        let decoder = || Decoder::new().max_line(14).max_event(11);
        assert_eq!(first_error(&mut decoder(), input.chunks(chunk)), None);
        let error = first_error(&mut decoder().max_line(13), input.chunks(chunk));
        assert_eq!(error, Some(DecodeError::LineTooLong { limit: 13 }));
        let error = first_error(&mut decoder().max_event(10), input.chunks(chunk));
        assert_eq!(error, Some(DecodeError::EventTooLarge { limit: 10 }));
    }
}

#[test]
fn a_line_without_end_is_given_up_at_the_limit() {
    let endless = [b'x'; 100];
    assert!(first_error(&mut Decoder::new().max_line(99), endless.chunks(7)).is_some());
    assert!(first_error(&mut Decoder::new().max_line(100), endless.chunks(7)).is_none());
}

#[test]
fn after_an_error_there_is_nothing_more() {
    let mut decoder = Decoder::new().max_line(10);
    assert!(first_error(&mut decoder, b"data: much too long\n\ndata: a\n\n".chunks(100)).is_some());
    let mut more = &b"data: b\n\n"[..];
    assert!(decoder.next_event(&mut more).unwrap().is_none() && more.is_empty());
}

#[tokio::test]
async fn what_lies_within_a_chunk_is_not_copied() {
    for text in ["data: {\"type\":\"ping\"}\n\n", "event: ping\ndata: {}\n\n", "data: b\r\n\r\n"] {
        let chunk = Bytes::from(format!(":\n\n{text}"));
        let range = chunk.as_ptr_range();
        let mut events = Events::new(chunk.clone().into());
        let lent = events.next_event().await.unwrap().unwrap();
        assert!(range.contains(&lent.data.as_ptr()), "{text:?}");
        let mut events = Events::new(chunk.into());
        let owned = events.next().await.unwrap().unwrap();
        assert!(range.contains(&owned.data.into_bytes().as_ptr()), "{text:?}");
    }
}

#[tokio::test]
async fn the_events_of_a_body_come_one_by_one_and_end_with_it() {
    let mut events = Events::new(pieces([Ok("data: a\n\nda"), Ok("ta: b\n"), Ok("\ndata: cut off")]));
    assert_eq!(events.next().await.unwrap().unwrap().data, "a");
    assert_eq!(events.next().await.unwrap().unwrap().data, "b");
    assert!(events.next().await.is_none());
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_body_that_breaks_off_ends_the_events_with_its_error() {
    let truncated = Error::bare(ErrorKind::Truncated, Reach::Answered);
    let mut events = Events::new(pieces([Ok("data: a\n\ndata: b\n"), Err(truncated)]));
    assert_eq!(events.next().await.unwrap().unwrap().data, "a");
    assert_eq!(events.next().await.unwrap().unwrap_err().kind(), ErrorKind::Truncated);
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_line_over_the_limit_ends_the_events_with_a_protocol_error() {
    let decoder = Decoder::new().max_line(8);
    let body = pieces([Ok("data: a\n\ndata: too long\n\n"), Ok("data: b\n\n")]);
    let mut events = Events::with_decoder(body, decoder);
    assert_eq!(events.next().await.unwrap().unwrap().data, "a");
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(std::error::Error::source(&error).unwrap().is::<DecodeError>());
    assert!(events.next().await.is_none());
}
