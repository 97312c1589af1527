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

#[cfg(test)]
mod tests {
    use std::io::Read;

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
    fn there_are_two_codings_and_an_end() {
        assert!(bomb("br", 1).is_none() && bomb("gzip", MAX_MIB + 1).is_none());
    }
}
