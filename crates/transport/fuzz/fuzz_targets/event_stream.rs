//! Event streams and JSON Lines, which any server can send.
//!
//! The first two bytes of the input say into pieces of what sizes the rest is cut.
//!
//! - However it is cut, the events are those of a decoder that follows the standard's text on the whole input at once,
//!   and so are the last event id and the wait before reconnecting.
//! - What is lent is no more than what was sent; a short input is repeated until it is long enough for anything slower
//!   than linear to run into the time limit.
//! - A decoder with small limits gives the same events until it refuses one, and nothing after that.
#![no_main]
#![allow(clippy::expect_used, clippy::panic, reason = "a panic is how a target fails")]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use transport::{jsonl, sse};

/// An input no longer than this is repeated until it is as long as `LONG`.
const SHORT: usize = 16;
const LONG: usize = 64 * 1024;
/// The limits of the second decoder.
const LINE: usize = 12;
const EVENT: usize = 16;

fuzz_target!(|data: &[u8]| {
    let Some((&[first, second], input)) = data.split_first_chunk() else { return };
    let sizes = [1 + usize::from(first) % 64, 1 + usize::from(second) % 64];
    events(input, sizes);
    lines(input, sizes);
    if (1..=SHORT).contains(&input.len()) {
        events(&input.repeat(LONG / input.len()), [LONG, 512]);
    }
});

/// Cuts `input` into pieces of these sizes, in turn.
fn pieces(input: &[u8], sizes: [usize; 2]) -> impl Iterator<Item = &[u8]> {
    let mut rest = input;
    sizes.into_iter().cycle().map_while(move |size| {
        let (piece, tail) = rest.split_at(size.min(rest.len()));
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Name, data and id of an event.
type Seen = (String, String, String);

fn read(decoder: &mut sse::Decoder, input: &[u8], sizes: [usize; 2]) -> (Vec<Seen>, bool) {
    let mut seen = Vec::new();
    let mut refused = false;
    for mut piece in pieces(input, sizes) {
        loop {
            match decoder.next_event(&mut piece) {
                Ok(Some(_)) if refused => panic!("an event came after an error"),
                Ok(Some(event)) => seen.push((event.name.into(), event.data.into(), event.id.into())),
                Ok(None) => break,
                Err(_) if refused => panic!("an error came after an error"),
                Err(_) => refused = true,
            }
        }
        assert!(piece.is_empty(), "some of a piece was not read");
    }
    (seen, refused)
}

fn events(input: &[u8], sizes: [usize; 2]) {
    let mut decoder = sse::Decoder::new();
    let (seen, refused) = read(&mut decoder, input, sizes);
    let naive = Naive::read(input);
    assert!(!refused && seen == naive.events, "read as {seen:?}, and it is {:?}", naive.events);
    assert_eq!(decoder.last_event_id(), naive.last_id);
    assert_eq!(decoder.retry(), naive.retry);

    let mut strict = sse::Decoder::new().max_line(LINE).max_event(EVENT);
    let (few, refused) = read(&mut strict, input, sizes);
    assert!(seen.starts_with(&few) && (refused || few.len() == seen.len()));
    assert!(few.iter().all(|(_, data, _)| data.len() <= EVENT * '\u{fffd}'.len_utf8()));
}

/// What the standard's text makes of the whole input, word for word.
#[derive(Default)]
struct Naive {
    events: Vec<Seen>,
    last_id: String,
    retry: Option<Duration>,
}

impl Naive {
    fn read(input: &[u8]) -> Self {
        let text = String::from_utf8_lossy(input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input));
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines: Vec<&str> = text.split('\n').collect();
        lines.pop(); // what follows the last line end

        let (mut name, mut data, mut id) = ("", String::new(), "");
        let mut read = Self::default();
        for line in lines {
            if line.is_empty() {
                read.last_id = id.to_owned();
                let name = std::mem::take(&mut name);
                if let Some(data) = std::mem::take(&mut data).strip_suffix('\n') {
                    let name = if name.is_empty() { "message" } else { name };
                    read.events.push((name.into(), data.into(), id.into()));
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => data += &format!("{value}\n"),
                "event" => name = value,
                "id" if !value.contains('\0') => id = value,
                "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    read.retry = Some(Duration::from_millis(value.parse().unwrap_or(u64::MAX)));
                }
                _ => {}
            }
        }
        read
    }
}

fn lines(input: &[u8], sizes: [usize; 2]) {
    let mut decoder = jsonl::Decoder::new();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for mut piece in pieces(input, sizes) {
        while let Some(line) = decoder.next_line(&mut piece).expect("no line is too long") {
            seen.push(line.to_vec());
        }
        assert!(piece.is_empty(), "some of a piece was not read");
    }
    seen.extend(decoder.last_line().map(<[u8]>::to_vec));
    let naive = input
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    assert!(naive.eq(seen.iter().map(Vec::as_slice)), "read as {seen:?}");
}
