//! From bytes to events.

mod block;
mod carry;
mod error;
mod fields;
mod find;
mod lines;
mod plain;

use std::{ops::Range, time::Duration};

use self::{carry::Carry, error::Limits, fields::text, find::State, lines::Lines};
use super::EventRef;

pub use error::DecodeError;

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
    limits: Limits,
    state: State,
    carry: Carry,
    lines: Lines,
    /// Name and data where they had to be mended.
    mended: [String; 2],
}

/// Where the name and the data of an event lie in the input, if they lie there.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Empty where there is none, or the decoder holds it.
    name: Range<usize>,
    /// Empty where the decoder holds the data.
    data: Range<usize>,
    has_data: bool,
    /// Both lie in what the decoder carried over, not in the input.
    carried: bool,
}

/// The name of an event that was given none.
const UNNAMED: &str = "message";

impl Decoder {
    /// Makes a decoder for a new stream, with limits of 16 MiB for a line and 32 MiB for the data of an event.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limits: Limits { line: 16 << 20, event: 32 << 20 },
            state: State::Lines, // the first line is one that may begin with a byte order mark
            carry: Carry::default(),
            lines: Lines::new(),
            mended: [String::new(), String::new()],
        }
    }

    /// Sets how long a line may be, in bytes without its end.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.limits.line = bytes;
        self
    }

    /// Sets how much data an event may have, in bytes.
    #[must_use]
    pub fn max_event(mut self, bytes: usize) -> Self {
        self.limits.event = bytes;
        self
    }

    /// Sets the last event id to begin with, when a stream is taken up again.
    #[must_use]
    pub fn resume_after(mut self, id: &str) -> Self {
        self.lines.block.resume_after(id);
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
        self.lines.block.last_id()
    }

    /// Returns how long the server wants a client to wait before it reconnects, if it said so.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.lines.block.retry()
    }

    /// Lends the event that was found in `input`.
    #[inline(always)] // as `find`
    pub(super) fn event<'a>(&'a mut self, input: &'a [u8], found: Found) -> EventRef<'a> {
        let Self { state, carry, lines, mended, .. } = self;
        let (block, Found { name, data, carried, .. }) = (&lines.block, found);
        let input = if carried { carry.bytes() } else { input };
        // One look at the UTF-8 of both, which lie in one block of lines.
        let from = if name.is_empty() { data.start } else { name.start };
        if block.holds_nothing()
            && let Some(Ok(both)) = input.get(from..data.end).map(str::from_utf8)
            && let Some((before, data)) = both.split_at_checked(data.start - from)
        {
            let name = before.get(..name.len()).filter(|name| !name.is_empty());
            return EventRef {
                name: name.unwrap_or(UNNAMED),
                data,
                id: block.last_id(),
                retry: block.retry(),
            };
        }
        // Some of it is held, or has to be mended.
        *state = State::Lent;
        let [mended_name, mended_data] = mended;
        let name = if name.is_empty() { block.name() } else { input.get(name).unwrap_or_default() };
        let data = block.data().unwrap_or_else(|| input.get(data).unwrap_or_default());
        let name = text(name, mended_name);
        EventRef {
            name: if name.is_empty() { UNNAMED } else { name },
            data: text(data, mended_data),
            id: block.last_id(),
            retry: block.retry(),
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
