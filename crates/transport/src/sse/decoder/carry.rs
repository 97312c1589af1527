//! An event that the end of a piece has cut.

use super::plain::Shape;

/// How much of an event is carried from one piece to the next, and taken of that to make it whole, in bytes.
pub(super) const CARRIED: usize = 256;

/// The end of one piece and the beginning of the next, one behind the other.
///
/// As much as can be is copied, however much is needed: copies of one size are the quicker ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Carry {
    /// Two halves; nothing until the first event is cut.
    bytes: Vec<u8>,
    /// Where the event begins, in the first half.
    start: usize,
    /// What was found of it.
    shape: Shape,
}

impl Carry {
    /// Keeps the last `length` bytes of `piece`, which are `shape` so far.
    pub(super) fn keep(&mut self, piece: &[u8], length: usize, shape: Shape) {
        if self.bytes.is_empty() {
            self.bytes.resize(2 * CARRIED, 0);
        }
        self.start = CARRIED.saturating_sub(length);
        self.shape = shape;
        let Some(half) = self.bytes.first_chunk_mut::<CARRIED>() else { return };
        if let Some(last) = piece.last_chunk() {
            *half = *last;
        } else if let Some(free) = half.get_mut(CARRIED - piece.len()..) {
            free.copy_from_slice(piece);
        }
    }

    /// How much of the event is held, in bytes.
    pub(super) fn length(&self) -> usize {
        CARRIED - self.start
    }

    /// What is held of the event.
    pub(super) fn begun(&self) -> &[u8] {
        self.bytes.get(self.start..CARRIED).unwrap_or_default()
    }

    /// What was found of it.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Where the event begins in [`bytes`](Self::bytes).
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Puts what comes next behind it, as far as there is room, and gives both.
    pub(super) fn join(&mut self, next: &[u8]) -> &[u8] {
        let Some(half) = self.bytes.last_chunk_mut::<CARRIED>() else { return &[] };
        let mut joined = CARRIED;
        if let Some(first) = next.first_chunk() {
            *half = *first;
        } else if let Some(free) = half.get_mut(..next.len()) {
            free.copy_from_slice(next);
            joined = next.len();
        }
        self.bytes.get(self.start..CARRIED + joined).unwrap_or_default()
    }

    /// Both halves.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
