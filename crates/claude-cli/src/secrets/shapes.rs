//! What keys look like.

use std::ops::Range;

use memchr::memmem::Finder;

mod armor;
mod table;
#[cfg(test)]
mod tests;

use armor::armored;
use table::{OPENAI, SHAPES, Shape, wordy};

/// Somewhere in a text: which line, and what kind of key. Never the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sight {
    pub(super) line: usize,
    pub(super) kind: &'static str,
}

/// Finds keys in whatever bytes.
pub(crate) struct Scanner(Vec<(Finder<'static>, &'static Shape)>);

impl Scanner {
    pub(crate) fn new() -> Self {
        Self(SHAPES.iter().map(|shape| (Finder::new(shape.begins), shape)).collect())
    }

    /// The keys in a text, by their lines; what is in UTF-16 among them.
    pub(crate) fn scan(&self, text: &[u8]) -> Vec<Sight> {
        let mut sights = self.sights(text);
        if memchr::memchr(0, text).is_some() {
            for phase in [0, 1] {
                sights.extend(self.sights(&narrowed(text.get(phase..).unwrap_or_default())));
            }
        }
        sights.sort_unstable();
        sights.dedup();
        sights
    }

    /// Whether there is no key in a text, of which nothing is in UTF-16.
    pub(super) fn is_clean(&self, text: &[u8]) -> bool {
        self.keys(text, is_long_and_mixed).next().is_none()
    }

    fn sights(&self, text: &[u8]) -> Vec<Sight> {
        let mut keys: Vec<(usize, &'static str)> =
            self.keys(text, is_long_and_mixed).map(|(at, shape)| (at.start, shape.kind)).collect();
        keys.sort_unstable();
        let (mut line, mut counted) = (1, 0);
        let sight = |(at, kind)| {
            line += memchr::memchr_iter(b'\n', text.get(counted..at).unwrap_or_default()).count();
            counted = at;
            Sight { line, kind }
        };
        keys.into_iter().map(sight).collect()
    }

    /// A text with `[key]` in the place of each key in it, for what has to be shown: a name, or what somebody has typed. What may be
    /// an example only is not shown either.
    pub(crate) fn masked(&self, text: &str) -> String {
        let mut keys: Vec<Range<usize>> = self.keys(text.as_bytes(), is_long).map(|(at, _)| at).collect();
        keys.sort_unstable_by_key(|at| at.start);
        let (mut masked, mut shown) = (String::new(), 0);
        for at in keys {
            if let Some(between) = text.get(shown..at.start) {
                masked.push_str(between);
                masked.push_str("[key]");
            }
            shown = shown.max(at.end);
        }
        masked + text.get(shown..).unwrap_or_default()
    }

    /// Where keys are, and of what shape. Each byte is looked at a few times at most, whatever the text is made of.
    fn keys<'a>(
        &'a self,
        text: &'a [u8],
        is_key: IsKey,
    ) -> impl Iterator<Item = (Range<usize>, &'static Shape)> + 'a {
        self.0.iter().flat_map(move |(finder, shape)| {
            // What was measured last: a key that begins within ends there too.
            let mut measured = 0;
            finder.find_iter(text).filter_map(move |at| {
                let start = if shape.begins == OPENAI { start_of_openai(text.get(..at)?)? } else { at };
                if !is_apart(text.get(..start)?, shape) {
                    return None;
                }
                let begin = at + shape.begins.len();
                let body = text.get(begin..)?;
                if begin >= measured {
                    measured = begin + length(body, shape);
                }
                let length = measured - begin;
                let length = match shape.begins.ends_with("-----") {
                    _ if is_key(body, length, shape) => length,
                    true => armored(body)?,
                    false => return None,
                };
                Some((start..begin + length, *shape))
            })
        })
    }
}

/// Where a key of `OpenAI` begins, whose middle is behind `before`.
fn start_of_openai(before: &[u8]) -> Option<usize> {
    let head = before.iter().rev().take(LOOK * 4).take_while(|&&byte| wordy(byte)).count();
    let start = before.len().checked_sub(head)?;
    let sk = memchr::memmem::find(before.get(start..)?, b"sk-")?;
    (head >= sk + 20).then_some(start + sk)
}

/// UTF-16 as bytes: a letter of a key is one byte there, and a zero before or behind it, by where the pairs begin. Anything else
/// is a blank.
fn narrowed(text: &[u8]) -> Vec<u8> {
    text.chunks_exact(2).map(|pair| if let [letter, 0] = pair { *letter } else { b' ' }).collect()
}

/// A key begins where a word does, or after what stands for another character: `\\n`, `%3D`.
fn is_apart(before: &[u8], shape: &Shape) -> bool {
    let is_escape = match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    };
    let in_a_word = before.last().is_some_and(u8::is_ascii_alphanumeric);
    shape.begins.starts_with("PRIVATE") || is_escape || !in_a_word
}

fn length(body: &[u8], shape: &Shape) -> usize {
    body.iter().take_while(|&&byte| (shape.of)(byte)).count()
}

/// Whether this body of so many characters makes a key of what begins so.
type IsKey = fn(&[u8], usize, &Shape) -> bool;

/// A short one of the API's is enough: the rest may have been cut off.
fn is_long(_: &[u8], length: usize, shape: &Shape) -> bool {
    let least = if shape.begins.starts_with("sk-ant-") { shape.least / 2 } else { shape.least };
    length >= least
}

/// Examples and placeholders (`…-xxxxxxxx`, `AKIAAAAAAAAAAAAAAAAA`) are short or made of few characters.
fn is_long_and_mixed(body: &[u8], length: usize, shape: &Shape) -> bool {
    length >= shape.least && body.get(..length.min(LOOK)).is_some_and(is_mixed)
}

fn is_mixed(body: &[u8]) -> bool {
    let (mut seen, mut different) = ([false; 256], 0);
    for &byte in body.iter().take(LOOK) {
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            different += usize::from(!*seen);
            *seen = true;
        }
    }
    different >= MIXED
}

/// How far into a key is looked, and how many characters of it are different ones at least.
const LOOK: usize = 64;
const MIXED: usize = 8;
