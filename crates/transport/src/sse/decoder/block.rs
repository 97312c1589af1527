//! What the lines of one event say.

use std::{mem, ops::Range, time::Duration};

use super::{
    Found,
    error::{DecodeError, Limits},
    fields::{empty, milliseconds, without_space},
};

/// What earlier pieces said of the event under way, and what outlives it.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    name: Vec<u8>,
    data: Vec<u8>,
    /// Where the data begin there: a line that took more than one piece is held as it came.
    data_start: usize,
    has_data: bool,
    id: String,
    last_id: String,
    /// `id` is not `last_id` any more.
    new_id: bool,
    retry: Option<Duration>,
}

impl Block {
    /// Sets the last event id to begin with.
    pub(super) fn resume_after(&mut self, id: &str) {
        self.last_id = id.to_owned();
        self.id = id.to_owned();
    }

    /// The id that the last complete block left.
    pub(super) fn last_id(&self) -> &str {
        &self.last_id
    }

    /// The wait before reconnecting that was set last.
    pub(super) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// The name that is held; empty if there is none.
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The data that are held.
    pub(super) fn data(&self) -> Option<&[u8]> {
        self.has_data.then(|| self.data.get(self.data_start..).unwrap_or_default())
    }

    /// Whether nothing is held of an event.
    pub(super) fn holds_nothing(&self) -> bool {
        !self.has_data && !self.new_id && self.name.is_empty()
    }

    /// Forgets an event that has been given out.
    pub(super) fn forget(&mut self) {
        self.has_data = false;
        self.data_start = 0;
        empty(&mut self.name);
        empty(&mut self.data);
    }

    /// Takes the line that lies there in `input`.
    pub(super) fn take_field(
        &mut self,
        input: &[u8],
        line: Range<usize>,
        found: &mut Found,
        limits: Limits,
    ) -> Result<(), DecodeError> {
        let bytes = input.get(line.clone()).unwrap_or_default();
        if let Some(value) = bytes.strip_prefix(b"data:") {
            self.take_data(input, line.end - without_space(value).len()..line.end, found, limits)
        } else if let Some(value) = bytes.strip_prefix(b"event:") {
            self.take_name(line.end - without_space(value).len()..line.end, found);
            Ok(())
        } else {
            self.take_rare(input, line, found, limits)
        }
    }

    /// Takes the line that was gathered in a buffer, from `start` on, and returns a buffer for the next one.
    pub(super) fn take_gathered(
        &mut self,
        mut line: Vec<u8>,
        start: usize,
        limits: Limits,
    ) -> Result<Vec<u8>, DecodeError> {
        let mut found = Found::default();
        self.take_field(&line, start..line.len(), &mut found, limits)?;
        if found.has_data && !self.has_data {
            self.has_data = true;
            self.data_start = found.data.start;
            mem::swap(&mut self.data, &mut line);
        } else {
            self.keep(&line, found);
        }
        empty(&mut line);
        Ok(line)
    }

    /// Keeps what was found in a piece that is used up.
    pub(super) fn keep(&mut self, piece: &[u8], found: Found) {
        if !found.name.is_empty() {
            self.name.extend_from_slice(piece.get(found.name).unwrap_or_default());
        }
        if found.has_data {
            self.hold_data(piece.get(found.data).unwrap_or_default());
        }
    }

    /// Ends the block, which is an event if it had data.
    pub(super) fn end(&mut self, found: &Found) -> bool {
        if mem::take(&mut self.new_id) {
            self.last_id.clone_from(&self.id);
        }
        if found.has_data || self.has_data {
            return true;
        }
        self.name.clear();
        false
    }

    fn take_rare(
        &mut self,
        input: &[u8],
        line: Range<usize>,
        found: &mut Found,
        limits: Limits,
    ) -> Result<(), DecodeError> {
        let bytes = input.get(line.clone()).unwrap_or_default();
        let colon = memchr::memchr(b':', bytes).unwrap_or(bytes.len());
        let (field, value) = bytes.split_at(colon);
        let value = without_space(value.get(1..).unwrap_or_default());
        match field {
            b"data" => return self.take_data(input, line.end..line.end, found, limits),
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

    fn take_data(
        &mut self,
        input: &[u8],
        value: Range<usize>,
        found: &mut Found,
        limits: Limits,
    ) -> Result<(), DecodeError> {
        if !found.has_data && !self.has_data {
            if value.len() > limits.event {
                return Err(DecodeError::EventTooLarge { limit: limits.event });
            }
            found.data = value;
            found.has_data = true;
            return Ok(());
        }
        self.join_data(input, value, found, limits)
    }

    fn join_data(
        &mut self,
        input: &[u8],
        value: Range<usize>,
        found: &mut Found,
        limits: Limits,
    ) -> Result<(), DecodeError> {
        if mem::take(&mut found.has_data) {
            self.hold_data(input.get(mem::take(&mut found.data)).unwrap_or_default());
        }
        if self.data.len() - self.data_start + 1 + value.len() > limits.event {
            return Err(DecodeError::EventTooLarge { limit: limits.event });
        }
        self.hold_data(input.get(value).unwrap_or_default());
        Ok(())
    }

    fn hold_data(&mut self, line: &[u8]) {
        if mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(line);
    }
}
