//! Decoders without a network: the input comes in pieces of one size.

use std::convert::Infallible;
use std::hint::black_box;

use anyhow::Result;
use bytes::Bytes;
use transport::sse::Decoder;

use super::framer::Framer;

pub(super) fn ours(input: &Bytes, chunk: usize) -> Result<u64> {
    // Lines and events of the benchmark `linear` are as large as the input.
    let mut decoder = Decoder::new().max_line(input.len()).max_event(input.len());
    let mut events = 0;
    for mut rest in pieces(input, chunk) {
        while let Some(event) = decoder.next_event(&mut rest)? {
            black_box(event);
            events += 1;
        }
    }
    Ok(events)
}

/// Lines, found and not looked at; blank ones are counted.
pub(super) fn lines(input: &Bytes, chunk: usize) -> Result<u64> {
    // `begun` is how much of the line lies before this piece; less than nothing, where the line begins in it.
    let (mut blank, mut begun) = (0, 0);
    for piece in pieces(input, chunk) {
        for end in memchr::memchr_iter(b'\n', piece) {
            if black_box(end.wrapping_add(begun)) == 0 {
                blank += 1;
            }
            begun = 0usize.wrapping_sub(end + 1);
        }
        begun = begun.wrapping_add(piece.len());
    }
    Ok(blank)
}

pub(super) fn framer(input: &Bytes, chunk: usize) -> Result<u64> {
    let mut framer = Framer::default();
    let mut events = 0;
    for piece in pieces(input, chunk) {
        framer.push(piece, |name, data| {
            black_box((name, data));
            events += 1;
            Ok::<(), Infallible>(())
        })?;
    }
    Ok(events)
}

/// Only lent, as none of these asks for more: a handle to own would cost each of them the same once a piece.
fn pieces(input: &Bytes, chunk: usize) -> impl Iterator<Item = &[u8]> {
    input.chunks(chunk.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;

    #[test]
    fn ours_and_the_framer_see_the_same_events() {
        let input: Bytes = script::events(200).concat().into();
        for chunk in [1, 7, 1024, 16 << 10] {
            assert_eq!(ours(&input, chunk).unwrap(), 206);
            assert_eq!(framer(&input, chunk).unwrap(), 206);
            assert_eq!(lines(&input, chunk).unwrap(), 206);
        }
    }
}
