//! From bytes to events.

use std::{mem, ops::Range, time::Duration};

use super::EventRef;

/// A line or an event that is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A line has no end within the limit, which [`Decoder::max_line`] sets.
    #[error("a line of the event stream is longer than {limit} bytes; check what sends it")]
    LineTooLong {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
    /// The data of one event adds up to more than the limit, which [`Decoder::max_event`] sets.
    #[error("an event of the stream is larger than {limit} bytes; check what sends it")]
    EventTooLarge {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
}

/// Turns the bytes of an event stream into events, in whatever pieces they come.
///
/// Give each piece to [`next_event`](Self::next_event) until it has no more events. The work is linear in the size of
/// the input, and what is held between pieces is bounded by the limits. Only what a piece leaves unfinished is copied:
/// an event that lies within one piece is lent from there.
///
/// At the end of the stream an unfinished event is discarded, as the standard demands: there is nothing to call.
///
/// ```
/// # use transport::sse::Decoder;
/// let mut decoder = Decoder::new();
/// for mut piece in [&b"event: greeting\nda"[..], b"ta: hello\n\n"] {
///     while let Some(event) = decoder.next_event(&mut piece)? {
///         assert_eq!((event.name, event.data), ("greeting", "hello"));
///     }
/// }
/// # Ok::<(), transport::sse::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    max_line: usize,
    max_event: usize,
    /// The start of a line whose end has not come yet.
    line: Vec<u8>,
    /// What earlier pieces said of the event under way.
    name: Vec<u8>,
    data: Vec<u8>,
    /// Where the data begin there: a line that took more than one piece is held as it came.
    data_start: usize,
    has_data: bool,
    /// Name and data where they had to be mended.
    mended: [String; 2],
    /// The fields above belong to an event that has been given out.
    spent: bool,
    /// No line has ended yet: the next one may begin with a byte order mark.
    at_start: bool,
    /// The last line ended in CR: an LF that comes now belongs to it.
    after_cr: bool,
    failed: bool,
    id: String,
    last_id: String,
    /// `id` is not `last_id` any more.
    new_id: bool,
    retry: Option<Duration>,
}

/// Where the name and the data of an event lie in the input, if they lie there.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Empty where there is none, or the decoder holds it.
    name: Range<usize>,
    /// Empty where the decoder holds the data.
    data: Range<usize>,
    has_data: bool,
}

/// The name of an event that was given none.
const UNNAMED: &str = "message";

/// How an event begins that [`Decoder::plain`] takes, and how its name ends.
const NAME: &[u8] = b"event: ";
const DATA: &[u8] = b"\ndata: ";

/// The largest buffer that is kept for the next event, in bytes.
const KEPT: usize = 64 << 10;

impl Decoder {
    /// Makes a decoder for a new stream, with limits of 16 MiB for a line and 32 MiB for the data of an event.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_line: 16 << 20,
            max_event: 32 << 20,
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            data_start: 0,
            has_data: false,
            mended: [String::new(), String::new()],
            spent: false,
            at_start: true,
            after_cr: false,
            failed: false,
            id: String::new(),
            last_id: String::new(),
            new_id: false,
            retry: None,
        }
    }

    /// Sets how long a line may be, in bytes without its end.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Sets how much data an event may have, in bytes.
    #[must_use]
    pub fn max_event(mut self, bytes: usize) -> Self {
        self.max_event = bytes;
        self
    }

    /// Sets the last event id to begin with, when a stream is taken up again.
    #[must_use]
    pub fn resume_after(mut self, id: &str) -> Self {
        self.last_id = id.to_owned();
        self.id = id.to_owned();
        self
    }

    /// Reads the next event off the front of `input`; `None` when it is used up and more is needed.
    ///
    /// # Errors
    ///
    /// When a limit is crossed. That is the last answer: all further ones are `None`.
    #[expect(
        single_use_lifetimes,
        reason = "the input outlives the loan, and `&mut` does not let it shrink to it"
    )]
    pub fn next_event<'d, 'i: 'd>(
        &'d mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<EventRef<'d>>, DecodeError> {
        let piece = *input;
        let mut read = 0;
        let found = self.find(piece, &mut read);
        *input = piece.get(read..).unwrap_or_default();
        Ok(found?.map(|found| self.event(piece, found)))
    }

    /// Returns the id to send as `Last-Event-ID` when the stream has to be taken up again; empty if there is none.
    ///
    /// It belongs to the last complete block of lines, even one that made no event.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// Returns how long the server wants a client to wait before it reconnects, if it said so.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Looks for the end of an event, from `at` on; `at` is then where the next one begins.
    ///
    /// It lends nothing, so that the caller can fetch more input in a loop; [`event`](Self::event) does.
    pub(super) fn find(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Found>, DecodeError> {
        if self.spent {
            self.forget();
        }
        if self.failed {
            *at = input.len();
            return Ok(None);
        }
        if self.holds_nothing()
            && let Some(found) = self.plain(input, at)
        {
            return Ok(Some(found));
        }
        let found = self.read_lines(input, at);
        if found.is_err() {
            self.failed = true;
            self.line = Vec::new();
            self.forget();
            *at = input.len();
        }
        found
    }

    /// Lends the event that was found in `input`.
    pub(super) fn event<'a>(&'a mut self, input: &'a [u8], found: Found) -> EventRef<'a> {
        let Found { name, data, .. } = found;
        // One look at the UTF-8 of both, which lie in one block of lines.
        let from = if name.is_empty() { data.start } else { name.start };
        if self.name.is_empty()
            && !self.has_data
            && let Some(Ok(both)) = input.get(from..data.end).map(str::from_utf8)
            && let Some((before, data)) = both.split_at_checked(data.start - from)
        {
            let name = before.get(..name.len()).filter(|name| !name.is_empty());
            return EventRef { name: name.unwrap_or(UNNAMED), data, id: &self.last_id, retry: self.retry };
        }
        self.gathered(input, name, data)
    }

    /// Lends an event of which some is held or has to be mended.
    fn gathered<'a>(&'a mut self, input: &'a [u8], name: Range<usize>, data: Range<usize>) -> EventRef<'a> {
        self.spent = true;
        let [mended_name, mended_data] = &mut self.mended;
        let name = if name.is_empty() { &self.name } else { input.get(name).unwrap_or_default() };
        let data = if self.has_data {
            self.data.get(self.data_start..).unwrap_or_default()
        } else {
            input.get(data).unwrap_or_default()
        };
        let name = text(name, mended_name);
        EventRef {
            name: if name.is_empty() { UNNAMED } else { name },
            data: text(data, mended_data),
            id: &self.last_id,
            retry: self.retry,
        }
    }

    /// Whether nothing is held of a line or of an event.
    fn holds_nothing(&self) -> bool {
        let of_a_line = self.at_start || self.after_cr || !self.line.is_empty();
        let of_an_event = self.has_data || self.new_id || !self.name.is_empty();
        !of_a_line && !of_an_event
    }

    /// Takes an event of the most common shape, if that comes next: a name, one line of data, line feeds.
    ///
    /// Everything else is left to [`read_lines`](Self::read_lines), which gives the same for these too, but slower.
    fn plain(&self, input: &[u8], at: &mut usize) -> Option<Found> {
        let name = *at + NAME.len();
        let rest = input.get(*at..)?.strip_prefix(NAME)?;
        let name = name..name + line_end(rest)?;
        let data = name.end + DATA.len();
        let rest = input.get(name.end..)?.strip_prefix(DATA)?;
        let data = data..data + line_end(rest)?;
        if !input.get(data.end..)?.starts_with(b"\n\n") {
            return None;
        }
        let fits = name.end - *at <= self.max_line
            && data.end - (name.end + 1) <= self.max_line
            && data.len() <= self.max_event;
        fits.then(|| {
            *at = data.end + 2;
            Found { name, data, has_data: true }
        })
    }

    fn read_lines(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Found>, DecodeError> {
        if self.after_cr && *at < input.len() {
            self.after_cr = false;
            *at += usize::from(input.get(*at) == Some(&b'\n'));
        }
        if (self.at_start || !self.line.is_empty()) && !self.finish_line(input, at)? {
            return Ok(None);
        }
        let mut found = Found::default();
        loop {
            let start = *at;
            let rest = input.get(start..).unwrap_or_default();
            let end = line_end(rest);
            let length = end.unwrap_or(rest.len());
            if length > self.max_line {
                return Err(DecodeError::LineTooLong { limit: self.max_line });
            }
            if end.is_none() {
                self.line.extend_from_slice(rest);
                self.keep(input, found);
                *at = input.len();
                return Ok(None);
            }
            *at += length;
            self.skip_line_end(input, at);
            if length > 0 {
                self.take_field(input, start..start + length, &mut found)?;
            } else if self.end_block(&found) {
                return Ok(Some(found));
            } else {
                found = Found::default();
            }
        }
    }

    /// Steps over CR, LF, or CR and LF; an LF that is still to come belongs to the CR.
    fn skip_line_end(&mut self, input: &[u8], at: &mut usize) {
        let cr = input.get(*at) == Some(&b'\r');
        *at += 1;
        if cr {
            self.after_cr = *at == input.len();
            *at += usize::from(input.get(*at) == Some(&b'\n'));
        }
    }

    /// Takes a line that began in an earlier piece, or is the first; `false` if its end has not come yet.
    fn finish_line(&mut self, input: &[u8], at: &mut usize) -> Result<bool, DecodeError> {
        let rest = input.get(*at..).unwrap_or_default();
        let end = line_end(rest);
        let rest = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if self.line.len() + rest.len() > self.max_line {
            return Err(DecodeError::LineTooLong { limit: self.max_line });
        }
        self.line.extend_from_slice(rest);
        *at += rest.len();
        if end.is_none() {
            return Ok(false);
        }
        self.skip_line_end(input, at);
        let mut line = mem::take(&mut self.line);
        // One byte order mark at the very start of the stream is not part of it.
        let mark = mem::take(&mut self.at_start) && line.starts_with(b"\xEF\xBB\xBF");
        let mut found = Found::default();
        self.take_field(&line, if mark { 3 } else { 0 }..line.len(), &mut found)?;
        if found.has_data && !self.has_data {
            self.has_data = true;
            self.data_start = found.data.start;
            mem::swap(&mut self.data, &mut line);
        } else {
            self.keep(&line, found);
        }
        empty(&mut line);
        self.line = line;
        Ok(true)
    }

    /// Takes the line that lies there in `input`.
    fn take_field(&mut self, input: &[u8], line: Range<usize>, found: &mut Found) -> Result<(), DecodeError> {
        let bytes = input.get(line.clone()).unwrap_or_default();
        if let Some(value) = bytes.strip_prefix(b"data:") {
            self.take_data(input, line.end - without_space(value).len()..line.end, found)
        } else if let Some(value) = bytes.strip_prefix(b"event:") {
            self.take_name(line.end - without_space(value).len()..line.end, found);
            Ok(())
        } else {
            self.take_rare(input, line, found)
        }
    }

    fn take_rare(&mut self, input: &[u8], line: Range<usize>, found: &mut Found) -> Result<(), DecodeError> {
        let bytes = input.get(line.clone()).unwrap_or_default();
        let colon = memchr::memchr(b':', bytes).unwrap_or(bytes.len());
        let (field, value) = bytes.split_at(colon);
        let value = without_space(value.get(1..).unwrap_or_default());
        match field {
            b"data" => return self.take_data(input, line.end..line.end, found),
            b"event" => self.take_name(line.end..line.end, found),
            b"id" if memchr::memchr(0, value).is_none() => {
                self.id = String::from_utf8_lossy(value).into_owned();
                self.new_id = true;
            }
            b"retry" => self.retry = milliseconds(value).or(self.retry),
            _ => {} // a comment, which has no field name, or a field nobody knows
        }
        Ok(())
    }

    fn take_name(&mut self, name: Range<usize>, found: &mut Found) {
        self.name.clear();
        found.name = name;
    }

    fn take_data(&mut self, input: &[u8], value: Range<usize>, found: &mut Found) -> Result<(), DecodeError> {
        if !found.has_data && !self.has_data {
            if value.len() > self.max_event {
                return Err(DecodeError::EventTooLarge { limit: self.max_event });
            }
            found.data = value;
            found.has_data = true;
            return Ok(());
        }
        self.join_data(input, value, found)
    }

    fn join_data(&mut self, input: &[u8], value: Range<usize>, found: &mut Found) -> Result<(), DecodeError> {
        if mem::take(&mut found.has_data) {
            self.hold_data(input.get(mem::take(&mut found.data)).unwrap_or_default());
        }
        if self.data.len() - self.data_start + 1 + value.len() > self.max_event {
            return Err(DecodeError::EventTooLarge { limit: self.max_event });
        }
        self.hold_data(input.get(value).unwrap_or_default());
        Ok(())
    }

    /// Keeps what was found in a piece that is used up.
    fn keep(&mut self, piece: &[u8], found: Found) {
        if !found.name.is_empty() {
            self.name.extend_from_slice(piece.get(found.name).unwrap_or_default());
        }
        if found.has_data {
            self.hold_data(piece.get(found.data).unwrap_or_default());
        }
    }

    fn hold_data(&mut self, line: &[u8]) {
        if mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(line);
    }

    /// Ends a block of lines, which is an event if it had data.
    fn end_block(&mut self, found: &Found) -> bool {
        if mem::take(&mut self.new_id) {
            self.last_id.clone_from(&self.id);
        }
        if found.has_data || self.has_data {
            return true;
        }
        self.name.clear();
        false
    }

    /// Forgets an event that has been given out.
    fn forget(&mut self) {
        self.spent = false;
        self.has_data = false;
        self.data_start = 0;
        self.mended = [String::new(), String::new()];
        empty(&mut self.name);
        empty(&mut self.data);
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Empties a buffer for its next use, and gives back what was large.
fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    }
}

fn line_end(text: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', text)
}

fn without_space(value: &[u8]) -> &[u8] {
    value.strip_prefix(b" ").unwrap_or(value)
}

/// The bytes as text, mended where they are not UTF-8.
fn text<'a>(bytes: &'a [u8], mended: &'a mut String) -> &'a str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            *mended = String::from_utf8_lossy(bytes).into_owned();
            mended
        }
    }
}

/// A number of ASCII digits and nothing else; one too large to count is the largest.
fn milliseconds(value: &[u8]) -> Option<Duration> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = value
        .iter()
        .fold(0u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(Duration::from_millis(number))
}
