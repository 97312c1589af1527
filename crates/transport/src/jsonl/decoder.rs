//! From bytes to lines.

use std::{mem, ops::Range};

/// A line that is longer than allowed; [`Decoder::max_line`] sets how long that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line is longer than {limit} bytes; check what sends it")]
#[non_exhaustive]
pub struct LineTooLong {
    /// The most that was allowed, in bytes.
    pub limit: usize,
}

/// Cuts the bytes of JSON Lines into lines, in whatever pieces they come.
///
/// Give each piece to [`next_line`](Self::next_line) until it has no more, and ask for the [`last_line`](Self::last_line)
/// at the end. The work is linear in the size of the input, and what is held between pieces is bounded by the limit. Only
/// what a piece leaves unfinished is copied.
///
/// A line ends in LF, CR, or CR and LF; the last one may have no end. Lines of spaces are passed over.
///
/// ```
/// # use transport::jsonl::Decoder;
/// let mut decoder = Decoder::new();
/// let mut seen = Vec::new();
/// for mut piece in [&b"{\"a\": 1}\n\n{\"a\""[..], b": 2}"] {
///     while let Some(line) = decoder.next_line(&mut piece)? {
///         seen.push(line.to_vec());
///     }
/// }
/// seen.extend(decoder.last_line().map(<[u8]>::to_vec));
/// assert_eq!(seen, [b"{\"a\": 1}", b"{\"a\": 2}"]);
/// # Ok::<(), transport::jsonl::LineTooLong>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    max_line: usize,
    /// The start of a line whose end has not come yet; all of it, if it was given out.
    line: Vec<u8>,
    /// The line has been given out.
    spent: bool,
    failed: bool,
}

/// Where a line lies.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Input(Range<usize>),
    Held,
}

/// The largest buffer that is kept for the next line, in bytes.
const KEPT: usize = 64 << 10;

impl Decoder {
    /// Makes a decoder with a limit of 16 MiB for a line.
    #[must_use]
    pub fn new() -> Self {
        Self { max_line: 16 << 20, line: Vec::new(), spent: false, failed: false }
    }

    /// Sets how long a line may be, in bytes without its end.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Cuts the next line off the front of `input`, without its end; `None` when it is used up and more is needed.
    ///
    /// # Errors
    ///
    /// When the limit is crossed. That is the last answer: all further ones are `None`.
    #[expect(
        single_use_lifetimes,
        reason = "the input outlives the loan, and `&mut` does not let it shrink to it"
    )]
    pub fn next_line<'d, 'i: 'd>(
        &'d mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<&'d [u8]>, LineTooLong> {
        let piece = *input;
        let mut read = 0;
        let found = self.find(piece, &mut read);
        *input = piece.get(read..).unwrap_or_default();
        Ok(found?.map(|found| self.line(piece, &found)))
    }

    /// Returns what came after the last line end, if anything did. There is nothing to read after this.
    pub fn last_line(&mut self) -> Option<&[u8]> {
        self.forget_spent();
        self.spent = true;
        Some(trimmed(&self.line)).filter(|line| !line.is_empty())
    }

    /// Looks for the end of a line, from `at` on; `at` is then where the next one begins.
    pub(super) fn find(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Found>, LineTooLong> {
        self.forget_spent();
        while !self.failed {
            let start = *at;
            let rest = input.get(start..).unwrap_or_default();
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let length = end.unwrap_or(rest.len());
            if self.line.len() + length > self.max_line {
                self.failed = true;
                self.line = Vec::new();
                *at = input.len();
                return Err(LineTooLong { limit: self.max_line });
            }
            let part = rest.get(..length).unwrap_or_default();
            if end.is_none() {
                self.line.extend_from_slice(part);
                *at = input.len();
                return Ok(None);
            }
            *at += length + 1;
            if !self.line.is_empty() {
                self.line.extend_from_slice(part);
                self.spent = true;
                if !trimmed(&self.line).is_empty() {
                    return Ok(Some(Found::Held));
                }
                self.forget_spent();
            } else if !trimmed(part).is_empty() {
                return Ok(Some(Found::Input(start..start + length)));
            }
        }
        *at = input.len();
        Ok(None)
    }

    /// Lends the line that was found in `input`.
    pub(super) fn line<'a>(&'a self, input: &'a [u8], found: &Found) -> &'a [u8] {
        trimmed(match found {
            Found::Input(range) => input.get(range.clone()).unwrap_or_default(),
            Found::Held => &self.line,
        })
    }

    /// Forgets a line that has been given out, and gives back what a large one took.
    fn forget_spent(&mut self) {
        if mem::take(&mut self.spent) {
            self.line.clear();
            if self.line.capacity() > KEPT {
                self.line = Vec::new();
            }
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the space that JSON allows around a text.
fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}
