//! The decoder against one that is too simple to be wrong.

use proptest::{collection::vec, prelude::*, sample::select};
use transport::sse::Decoder;

use crate::sse::decode;

/// Follows the standard's text word for word, on the whole input at once.
fn naive(input: &[u8]) -> Vec<(String, String, String)> {
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let text = String::from_utf8_lossy(input).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop(); // what follows the last line end

    let (mut name, mut data, mut id) = (String::new(), String::new(), String::new());
    let mut events = Vec::new();
    for line in lines {
        if line.is_empty() {
            let name = std::mem::take(&mut name);
            if let Some(data) = std::mem::take(&mut data).strip_suffix('\n') {
                let name = if name.is_empty() { "message".into() } else { name };
                events.push((name, data.into(), id.clone()));
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => data = format!("{data}{value}\n"),
            "event" => name = value.into(),
            "id" if !value.contains('\0') => id = value.into(),
            _ => {}
        }
    }
    events
}

/// Bytes that mean something to a decoder, and a few that mean nothing.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"data",
        b"data:",
        b"data: ",
        b"event:",
        b"id: ",
        b"retry:",
        b":",
        b" ",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"\0",
        b"\xEF\xBB\xBF",
        b"\xEF",
        b"\xC3\xA9",
        b"\xC3",
        b"\xFF",
        b"x",
        b"42",
        b"event: e\ndata: ",
        b"event: e\ndata: x\n\n",
        b"event: \ndata\n\n",
    ];
    let word = prop_oneof![9 => select(words).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..4)];
    vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn however_it_is_cut_the_events_are_those_of_the_standard(
        input in input(),
        sizes in vec(1usize..24, 1..20),
    ) {
        let mut rest = &input[..];
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, tail) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = tail;
        }
        prop_assert_eq!(decode(&mut Decoder::new(), chunks), naive(&input));
    }
}
