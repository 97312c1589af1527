//! Events of any shape, read line by line.

use std::mem;

use super::{
    Found,
    block::Block,
    error::{DecodeError, Limits},
    fields::line_end,
};

/// The line under way, and what the lines before it said.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    pub(super) block: Block,
    /// The start of a line whose end has not come yet.
    line: Vec<u8>,
    /// No line has ended yet: the next one may begin with a byte order mark.
    at_start: bool,
    /// The last line ended in CR: an LF that comes now belongs to it.
    after_cr: bool,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { block: Block::default(), line: Vec::new(), at_start: true, after_cr: false }
    }

    /// Whether nothing is held of a line or of an event.
    pub(super) fn hold_nothing(&self) -> bool {
        let of_a_line = self.at_start || self.after_cr || !self.line.is_empty();
        !of_a_line && self.block.holds_nothing()
    }

    /// Gives back everything that is held.
    pub(super) fn give_up(&mut self) {
        self.line = Vec::new();
        self.block.forget();
    }

    /// Looks for the end of an event, from `at` on; `at` is then where the next one begins.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        at: &mut usize,
        limits: Limits,
    ) -> Result<Option<Found>, DecodeError> {
        if self.after_cr && *at < input.len() {
            self.after_cr = false;
            *at += usize::from(input.get(*at) == Some(&b'\n'));
        }
        if (self.at_start || !self.line.is_empty()) && !self.finish_line(input, at, limits)? {
            return Ok(None);
        }
        let mut found = Found::default();
        loop {
            let start = *at;
            let rest = input.get(start..).unwrap_or_default();
            let end = line_end(rest);
            let length = end.unwrap_or(rest.len());
            if length > limits.line {
                return Err(DecodeError::LineTooLong { limit: limits.line });
            }
            if end.is_none() {
                self.line.extend_from_slice(rest);
                self.block.keep(input, found);
                *at = input.len();
                return Ok(None);
            }
            *at += length;
            self.skip_line_end(input, at);
            if length > 0 {
                self.block.take_field(input, start..start + length, &mut found, limits)?;
            } else if self.block.end(&found) {
                return Ok(Some(found));
            } else {
                found = Found::default();
            }
        }
    }

    /// Takes a line that began in an earlier piece, or is the first; `false` if its end has not come yet.
    fn finish_line(&mut self, input: &[u8], at: &mut usize, limits: Limits) -> Result<bool, DecodeError> {
        let rest = input.get(*at..).unwrap_or_default();
        let end = line_end(rest);
        let rest = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if self.line.len() + rest.len() > limits.line {
            return Err(DecodeError::LineTooLong { limit: limits.line });
        }
        self.line.extend_from_slice(rest);
        *at += rest.len();
        if end.is_none() {
            return Ok(false);
        }
        self.skip_line_end(input, at);
        let line = mem::take(&mut self.line);
        // One byte order mark at the very start of the stream is not part of it.
        let mark = mem::take(&mut self.at_start) && line.starts_with(b"\xEF\xBB\xBF");
        self.line = self.block.take_gathered(line, if mark { 3 } else { 0 }, limits)?;
        Ok(true)
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
}
