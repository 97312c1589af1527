//! What lines are made of, and the buffers they are kept in.

use std::time::Duration;

/// The largest buffer that is kept for the next event, in bytes.
const KEPT: usize = 64 << 10;

/// Empties a buffer for its next use, and gives back what was large.
#[inline]
pub(super) fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    }
}

#[inline]
pub(super) fn line_end(text: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', text)
}

#[inline]
pub(super) fn without_space(value: &[u8]) -> &[u8] {
    value.strip_prefix(b" ").unwrap_or(value)
}

/// The bytes as text, mended where they are not UTF-8.
#[inline]
pub(super) fn text<'a>(bytes: &'a [u8], mended: &'a mut String) -> &'a str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            *mended = String::from_utf8_lossy(bytes).into_owned();
            mended
        }
    }
}

/// A number of ASCII digits and nothing else; one too large to count is the largest.
pub(super) fn milliseconds(value: &[u8]) -> Option<Duration> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = value
        .iter()
        .fold(0u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(Duration::from_millis(number))
}
