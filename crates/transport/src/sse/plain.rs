//! Events of the most common shape: a name, one line of data, line feeds.
//!
//! Whatever they are taken for here, the rules for lines in [`Decoder`](super::Decoder) would give the same, but slower.

use std::{ops::Range, string::FromUtf8Error};

/// How such an event begins, and how its name ends.
const NAME: &[u8] = b"event: ";
const DATA: &[u8] = b"\ndata: ";

/// The longest beginning that is held; what is longer goes by the rules for lines.
const LONGEST: usize = 16 << 10;

/// Where the name and the data of an event lie, and where the event ends.
pub(super) struct Plain {
    pub(super) name: Range<usize>,
    pub(super) data: Range<usize>,
    pub(super) end: usize,
}

impl Plain {
    /// Reads the event that begins at `at`, if it has this shape and is whole.
    #[inline]
    pub(super) fn read(input: &[u8], at: usize) -> Option<Self> {
        let rest = input.get(at..)?.strip_prefix(NAME)?;
        let name = at + NAME.len()..at + NAME.len() + line_end(rest)?;
        let rest = input.get(name.end..)?.strip_prefix(DATA)?;
        let start = name.end + DATA.len();
        let data = start..start + line_end(rest)?;
        let ends = input.get(data.end..)?.starts_with(b"\n\n");
        ends.then(|| Self { end: data.end + 2, name, data })
    }

    /// Whether no line is longer than `max_line`, and the data are no longer than `max_event`.
    pub(super) fn fit(&self, max_line: usize, max_event: usize) -> bool {
        let longest = (NAME.len() + self.name.len()).max(DATA.len() - 1 + self.data.len());
        longest <= max_line && self.data.len() <= max_event
    }
}

/// The beginning of an event of this shape, whose end has not come yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun {
    bytes: Vec<u8>,
    /// How many of its lines have ended.
    lines: usize,
    /// The event, once it is whole.
    event: String,
}

impl Begun {
    /// Holds `rest` if an event of this shape may begin so, and it is no longer than `limit`.
    pub(super) fn hold(&mut self, rest: &[u8], limit: usize) -> bool {
        let Some(lines) = lines_of_a_beginning(rest).filter(|_| rest.len() <= limit.min(LONGEST)) else {
            return false;
        };
        self.bytes.extend_from_slice(rest);
        self.lines = lines;
        true
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads the event to its end in `input`; `None` where that is not there, or it is no such event after all or does
    /// not fit.
    pub(super) fn finish(
        &mut self,
        input: &[u8],
        at: &mut usize,
        fits: impl FnOnce(&Plain) -> bool,
    ) -> Option<Plain> {
        let rest = input.get(*at..)?;
        let mut end = 0;
        for _ in self.lines..2 {
            end += line_end(rest.get(end..)?)? + 1;
        }
        if rest.get(end) != Some(&b'\n') {
            return None;
        }
        let before = self.bytes.len();
        self.bytes.extend_from_slice(rest.get(..=end)?);
        let whole = Plain::read(&self.bytes, 0).filter(|plain| plain.end == self.bytes.len() && fits(plain));
        match (whole, String::from_utf8(std::mem::take(&mut self.bytes))) {
            (Some(plain), Ok(event)) => {
                self.event = event;
                *at += end + 1;
                Some(plain)
            }
            (_, event) => {
                self.bytes = event.map_or_else(FromUtf8Error::into_bytes, String::into_bytes);
                self.bytes.truncate(before);
                None
            }
        }
    }

    /// Gives up what is held, for the rules for lines.
    pub(super) fn give_up(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// The event that was finished last.
    pub(super) fn event(&self) -> &str {
        &self.event
    }

    /// Forgets it.
    pub(super) fn forget(&mut self) {
        let mut bytes = std::mem::take(&mut self.event).into_bytes();
        bytes.clear();
        if bytes.capacity() <= 4 * LONGEST {
            self.bytes = bytes;
        }
    }
}

/// How many lines end in `text`, if an event of this shape may begin so and goes on after it.
fn lines_of_a_beginning(text: &[u8]) -> Option<usize> {
    let Some(rest) = text.strip_prefix(NAME) else { return NAME.starts_with(text).then_some(0) };
    let Some(end) = line_end(rest) else { return Some(0) };
    let rest = rest.get(end..)?;
    let Some(data) = rest.strip_prefix(DATA) else { return DATA.starts_with(rest).then_some(1) };
    match line_end(data) {
        None => Some(1),
        Some(end) => (data.get(end..) == Some(b"\n")).then_some(2),
    }
}

/// Where the line ends that `text` begins with.
#[inline]
pub(super) fn line_end(text: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', text)
}
