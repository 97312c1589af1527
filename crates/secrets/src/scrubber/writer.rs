//! Bytes without the secrets.

use std::{
    fmt,
    io::{self, Write},
};

use super::Scrubber;

/// A writer that takes secrets out of what passes through it: see [`Scrubber::writer`].
///
/// What may be the beginning of a secret is kept back until it is known, by a flush too, and passed on at the latest when
/// this is dropped. It keeps as much as the longest secret can be spelled with, and no more.
pub struct Scrubbing<W: Write> {
    scrubber: Scrubber,
    inner: W,
    kept: Vec<u8>,
}

impl<W: Write> Scrubbing<W> {
    pub(super) fn new(scrubber: Scrubber, inner: W) -> Self {
        Self { scrubber, inner, kept: Vec::new() }
    }

    /// Passes on what is known not to be the beginning of a secret, or all of it.
    fn pass(&mut self, all: bool) -> io::Result<()> {
        let known = if all { self.kept.len() } else { self.scrubber.unfinished(&self.kept) };
        // It leaves here before it is written: what a broken writer did not take is not written again.
        let rest = self.kept.split_off(known);
        let passed = std::mem::replace(&mut self.kept, rest);
        self.inner.write_all(&self.scrubber.scrub_bytes(&passed))
    }
}

impl<W: Write> Write for Scrubbing<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.kept.extend_from_slice(piece);
        self.pass(false)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Drop for Scrubbing<W> {
    fn drop(&mut self) {
        // Nobody is left to be told of a failure.
        drop(self.pass(true).and_then(|()| self.inner.flush()));
    }
}

impl<W: Write> fmt::Debug for Scrubbing<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubbing").field("scrubber", &self.scrubber).finish_non_exhaustive()
    }
}
