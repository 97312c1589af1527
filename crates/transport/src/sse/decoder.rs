//! From bytes to events.

use std::{collections::VecDeque, mem, time::Duration};

use bytes::{Buf, Bytes, BytesMut};

use super::Text;

/// One event of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The kind of event: the field `event`, or `message` where the server gave none.
    pub name: Text,
    /// The field `data`, its lines joined by line feeds.
    pub data: Text,
    /// The last event id the server has set, in this event or before; empty if none.
    pub id: Text,
    /// The wait before reconnecting that the server has set, in this event or before.
    pub retry: Option<Duration>,
}

/// A line or an event that is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A line has no end within the limit.
    #[error("a line of the event stream is longer than {limit} bytes; raise the limit if that is expected")]
    LineTooLong {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
    /// The data of one event adds up to more than the limit.
    #[error("an event of the stream is larger than {limit} bytes; raise the limit if that is expected")]
    EventTooLarge {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
}

/// Turns the bytes of an event stream into events, in whatever pieces they come.
///
/// [`push`](Self::push) what has arrived, then take events with [`next_event`](Self::next_event) until there is none.
/// The work is linear in the size of the input, and what is held between calls is bounded by the limits. A line that
/// lies within one piece is not copied.
///
/// At the end of the stream an unfinished event is discarded, as the standard demands: there is nothing to call.
#[derive(Clone, Debug)]
pub struct Decoder {
    max_line: usize,
    max_event: usize,
    /// Received and not looked at yet.
    pieces: VecDeque<Bytes>,
    /// The start of a line whose end has not come yet.
    line: BytesMut,
    /// No line has ended yet: the next one may begin with a byte order mark.
    at_start: bool,
    /// The last line ended in CR: an LF that comes now belongs to it.
    after_cr: bool,
    failed: bool,
    name: Text,
    data: Data,
    id: Text,
    last_id: Text,
    retry: Option<Duration>,
}

/// The data buffer; most events have one line.
#[derive(Clone, Debug, Default)]
enum Data {
    #[default]
    None,
    Line(Bytes),
    Lines(BytesMut),
}

impl Decoder {
    /// Makes a decoder for a new stream, with limits of 16 MiB for a line and 32 MiB for the data of an event.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_line: 16 << 20,
            max_event: 32 << 20,
            pieces: VecDeque::new(),
            line: BytesMut::new(),
            at_start: true,
            after_cr: false,
            failed: false,
            name: Text::default(),
            data: Data::None,
            id: Text::default(),
            last_id: Text::default(),
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
    pub fn resume_after(mut self, id: Text) -> Self {
        self.last_id = id.clone();
        self.id = id;
        self
    }

    /// Adds bytes that have arrived.
    pub fn push(&mut self, piece: Bytes) {
        if !self.failed && !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    /// Returns the next event, or `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// When a limit is crossed. That is the last answer: all further ones are `None`.
    pub fn next_event(&mut self) -> Option<Result<Event, DecodeError>> {
        loop {
            let taken = match self.next_line() {
                Ok(None) => return None,
                Ok(Some(line)) if line.is_empty() => Ok(self.dispatch()),
                Ok(Some(line)) => self.take_field(&line).map(|()| None),
                Err(error) => Err(error),
            };
            match taken {
                Ok(None) => {}
                Ok(Some(event)) => return Some(Ok(event)),
                Err(error) => {
                    self.fail();
                    return Some(Err(error));
                }
            }
        }
    }

    /// Returns the id to send as `Last-Event-ID` when the stream has to be taken up again; empty if there is none.
    ///
    /// It belongs to the last complete block of lines, even one that made no event.
    #[must_use]
    pub fn last_event_id(&self) -> &Text {
        &self.last_id
    }

    /// Returns how long the server wants a client to wait before it reconnects, if it said so.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Cuts the next line off the input, without its end.
    fn next_line(&mut self) -> Result<Option<Bytes>, DecodeError> {
        while let Some(piece) = self.pieces.front_mut() {
            if mem::take(&mut self.after_cr) && piece.first() == Some(&b'\n') {
                piece.advance(1);
            }
            let end = memchr::memchr2(b'\r', b'\n', piece);
            if self.line.len() + end.unwrap_or(piece.len()) > self.max_line {
                return Err(DecodeError::LineTooLong { limit: self.max_line });
            }
            let Some(end) = end else {
                self.line.extend_from_slice(piece);
                self.pieces.pop_front();
                continue;
            };
            let rest = piece.split_to(end);
            self.after_cr = piece.first() == Some(&b'\r');
            piece.advance(1);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
            let line = if self.line.is_empty() {
                rest
            } else {
                self.line.extend_from_slice(&rest);
                self.line.split().freeze()
            };
            return Ok(Some(self.without_mark(line)));
        }
        Ok(None)
    }

    /// One byte order mark at the very start of the stream is not part of it.
    fn without_mark(&mut self, mut line: Bytes) -> Bytes {
        if mem::take(&mut self.at_start) && line.starts_with(b"\xEF\xBB\xBF") {
            line.advance(3);
        }
        line
    }

    fn take_field(&mut self, line: &Bytes) -> Result<(), DecodeError> {
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (line.slice(..colon), line.slice(colon + 1..)),
            None => (line.clone(), Bytes::new()),
        };
        let value = if value.first() == Some(&b' ') { value.slice(1..) } else { value };
        match &field[..] {
            b"data" => self.take_data(value)?,
            b"event" => self.name = Text::from_lossy(value),
            b"id" if memchr::memchr(0, &value).is_none() => self.id = Text::from_lossy(value),
            b"retry" => self.retry = milliseconds(&value).or(self.retry),
            _ => {} // a comment, which has no field name, or a field nobody knows
        }
        Ok(())
    }

    fn take_data(&mut self, value: Bytes) -> Result<(), DecodeError> {
        let held = match &self.data {
            Data::None => 0,
            Data::Line(line) => line.len() + 1,
            Data::Lines(lines) => lines.len() + 1,
        };
        if held + value.len() > self.max_event {
            return Err(DecodeError::EventTooLarge { limit: self.max_event });
        }
        self.data = match mem::take(&mut self.data) {
            Data::None => Data::Line(value),
            Data::Line(first) => {
                let mut lines = BytesMut::with_capacity(first.len() + 1 + value.len());
                lines.extend_from_slice(&first);
                Data::Lines(joined(lines, &value))
            }
            Data::Lines(lines) => Data::Lines(joined(lines, &value)),
        };
        Ok(())
    }

    /// Ends a block of lines, which is an event if it had data.
    fn dispatch(&mut self) -> Option<Event> {
        self.last_id = self.id.clone();
        let name = mem::take(&mut self.name);
        let data = match mem::take(&mut self.data) {
            Data::None => return None,
            Data::Line(line) => line,
            Data::Lines(lines) => lines.freeze(),
        };
        Some(Event {
            name: if name.is_empty() { Text::from("message") } else { name },
            data: Text::from_lossy(data),
            id: self.last_id.clone(),
            retry: self.retry,
        })
    }

    fn fail(&mut self) {
        self.failed = true;
        self.pieces.clear();
        self.line = BytesMut::new();
        self.data = Data::None;
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

fn joined(mut lines: BytesMut, value: &[u8]) -> BytesMut {
    lines.extend_from_slice(b"\n");
    lines.extend_from_slice(value);
    lines
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
