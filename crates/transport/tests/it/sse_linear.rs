//! That decoding takes the same for each byte, whatever the shape of the input (G40, F61).
//!
//! Who looks at bytes again with each piece takes minutes here, which the runner does not give a test. How long a byte
//! takes, `cargo bench -p transport` measures.

use transport::{jsonl, sse::Decoder};

const SIZE: usize = 4 << 20;

/// How many events there are, and how much data they have.
fn measure(input: &[u8], piece: usize) -> (usize, usize) {
    let mut decoder = Decoder::new();
    let mut seen = (0, 0);
    for mut piece in input.chunks(piece) {
        while let Some(event) = decoder.next_event(&mut piece).unwrap() {
            seen = (seen.0 + 1, seen.1 + event.data.len());
        }
    }
    seen
}

#[test]
fn one_line_in_many_pieces_is_read_once() {
    let input = [b"data:", &vec![b'x'; SIZE][..], b"\n\n"].concat();
    assert_eq!(measure(&input, 64), (1, SIZE));
    assert_eq!(measure(&input, input.len()), (1, SIZE));
}

#[test]
fn many_lines_of_one_event_are_read_once() {
    let lines = SIZE / 8;
    let input = ["data: x\n".repeat(lines), "\n".to_owned()].concat().into_bytes();
    assert_eq!(measure(&input, 64), (1, 2 * lines - 1));
    assert_eq!(measure(&input, input.len()), (1, 2 * lines - 1));
}

#[test]
fn many_events_are_read_once_and_blocks_without_data_are_none() {
    for (block, data) in [
        ("data: x\n\n", 1),
        ("event: e\ndata: x\n\n", 1),
        ("data: x\r\n\r\n", 1),
        ("data: \u{fc}\nevent: e\n\n", 2),
        ("\n", 0),
        ("event: e\n\n", 0),
        (":\n", 0),
    ] {
        let blocks = SIZE / 4 / block.len();
        let input = block.repeat(blocks).into_bytes();
        let expected = if data == 0 { (0, 0) } else { (blocks, blocks * data) };
        assert_eq!(measure(&input, 64), expected, "{block:?}");
        assert_eq!(measure(&input, input.len()), expected, "{block:?}");
    }
}

#[test]
fn broken_text_is_mended_once() {
    let input = b"event: \xFF\ndata: \xFF\n\n".repeat(SIZE / 64);
    assert_eq!(measure(&input, input.len()), (SIZE / 64, SIZE / 64 * 3));
}

#[test]
fn json_lines_are_read_once() {
    for line in [&b"{}\n"[..], b"\n", &[b'x'; SIZE / 4]] {
        let input = line.repeat(SIZE / 4 / line.len());
        let mut decoder = jsonl::Decoder::new();
        let mut lines = 0;
        for mut piece in input.chunks(64) {
            while decoder.next_line(&mut piece).unwrap().is_some() {
                lines += 1;
            }
        }
        lines += usize::from(decoder.last_line().is_some());
        assert_eq!(lines, if line == b"\n" { 0 } else { input.len() / line.len() });
    }
}
