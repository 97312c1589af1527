//! One form of a secret, and how it is found.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use secrecy::zeroize::Zeroizing;

use super::{SHORTEST, spelling};

/// How much of a secret is watched for, in bytes.
const LONGEST: usize = 4096;

/// Of a longer secret than this, in characters, half is enough.
const HALVED: usize = 24;

/// How many blanks there may be between two numbers.
const MOST_BLANKS: usize = 64;

/// A form of a secret: as it is, or encoded as a whole.
#[derive(PartialEq)]
pub(super) struct Needle {
    form: Form,
    characters: Zeroizing<Vec<char>>,
    /// How many of the characters are a find.
    enough: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    Base64,
    /// Numbers parted by commas and any blanks.
    Numbers,
}

/// How far a text is a secret from a place on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reach {
    /// Where it ends, if enough of it is there.
    pub(super) end: Option<usize>,
    /// Whether it may go on behind the end of the text.
    pub(super) open: bool,
}

/// The forms of a secret, itself first.
pub(super) fn all(secret: &str) -> Vec<Needle> {
    let mut length = secret.len().min(LONGEST);
    while !secret.is_char_boundary(length) {
        length -= 1;
    }
    let secret = secret.get(..length).unwrap_or_default();
    // Room for all of it, so that nothing is copied and left behind.
    let mut hex = Zeroizing::new(String::with_capacity(secret.len() * 2));
    let mut numbers = Zeroizing::new(String::with_capacity(secret.len() * 5));
    for byte in secret.bytes() {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        let parted = if numbers.is_empty() { "" } else { ", " };
        let _ = write!(numbers, "{parted}{byte}");
    }
    let mut needles = vec![
        Needle::new(Form::Plain, secret),
        Needle::new(Form::Plain, &hex),
        Needle::new(Form::Numbers, &numbers),
    ];
    // Inside a longer text the encoding begins at any of three places, and its edges belong to the neighbours.
    for (before, skipped) in [("", 0), ("x", 2), ("xx", 3)] {
        let whole = Zeroizing::new(format!("{before}{secret}"));
        let encoded = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(whole.as_bytes()));
        let kept = if whole.len().is_multiple_of(3) { encoded.len() } else { encoded.len() - 1 };
        needles.push(Needle::new(Form::Base64, encoded.get(skipped..kept).unwrap_or_default()));
    }
    needles
}

impl Needle {
    fn new(form: Form, text: &str) -> Self {
        let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
        characters.extend(text.chars());
        let length = characters.len();
        Self { form, characters, enough: if length < HALVED { length } else { length.div_ceil(2) } }
    }

    /// The bytes with which it may begin in a text.
    pub(super) fn begins(&self) -> Vec<u8> {
        let Some(&first) = self.characters.first() else { return Vec::new() };
        let mut buffer = [0; 4];
        let byte = first.encode_utf8(&mut buffer).bytes().next().unwrap_or_default();
        let mut bytes = vec![byte.to_ascii_lowercase(), byte.to_ascii_uppercase(), b'%', b'\\', b'&'];
        match (self.form, first) {
            (Form::Base64, '+' | '-') => bytes.extend(*b"+-"),
            (Form::Base64, '/' | '_') => bytes.extend(*b"/_"),
            (_, ' ') => bytes.push(b'+'),
            _ => {}
        }
        bytes.sort_unstable();
        bytes.dedup();
        bytes
    }

    /// Follows the text from `at` on as long as it spells this.
    pub(super) fn reach(&self, text: &[u8], at: usize) -> Reach {
        let mut reach = Reach { end: None, open: false };
        // Where the next character may begin: more than one place where a sign is itself or begins an escape.
        let (mut places, mut next) = (vec![at], Vec::new());
        for (done, &character) in self.characters.iter().enumerate() {
            next.clear();
            for &place in &places {
                let blank = self.form == Form::Numbers && character == ' ';
                reach.open |= if blank {
                    blanks(text, place, &mut next)
                } else {
                    let mut open = spelling::of(character, text, place, &mut next);
                    if let Some(twin) = self.twin(character) {
                        open |= spelling::of(twin, text, place, &mut next);
                    }
                    open
                };
            }
            next.sort_unstable();
            next.dedup();
            next.truncate(8);
            std::mem::swap(&mut places, &mut next);
            let Some(&end) = places.last() else { break };
            if done + 1 >= self.enough {
                reach.end = Some(end);
            }
        }
        reach
    }

    /// The other character that base64url has in the place of one.
    fn twin(&self, character: char) -> Option<char> {
        match (self.form, character) {
            (Form::Base64, '+') => Some('-'),
            (Form::Base64, '/') => Some('_'),
            _ => None,
        }
    }
}

/// Any blanks, or none: how numbers are parted differs.
fn blanks(text: &[u8], at: usize, next: &mut Vec<usize>) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let count = rest.iter().take(MOST_BLANKS).take_while(|byte| byte.is_ascii_whitespace()).count();
    next.push(at + count);
    count == rest.len()
}

const _: () = assert!(SHORTEST < HALVED, "short secrets are found whole");
