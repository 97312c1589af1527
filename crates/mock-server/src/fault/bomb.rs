//! Bodies that are small on the wire and large when they are decompressed.

use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};
use flate2::{Compression, write::GzEncoder};

/// The largest, decompressed, in MiB.
const MAX_MIB: usize = 1024;
/// What one block of zstd may stand for.
const BLOCK: u32 = 128 * 1024;

/// So many MiB of blanks, in a coding that is made here.
pub(super) fn bomb(coding: &str, mib: usize) -> Option<Bytes> {
    match coding {
        _ if mib > MAX_MIB => None,
        "gzip" => gzip(mib),
        "zstd" => Some(zstd(mib)),
        "br" => Some(brotli(mib)),
        _ => None,
    }
}

fn gzip(mib: usize) -> Option<Bytes> {
    let blanks = vec![b' '; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..mib {
        encoder.write_all(&blanks).ok()?;
    }
    encoder.finish().ok().map(Bytes::from)
}

/// A frame of blocks that each say one byte and how often it comes (RFC 8878, section 3.1.1).
fn zstd(mib: usize) -> Bytes {
    // The magic number, no flags, and a window of 128 KiB: exponent 7, mantissa 0.
    let mut bytes = BytesMut::from(&b"\x28\xb5\x2f\xfd\x00\x38"[..]);
    let blocks = mib * 8;
    for block in 1..=blocks {
        let last = u32::from(block == blocks);
        let head = (BLOCK << 3) | (1 << 1) | last;
        bytes.put_slice(head.to_le_bytes().get(..3).unwrap_or_default());
        bytes.put_u8(b' ');
    }
    bytes.freeze()
}

/// A meta-block for each MiB, whose codes have one symbol each, so that the symbols themselves take no bits: one literal, and one
/// command that inserts it a million times (RFC 7932, sections 3.4, 5 and 9).
fn brotli(mib: usize) -> Bytes {
    const MIB: u32 = 1 << 20;
    /// The command of the longest insertion, and what its length begins with.
    const INSERT: u32 = 504;
    const LEAST: u32 = 22_594;
    /// What begins a code of one symbol.
    const SIMPLE: (u32, u32) = (1, 4);
    let mut bits = Bits::default();
    // A window of 64 KiB.
    bits.push(0, 1);
    for _ in 0..mib {
        // Not the last one; a length of five nibbles; compressed.
        bits.push_all(&[(0, 1), (1, 2), (MIB - 1, 20), (0, 1)]);
        // One type of blocks of each kind, plain distances, one mode of contexts, one tree of each kind.
        bits.push_all(&[(0, 3), (0, 6), (0, 2), (0, 2)]);
        // The codes of literals, commands and distances.
        bits.push_all(&[SIMPLE, (u32::from(b' '), 8), SIMPLE, (INSERT, 10), SIMPLE, (0, 6)]);
        bits.push(MIB - LEAST, 24);
    }
    // The last one, and empty.
    bits.push(0b11, 2);
    bits.finish()
}

/// Bits in bytes, the lowest first.
#[derive(Default)]
struct Bits {
    bytes: BytesMut,
    held: u64,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        self.held |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.take();
        }
    }

    fn push_all(&mut self, fields: &[(u32, u32)]) {
        for (value, count) in fields {
            self.push(*value, *count);
        }
    }

    fn take(&mut self) {
        self.bytes.put_slice(self.held.to_le_bytes().get(..1).unwrap_or_default());
        self.held >>= 8;
        self.count = self.count.saturating_sub(8);
    }

    fn finish(mut self) -> Bytes {
        if self.count > 0 {
            self.take();
        }
        self.bytes.freeze()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use brotli_decompressor::Decompressor;
    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_bomb_is_a_thousandth_of_what_comes_out() {
        let bomb = gzip(2).unwrap();
        assert!(bomb.len() < 2 << 11, "{}", bomb.len());
        let mut whole = Vec::new();
        GzDecoder::new(&*bomb).read_to_end(&mut whole).unwrap();
        assert_eq!((whole.len(), whole.iter().all(|byte| *byte == b' ')), (2 << 20, true));
        assert_eq!(zstd(1).len(), 6 + 8 * 4);
    }

    #[test]
    fn brotli_says_a_mebibyte_in_a_few_bytes() {
        let bomb = brotli(3);
        assert!(bomb.len() < 50, "{}", bomb.len());
        let mut whole = Vec::new();
        Decompressor::new(&*bomb, 4096).read_to_end(&mut whole).unwrap();
        assert_eq!((whole.len(), whole.iter().all(|byte| *byte == b' ')), (3 << 20, true));
    }

    #[test]
    fn there_are_three_codings_and_an_end() {
        assert!(bomb("deflate", 1).is_none() && bomb("br", 1).is_some());
        assert!(bomb("gzip", MAX_MIB + 1).is_none());
    }
}
