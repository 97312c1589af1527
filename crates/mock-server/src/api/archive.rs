//! A zip archive of files as they are, not compressed.

use bytes::{BufMut, Bytes, BytesMut};

pub(super) fn zip(files: &[(String, Bytes)]) -> Bytes {
    let (mut archive, mut directory) = (BytesMut::new(), BytesMut::new());
    for (path, content) in files {
        // What a local header and an entry of the directory share: version, flags, method, time, date, sum and lengths.
        let mut common = BytesMut::new();
        for number in [20, 1 << 11, 0, 0, 0x21] {
            common.put_u16_le(number);
        }
        common.put_u32_le(crc32(content));
        common.put_u32_le(short(content.len()));
        common.put_u32_le(short(content.len()));
        common.put_u16_le(u16::try_from(path.len()).unwrap_or(u16::MAX));
        common.put_u16_le(0);

        let offset = short(archive.len());
        archive.put_slice(b"PK\x03\x04");
        archive.put_slice(&common);
        archive.put_slice(path.as_bytes());
        archive.put_slice(content);

        directory.put_slice(b"PK\x01\x02\x14\x00");
        directory.put_slice(&common);
        directory.put_slice(&[0; 10]);
        directory.put_u32_le(offset);
        directory.put_slice(path.as_bytes());
    }
    let (begin, length) = (short(archive.len()), short(directory.len()));
    let count = u16::try_from(files.len()).unwrap_or(u16::MAX);
    archive.put_slice(&directory);
    archive.put_slice(b"PK\x05\x06\x00\x00\x00\x00");
    archive.put_u16_le(count);
    archive.put_u16_le(count);
    archive.put_u32_le(length);
    archive.put_u32_le(begin);
    archive.put_u16_le(0);
    archive.freeze()
}

/// A length as the format has it; nothing here is longer.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_one_of_the_format() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
