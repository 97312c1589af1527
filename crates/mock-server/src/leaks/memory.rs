//! How often a secret is in the memory of this process.

use std::{fs, io, os::unix::fs::FileExt as _};

const MASK: u8 = 0x5a;
/// What is read at a time.
const PIECE: usize = 1 << 20;

/// A secret under a mask: whoever looks for it has no copy of it.
#[derive(Debug, Clone)]
pub struct Masked(Vec<u8>);

impl Masked {
    /// One of 48 small letters, the same for each `seed`.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        let letter =
            |at: u32| b'a' + u8::try_from((at * 7 + at * at + u32::from(seed) * 11) % 26).unwrap_or_default();
        Self((0..48).map(|at| letter(at) ^ MASK).collect())
    }

    /// The secret, byte by byte: who collects it sees to its end, and to a place that does not grow on the way.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().map(|byte| byte ^ MASK)
    }

    /// How many copies there are in all memory that this process can write.
    ///
    /// # Errors
    ///
    /// When the system does not show the memory.
    pub fn copies(&self) -> io::Result<usize> {
        let memory = fs::File::open("/proc/self/mem")?;
        let mut piece = vec![0; PIECE];
        // Where the pieces are copied to is no place to look at.
        let own = piece.as_ptr().addr()..piece.as_ptr().addr() + PIECE;
        let mut count = 0;
        for (start, end) in writable()? {
            for (mut at, end) in [(start, end.min(own.start.max(start))), (start.max(own.end.min(end)), end)]
            {
                while at < end {
                    let room = piece.get_mut(..PIECE.min(end - at)).unwrap_or_default();
                    let Ok(read) = memory.read_at(room, at as u64) else { break };
                    count += self.count_in(room.get(..read).unwrap_or_default());
                    if read <= self.0.len() || at + read >= end {
                        break;
                    }
                    // What lies across two pieces is in the next one.
                    at += read - (self.0.len() - 1);
                }
            }
        }
        // What was found is here too.
        piece.fill(0);
        std::hint::black_box(&piece);
        Ok(count)
    }

    fn count_in(&self, text: &[u8]) -> usize {
        let Some(first) = self.bytes().next() else { return 0 };
        let begins = text.iter().enumerate().filter(|(_, byte)| **byte == first);
        let whole = |at: usize| {
            let found = text.get(at..at + self.0.len());
            found.is_some_and(|found| found.iter().copied().eq(self.bytes()))
        };
        begins.filter(|(at, _)| whole(*at)).count()
    }
}

/// The ranges of memory that can be written.
fn writable() -> io::Result<Vec<(usize, usize)>> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let range = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        rest.starts_with("rw").then_some((address(start)?, address(end)?))
    };
    Ok(maps.lines().filter_map(range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_copy_is_counted_wherever_it_is() {
        let secret = Masked::new(1);
        assert_eq!(secret.copies().unwrap(), 0, "none yet, this one is masked");
        let first: Vec<u8> = secret.bytes().collect();
        let second = format!("in a text {}", String::from_utf8(first.clone()).unwrap());
        assert!(secret.copies().unwrap() >= 2, "{} {}", first.len(), second.len());
        assert_eq!(Masked::new(2).copies().unwrap(), 0, "another one");
    }
}
