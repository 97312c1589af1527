//! Events of the common shape that the end of a piece cuts, which go over to the next piece as they are.

use transport::sse::{DecodeError, Decoder};

use crate::sse::{check, decode, first_error};

#[test]
fn an_event_of_the_common_shape_may_be_cut_anywhere() {
    check(
        "event: a\ndata: \u{e9}\n\nevent: \ndata: 2\n\nevent: c\ndata: 3\n\n".as_bytes(),
        &[("a", "\u{e9}", ""), ("message", "2", ""), ("c", "3", "")],
    );
    check(
        b"data: 1\n\nevent: b\ndata: \xC3\n\nevent: \xC3\ndata: 3\n\n",
        &[("message", "1", ""), ("b", "\u{fffd}", ""), ("\u{fffd}", "3", "")],
    );
}

#[test]
fn what_begins_as_the_common_shape_and_is_another_may_be_cut_anywhere() {
    for (input, expected) in [
        (&b"event: a\ndata:1\n\n"[..], ("a", "1", "")),
        (b"event: \ndata\n\n", ("message", "", "")),
        (b"event: a\r\ndata: 1\r\n\r\n", ("a", "1", "")),
        (b"event: a\ndata: 1\r\r", ("a", "1", "")),
        (b"event: a\ndata: 1\ndata: 2\n\n", ("a", "1\n2", "")),
        (b"event: a\nevent: b\ndata: 1\n\n", ("b", "1", "")),
        (b"event: a\nid: 7\ndata: 1\n\n", ("a", "1", "7")),
        (b"event: a\n\ndata: 1\n\n", ("message", "1", "")),
        (b"event: a\ndata: 1\nid: 7\n\n", ("a", "1", "7")),
        (b"events: a\ndata: 1\n\n", ("message", "1", "")),
    ] {
        let whole = [b"data: 0\n\n", input].concat();
        check(&whole, &[("message", "0", ""), expected]);
    }
}

/// A cut between the line feed of the data and the blank line, of which there are two.
#[test]
fn blank_lines_after_an_event_that_is_cut_are_none_of_its_data() {
    check(
        b"data: 0\n\nevent: a\ndata: 1\n\n\nevent: b\ndata: 2\n\n\n\n",
        &[("message", "0", ""), ("a", "1", ""), ("b", "2", "")],
    );
}

/// One in two pieces and the next in three, of which none or some are as large as what is copied at once.
#[test]
fn an_event_may_be_cut_twice_after_one_that_was_cut_too() {
    let event = format!("event: e\ndata: {}\n\n", "y".repeat(40));
    for before in [1, 6] {
        let input = format!("data: 0\n\n{}", event.repeat(before + 8));
        let expected = decode(&mut Decoder::new(), [&input]);
        let from = 9 + before * event.len();
        for first in from..from + event.len() {
            let (start, rest) = input.split_at(first);
            let (start, former) = start.split_at(first - event.len());
            for second in 0..event.len() {
                let (next, last) = rest.split_at(second);
                let pieces = [start, former, next, last];
                assert_eq!(decode(&mut Decoder::new(), pieces), expected, "cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn an_event_may_be_cut_anywhere_whatever_its_size() {
    for size in (225..260).chain(490..530).chain([2000]) {
        let data = "x".repeat(size);
        let input = format!("data: 0\n\nevent: e\ndata: {data}\n\nevent: f\ndata: {data}\n\n");
        let expected = decode(&mut Decoder::new(), [&input]);
        assert_eq!((expected.len(), &expected[2].1), (3, &data));
        for at in 0..input.len() {
            let (first, second) = input.split_at(at);
            assert_eq!(decode(&mut Decoder::new(), [first, second]), expected, "{size} cut at {at}");
        }
    }
}

#[test]
fn the_limits_hold_to_the_byte_for_what_is_cut() {
    let input = b"data: 0\n\nevent: 89\ndata: 789\n\n";
    for first in 0..input.len() {
        let pieces = || [&input[..first], &input[first..]];
        let decoder = || Decoder::new().max_line(9).max_event(3);
        assert_eq!(first_error(&mut decoder(), pieces()), None);
        let error = first_error(&mut decoder().max_line(8), pieces());
        assert_eq!(error, Some(DecodeError::LineTooLong { limit: 8 }), "cut at {first}");
        let error = first_error(&mut decoder().max_event(2), pieces());
        assert_eq!(error, Some(DecodeError::EventTooLarge { limit: 2 }), "cut at {first}");
    }
    let endless = [&b"data: 0\n\nevent: "[..], &[b'x'; 100]].concat();
    let error = first_error(&mut Decoder::new().max_line(50), [&endless]);
    assert_eq!(error, Some(DecodeError::LineTooLong { limit: 50 }), "nothing comes after it");
}
