//! JSON Lines: each input under every way to cut it in three.

use bytes::Bytes;
use proptest::{collection::vec, prelude::*, sample::select};
use transport::{
    Error, ErrorKind, Reach,
    jsonl::{Decoder, LineTooLong, Lines},
};

use crate::pieces;

fn decode<C: AsRef<[u8]>>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = C>,
) -> Result<Vec<Vec<u8>>, LineTooLong> {
    let mut lines = Vec::new();
    for piece in pieces {
        let mut piece = piece.as_ref();
        while let Some(line) = decoder.next_line(&mut piece)? {
            lines.push(line.to_vec());
        }
        assert!(piece.is_empty());
    }
    lines.extend(decoder.last_line().map(<[u8]>::to_vec));
    assert_eq!(decoder.last_line(), None);
    Ok(lines)
}

fn check(input: &[u8], expected: &[&str]) {
    for second in 0..=input.len() {
        for first in 0..=second {
            let pieces = [&input[..first], &input[first..second], &input[second..]];
            let lines = decode(Decoder::new(), pieces).unwrap();
            assert_eq!(lines, expected.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
        }
    }
    assert_eq!(decode(Decoder::new(), input.chunks(1)).unwrap().len(), expected.len());
}

#[test]
fn each_line_is_one_text_and_blank_ones_are_none() {
    check(b"{\"a\": 1}\n{\"b\": 2}\n", &["{\"a\": 1}", "{\"b\": 2}"]);
    check(b"1\r\n2\r\n\r\n \t\n\n3\r\n", &["1", "2", "3"]);
    check(b"1\r2\r\r\n3", &["1", "2", "3"]);
    check(br#""a\r\n\u000d""#, &[r#""a\r\n\u000d""#]);
    check(b"", &[]);
    check(b"\n\r\n  ", &[]);
}

#[test]
fn the_last_line_needs_no_end() {
    check(b"1\n2", &["1", "2"]);
    check(b"1\n2\r", &["1", "2"]);
    check("\"gr\u{fc}\u{df}e \u{2028}\"".as_bytes(), &["\"gr\u{fc}\u{df}e \u{2028}\""]);
}

#[test]
fn the_limit_holds_to_the_byte_however_the_input_is_cut() {
    let input = b"1234\n12345678\n1";
    for size in 1..=input.len() {
        assert!(decode(Decoder::new().max_line(8), input.chunks(size)).is_ok());
        let error = decode(Decoder::new().max_line(7), input.chunks(size)).unwrap_err();
        assert_eq!(error.limit, 7);
    }
}

#[test]
fn after_an_error_there_is_nothing_more() {
    let mut decoder = Decoder::new().max_line(3);
    assert!(decoder.next_line(&mut &b"12345"[..]).is_err());
    let mut more = &b"\n1\n"[..];
    assert_eq!(decoder.next_line(&mut more), Ok(None));
    assert!(more.is_empty());
    assert_eq!(decoder.last_line(), None);
}

#[tokio::test]
async fn the_lines_of_a_body_come_one_by_one_and_end_with_it() {
    let mut lines = Lines::new(pieces([Ok("1\n2"), Ok("2\n\n3")]));
    for line in ["1", "22", "3"] {
        assert_eq!(lines.next().await.unwrap().unwrap(), line);
    }
    assert!(lines.next().await.is_none());
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_body_that_breaks_off_ends_the_lines_with_its_error() {
    let truncated = Error::bare(ErrorKind::Truncated, Reach::Answered);
    let mut lines = Lines::new(pieces([Ok("1\n2"), Err(truncated)]));
    assert_eq!(lines.next().await.unwrap().unwrap(), "1");
    assert_eq!(lines.next().await.unwrap().unwrap_err().kind(), ErrorKind::Truncated);
    assert!(lines.next().await.is_none(), "half a line is none");
    let mut lines = Lines::with_decoder(pieces([Ok("1\n22\n")]), Decoder::new().max_line(1));
    assert_eq!(lines.next().await.unwrap().unwrap(), "1");
    let error = lines.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(std::error::Error::source(&error).unwrap().is::<LineTooLong>());
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_line_within_a_chunk_is_not_copied() {
    let chunk = Bytes::from(b"{}\n{\"a\": 1}\r\n".to_vec());
    let range = chunk.as_ptr_range();
    let mut lines = Lines::new(chunk.into());
    while let Some(line) = lines.next().await {
        assert!(range.contains(&line.unwrap().as_ptr()));
    }
}

proptest! {
    #[test]
    fn however_it_is_cut_the_lines_are_those_between_the_line_ends(
        words in vec(select(vec!["\n", "\r\n", "\r", " ", "{}", "x", "\u{2028}"]), 0..40),
        size in 1usize..9,
    ) {
        let input = words.concat();
        let naive: Vec<&str> = input.split(['\n', '\r']).map(str::trim_ascii).filter(|line| !line.is_empty()).collect();
        let lines = decode(Decoder::new(), input.as_bytes().chunks(size)).unwrap();
        prop_assert_eq!(lines, naive.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>());
    }
}
