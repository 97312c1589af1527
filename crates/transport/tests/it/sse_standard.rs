//! What the web platform tests ask of an event stream (`eventsource/format-*`), with inputs of our own making.
//!
//! The tests of the MIME type are the facade's, which opens streams: `claude-sdk::it::stream_faults`.

use std::time::Duration;

use transport::sse::Decoder;

use crate::sse::{check, decode, message};

#[test]
fn format_bom() {
    check(
        b"\xEF\xBB\xBFdata:1\n\n\xEF\xBB\xBFdata:2\n\ndata:3\n\n",
        &[("message", "1", ""), ("message", "3", "")],
    );
}

#[test]
fn format_bom_2() {
    check(
        b"\xEF\xBB\xBF\xEF\xBB\xBFdata:1\n\ndata:2\n\ndata:3\n\n",
        &[("message", "2", ""), ("message", "3", "")],
    );
}

#[test]
fn format_comments() {
    let input = |long: &str| {
        format!("data:1\r:\0\n:\r\ndata:2\n:{long}\rdata:3\n:data:fail\r:{long}\ndata:4\n\n").into_bytes()
    };
    check(&input("xxxxxxxx"), &message("1\n2\n3\n4"));
    let long = input(&"x".repeat(2048));
    for size in [1, 7, 1024, long.len()] {
        assert_eq!(decode(&mut Decoder::new(), long.chunks(size))[0].1, "1\n2\n3\n4");
    }
}

#[test]
fn format_data_before_final_empty_line() {
    let input = b"retry:1000\ndata:test1\n\nid:test\ndata:test2";
    check(input, &message("test1"));
    let mut decoder = Decoder::new();
    decode(&mut decoder, [input]);
    assert_eq!(decoder.last_event_id(), "", "the unfinished event does not count");
    assert_eq!(decoder.retry(), Some(Duration::from_secs(1)));
}

#[test]
fn format_field_data() {
    check(b"data:\n\ndata\ndata\n\ndata:test", &[("message", "", ""), ("message", "\n", "")]);
}

#[test]
fn format_field_event() {
    check(b"event:test\ndata:x\n\ndata:x\n\n", &[("test", "x", ""), ("message", "x", "")]);
}

#[test]
fn format_field_event_empty() {
    check(b"event: \ndata:data\n\n", &message("data"));
}

#[test]
fn format_field_id() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, [&b"id: 1\ndata: hello\n\n"[..]]);
    assert_eq!(decoder.last_event_id(), "1", "to be sent when the stream is taken up again");
}

#[test]
fn format_field_id_2() {
    check(
        b"id: 1\ndata: hello\n\ndata: hello\n\nid\ndata: hello\n\nid: 2\ndata: hello\n\n",
        &[
            ("message", "hello", "1"),
            ("message", "hello", "1"),
            ("message", "hello", ""),
            ("message", "hello", "2"),
        ],
    );
}

#[test]
fn format_field_id_3() {
    check("id: \u{2026}\ndata: hello\n\n".as_bytes(), &[("message", "hello", "\u{2026}")]);
}

#[test]
fn format_field_id_null() {
    for id in ["\0\0", "x\0", "\0x", "x\0x", " \0"] {
        check(format!("id: {id}\ndata: hello\n\n").as_bytes(), &message("hello"));
    }
}

#[test]
fn format_field_parsing() {
    check(
        b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
        &message("\0\n 2\n1\n3\n\n4"),
    );
}

#[test]
fn format_field_retry_and_its_bogus_and_empty_forms() {
    for (fields, wait) in [
        ("retry:3000", Some(3000)),
        ("retry:3000\nretry:1000x", Some(3000)),
        ("retry", None),
        ("retry:2000\nretry:", Some(2000)),
    ] {
        let input = format!("{fields}\ndata:test\n\n");
        check(input.as_bytes(), &message("test"));
        for size in 1..=input.len() {
            let mut decoder = Decoder::new();
            decode(&mut decoder, input.as_bytes().chunks(size));
            assert_eq!(decoder.retry(), wait.map(Duration::from_millis), "{fields:?}");
        }
    }
}

#[test]
fn format_field_unknown() {
    check(
        b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n",
        &message("test\n\ntest"),
    );
}

#[test]
fn format_leading_space() {
    check(b"data:\ttest\rdata: \ndata:test\n\n", &message("\ttest\n\ntest"));
}

#[test]
fn format_newlines() {
    check(b"data:test\r\ndata\ndata:test\r\n\r", &message("test\n\ntest"));
}

#[test]
fn format_null_character() {
    check(b"data:\0\n\n\n\n", &message("\0"));
}

#[test]
fn format_utf_8() {
    check("data:ok\u{2026}\n\n".as_bytes(), &message("ok\u{2026}"));
}
