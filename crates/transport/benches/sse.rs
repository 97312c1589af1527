//! What framing costs: `cargo bench -p transport --no-default-features`.
//!
//! The goal is 0.35 times the speed of a floor that does nothing but look for line feeds, UTF-8 checked, for pieces of 1
//! to 64 KiB; and the same for each byte, whatever the shape of 64 MiB. One thread, warm caches.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

use divan::{Bencher, black_box, counter::BytesCount};
use transport::{jsonl, sse::Decoder};

fn main() {
    divan::main();
}

const SIZES: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20];

/// Events of a stream of Claude's that is nothing but text, of some 150 bytes each.
fn stream() -> Vec<u8> {
    let words = "the quick brown fox jumps over the lazy dog while a model writes down what it thinks of it "
        .repeat(2);
    let event = |number: usize| {
        let text = &words[number % 40..][..10 + number * 37 % 60];
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
             \"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
        )
    };
    (0..1700).map(event).collect::<String>().into_bytes()
}

#[divan::bench(args = SIZES)]
fn a_floor_of_line_feeds_alone(bencher: Bencher<'_, '_>, size: usize) {
    let stream = stream();
    bencher.counter(BytesCount::new(stream.len())).bench_local(|| {
        for piece in stream.chunks(size) {
            let mut rest = black_box(piece);
            while let Some(end) = memchr::memchr(b'\n', rest) {
                black_box(&rest[..end]);
                rest = &rest[end + 1..];
            }
        }
    });
}

#[divan::bench(args = SIZES)]
fn framing(bencher: Bencher<'_, '_>, size: usize) {
    let stream = stream();
    bencher.counter(BytesCount::new(stream.len())).bench_local(|| decode(&stream, size));
}

/// What pieces of one size cost without cutting an event.
#[divan::bench(args = SIZES)]
fn framing_of_pieces_that_cut_no_event(bencher: Bencher<'_, '_>, size: usize) {
    let stream = stream();
    let (mut pieces, mut start) = (Vec::new(), 0);
    for end in memchr::memmem::find_iter(&stream, b"\n\n").map(|end| end + 2) {
        if end - start >= size || end == stream.len() {
            pieces.push(&stream[start..end]);
            start = end;
        }
    }
    bencher.counter(BytesCount::new(stream.len())).bench_local(|| {
        let mut decoder = Decoder::new();
        for mut piece in pieces.iter().copied() {
            while let Some(event) = decoder.next_event(&mut piece).unwrap() {
                black_box((event.name, event.data));
            }
        }
    });
}

#[divan::bench(args = SIZES)]
fn json_lines(bencher: Bencher<'_, '_>, size: usize) {
    let stream = stream();
    bencher.counter(BytesCount::new(stream.len())).bench_local(|| {
        let mut decoder = jsonl::Decoder::new();
        for mut piece in stream.chunks(size) {
            while let Some(line) = decoder.next_line(&mut piece).unwrap() {
                black_box(line);
            }
        }
    });
}

/// 1 MiB and 64 MiB have to take the same for each byte (G40).
#[divan::bench(args = [1 << 20, 64 << 20], sample_count = 5, sample_size = 1)]
fn one_line(bencher: Bencher<'_, '_>, size: usize) {
    let input = [b"data:", &vec![b'x'; size][..], b"\n\n"].concat();
    bencher.counter(BytesCount::new(size)).bench_local(|| decode(&input, 16 << 10));
}

#[divan::bench(args = [1 << 20, 64 << 20], sample_count = 5, sample_size = 1)]
fn many_lines(bencher: Bencher<'_, '_>, size: usize) {
    let line = format!("data: {}\n", "x".repeat(73));
    let input = [line.repeat(size / 80).as_bytes(), b"\n"].concat();
    bencher.counter(BytesCount::new(size)).bench_local(|| decode(&input, 16 << 10));
}

#[divan::bench(args = [1 << 20, 64 << 20], sample_count = 5, sample_size = 1)]
fn many_events(bencher: Bencher<'_, '_>, size: usize) {
    let event = format!("event: ping\ndata: {}\n\n", "x".repeat(60));
    let input = event.repeat(size / event.len()).into_bytes();
    bencher.counter(BytesCount::new(size)).bench_local(|| decode(&input, 16 << 10));
}

fn decode(input: &[u8], size: usize) {
    let mut decoder = Decoder::new().max_line(1 << 30).max_event(1 << 30);
    for mut piece in input.chunks(size) {
        while let Some(event) = decoder.next_event(&mut piece).unwrap() {
            black_box((event.name, event.data));
        }
    }
}
