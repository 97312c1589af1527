//! What keys look like.

use memchr::memmem::Finder;

/// A kind of key that is known by how it begins.
struct Shape {
    kind: &'static str,
    begins: &'static str,
    /// What follows: at least so many characters, of these.
    least: usize,
    of: fn(u8) -> bool,
}

const fn shape(kind: &'static str, begins: &'static str, least: usize, of: fn(u8) -> bool) -> Shape {
    Shape { kind, begins, least, of }
}

const SHAPES: [Shape; 22] = [
    shape("Claude API key", "sk-ant-api", 32, wordy),
    shape("Claude admin key", "sk-ant-admin", 32, wordy),
    shape("Claude access token", "sk-ant-oat", 32, wordy),
    shape("Claude refresh token", "sk-ant-ort", 32, wordy),
    shape("Claude session key", "sk-ant-sid", 32, wordy),
    shape("AWS access key", "AKIA", 16, capital),
    shape("AWS access key", "ASIA", 16, capital),
    shape("GitHub token", "ghp_", 36, wordy),
    shape("GitHub token", "gho_", 36, wordy),
    shape("GitHub token", "ghs_", 36, wordy),
    shape("GitHub token", "ghr_", 36, wordy),
    shape("GitHub token", "github_pat_", 60, wordy),
    shape("GitLab token", "glpat-", 20, wordy),
    shape("Google API key", "AIza", 35, wordy),
    shape("npm token", "npm_", 36, wordy),
    shape("OpenAI key", "sk-proj-", 40, wordy),
    shape("PyPI token", "pypi-AgE", 50, wordy),
    shape("Slack token", "xoxb-", 24, wordy),
    shape("Slack token", "xoxp-", 24, wordy),
    shape("Stripe key", "sk_live_", 24, wordy),
    shape("Vault token", "hvs.", 24, wordy),
    // What follows is on the next line.
    shape("private key", "PRIVATE KEY-----", 40, base64),
];

fn wordy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// With the line ends, as they are and as they are written in a string.
fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n' | b'\\')
}

/// Somewhere in a text: which line, and what kind of key. Never the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sight {
    pub(super) line: usize,
    pub(super) kind: &'static str,
}

/// Finds keys in whatever bytes.
pub(super) struct Scanner(Vec<(Finder<'static>, &'static Shape)>);

impl Scanner {
    pub(super) fn new() -> Self {
        Self(SHAPES.iter().map(|shape| (Finder::new(shape.begins), shape)).collect())
    }

    /// The keys in a text, by their lines.
    pub(super) fn scan(&self, text: &[u8]) -> Vec<Sight> {
        let mut sights = Vec::new();
        for (finder, shape) in &self.0 {
            for at in finder.find_iter(text) {
                let (before, rest) = text.split_at_checked(at).unwrap_or((text, &[]));
                let body = rest.get(shape.begins.len()..).unwrap_or_default();
                if is_apart(before, shape) && is_long_and_mixed(body, shape) {
                    let line = memchr::memchr_iter(b'\n', before).count() + 1;
                    sights.push(Sight { line, kind: shape.kind });
                }
            }
        }
        sights.sort_unstable();
        sights.dedup();
        sights
    }
}

/// A key begins where a word does.
fn is_apart(before: &[u8], shape: &Shape) -> bool {
    shape.begins.starts_with("PRIVATE") || !before.last().is_some_and(|&byte| wordy(byte))
}

/// Examples and placeholders (`…-xxxxxxxx`, `AKIAAAAAAAAAAAAAAAAA`) are short or made of few characters.
fn is_long_and_mixed(body: &[u8], shape: &Shape) -> bool {
    let length = body.iter().take_while(|&&byte| (shape.of)(byte)).count();
    let mut seen = [false; 256];
    for &byte in body.iter().take(length.min(LOOK)) {
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            *seen = true;
        }
    }
    length >= shape.least && seen.iter().filter(|&&seen| seen).count() >= MIXED
}

/// How far into a key is looked, and how many characters of it are different ones at least.
const LOOK: usize = 64;
const MIXED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no key stands in this file.
    fn key(shape: &Shape) -> String {
        let letters = b"Q7ZK2M9XW4RB8TJ3";
        let body: String = (0..shape.least).map(|at| char::from(letters[at % letters.len()])).collect();
        match shape.begins.strip_prefix("PRIVATE") {
            Some(rest) => format!("-----BEGIN PRIVATE{rest}\n{body}\n"),
            None => format!("{}{body}", shape.begins),
        }
    }

    #[test]
    fn every_shape_is_found_on_its_line_whatever_is_around_it() {
        let scanner = Scanner::new();
        for shape in &SHAPES {
            let key = key(shape);
            for text in [
                key.clone(),
                format!("first\r\nexport KEY=\"{key}\"\nlast"),
                format!("\u{0}\u{ff}\n({key})"),
                format!("{{\"key\":\"{key}\"}}"),
            ] {
                let line = text[..text.find(shape.begins).unwrap()].matches('\n').count() + 1;
                assert_eq!(
                    scanner.scan(text.as_bytes()),
                    [Sight { line, kind: shape.kind }],
                    "{}",
                    shape.begins
                );
            }
        }
    }

    #[test]
    fn examples_and_parts_of_words_are_no_keys() {
        let scanner = Scanner::new();
        for shape in &SHAPES {
            let key = key(shape);
            let short = &key[..key.trim_end().len() - 2];
            let dull = format!("{}{}", shape.begins, "x".repeat(80));
            let mut texts = vec![short.to_owned(), dull, format!("{}...", shape.begins)];
            if !shape.begins.starts_with("PRIVATE") {
                texts.push(format!("mas{key}"));
            }
            for text in texts {
                assert!(scanner.scan(text.as_bytes()).is_empty(), "{}", shape.begins);
            }
        }
    }
}
