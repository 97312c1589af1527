//! The least framing that a client can do: events are borrowed from the piece they came in, and nothing is checked.

use memchr::memchr;

/// Cuts pieces into events. It only knows what the service really sends: lines that end in LF, `event` before `data`, one
/// line of data.
#[derive(Debug, Default)]
pub(super) struct Framer {
    /// The beginning of an event whose end has not come yet.
    rest: Vec<u8>,
}

impl Framer {
    /// Hands each event that ends in `piece` to `event`, as its name and its data, and keeps what is left.
    pub(super) fn push<E>(
        &mut self,
        mut piece: &[u8],
        mut event: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.rest.is_empty() {
            let Some(end) = self.end_in(piece) else {
                self.rest.extend_from_slice(piece);
                return Ok(());
            };
            let (head, tail) = piece.split_at(end);
            self.rest.extend_from_slice(head);
            each(&self.rest, &mut event)?;
            self.rest.clear();
            piece = tail;
        }
        let rest = each(piece, &mut event)?;
        self.rest.extend_from_slice(rest);
        Ok(())
    }

    /// Where in `piece` the event ends that has begun in `rest`.
    fn end_in(&self, piece: &[u8]) -> Option<usize> {
        if self.rest.ends_with(b"\n") && piece.first() == Some(&b'\n') {
            return Some(1);
        }
        memchr::memmem::find(piece, b"\n\n").map(|end| end + 2)
    }
}

/// The events that end in `piece`; returns what comes after the last of them.
fn each<'a, E>(
    mut piece: &'a [u8],
    event: &mut impl FnMut(&[u8], &[u8]) -> Result<(), E>,
) -> Result<&'a [u8], E> {
    let (mut block, mut name, mut data) = (piece, &b""[..], &b""[..]);
    while let Some(end) = memchr(b'\n', piece) {
        let (line, after) = piece.split_at(end);
        piece = after.get(1..).unwrap_or_default();
        if line.is_empty() {
            event(name, data)?;
            (block, name, data) = (piece, &b""[..], &b""[..]);
        } else if let Some(value) = line.strip_prefix(b"data: ") {
            data = value;
        } else if let Some(value) = line.strip_prefix(b"event: ") {
            name = value;
        }
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::script;

    #[test]
    fn every_split_gives_the_same_events() {
        let input = script::events(5).concat();
        let frames = |pieces: &[&[u8]]| {
            let (mut framer, mut seen) = (Framer::default(), Vec::new());
            for piece in pieces {
                let pushed = framer.push(piece, |name, data| {
                    seen.push((name.to_vec(), data.to_vec()));
                    Ok::<(), Infallible>(())
                });
                pushed.unwrap();
            }
            seen
        };
        let whole = frames(&[&input]);
        assert_eq!(whole.len(), script::events(5).len());
        assert_eq!(whole[3].0, b"content_block_delta");
        for at in 0..input.len() {
            assert_eq!(frames(&[&input[..at], &input[at..]]), whole, "{at}");
        }
        assert_eq!(frames(&input.chunks(1).collect::<Vec<_>>()), whole);
    }
}
