//! What keys look like.

use std::ops::Range;

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

const SHAPES: [Shape; 59] = [
    shape("Claude API key", "sk-ant-api", 32, wordy),
    shape("Claude admin key", "sk-ant-admin", 32, wordy),
    shape("Claude access token", "sk-ant-oat", 32, wordy),
    shape("Claude refresh token", "sk-ant-ort", 32, wordy),
    shape("Claude session key", "sk-ant-sid", 32, wordy),
    shape("AWS access key", "AKIA", 16, capital),
    shape("AWS access key", "ASIA", 16, capital),
    shape("AWS access key", "ABIA", 16, capital),
    shape("AWS access key", "ACCA", 16, capital),
    shape("GitHub token", "ghp_", 36, wordy),
    shape("GitHub token", "gho_", 36, wordy),
    shape("GitHub token", "ghs_", 36, wordy),
    shape("GitHub token", "ghr_", 36, wordy),
    shape("GitHub token", "ghu_", 36, wordy),
    shape("GitHub token", "github_pat_", 60, wordy),
    shape("GitLab token", "glpat-", 20, wordy),
    shape("GitLab token", "glrt-", 20, wordy),
    shape("GitLab token", "gldt-", 20, wordy),
    shape("GitLab token", "glptt-", 20, wordy),
    shape("GitLab token", "glcbt-", 20, wordy),
    shape("GitLab token", "glsoat-", 20, wordy),
    shape("GitLab token", "glft-", 20, wordy),
    shape("Google API key", "AIza", 35, wordy),
    shape("Google client secret", "GOCSPX-", 20, wordy),
    shape("Google access token", "ya29.", 30, wordy),
    shape("npm token", "npm_", 36, wordy),
    shape("OpenAI key", "sk-proj-", 40, wordy),
    shape("OpenAI key", "sk-svcacct-", 40, wordy),
    shape("OpenAI key", "sk-admin-", 40, wordy),
    shape("OpenAI key", "sk-None-", 40, wordy),
    shape("OpenAI key", OPENAI, 20, wordy),
    shape("PyPI token", "pypi-AgE", 50, wordy),
    shape("Slack token", "xoxb-", 24, wordy),
    shape("Slack token", "xoxp-", 24, wordy),
    shape("Slack token", "xoxa-", 24, wordy),
    shape("Slack token", "xoxr-", 24, wordy),
    shape("Slack token", "xoxs-", 24, wordy),
    shape("Slack token", "xoxe-", 24, wordy),
    shape("Slack token", "xapp-", 24, wordy),
    shape("Slack webhook", "hooks.slack.com/services/", 40, of_path),
    shape("Slack webhook", "hooks.slack.com/triggers/", 40, of_path),
    shape("Slack webhook", "hooks.slack.com/workflows/", 40, of_path),
    // As JSON may write it.
    shape("Slack webhook", "hooks.slack.com\\/services\\/", 40, of_escaped_path),
    shape("Slack webhook", "hooks.slack.com\\/triggers\\/", 40, of_escaped_path),
    shape("Slack webhook", "hooks.slack.com\\/workflows\\/", 40, of_escaped_path),
    shape("Stripe key", "sk_live_", 24, wordy),
    shape("Stripe key", "rk_live_", 24, wordy),
    shape("Stripe key", "sk_test_", 24, wordy),
    shape("Stripe key", "rk_test_", 24, wordy),
    shape("webhook signing key", "whsec_", 24, base64_word),
    shape("Vault token", "hvs.", 24, wordy),
    shape("Vault token", "hvb.", 24, wordy),
    shape("Vault token", "hvr.", 24, wordy),
    // What follows is on the next line.
    shape("private key", "PRIVATE KEY-----", 40, base64),
    shape("private key", "PRIVATE KEY BLOCK-----", 40, base64),
    shape("private key", "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED", 20, header),
    shape("private key", "PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED", 20, header),
    shape("private key", "PRIVATE KEY-----\\nProc-Type: 4,ENCRYPTED", 20, header),
    shape("private key", "PRIVATE KEY-----\\r\\nProc-Type: 4,ENCRYPTED", 20, header),
];

/// In the middle of older keys of `OpenAI`, which begin as others do.
const OPENAI: &str = "T3BlbkFJ";

fn wordy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn of_path(byte: u8) -> bool {
    wordy(byte) || byte == b'/'
}

fn of_escaped_path(byte: u8) -> bool {
    of_path(byte) || byte == b'\\'
}

fn base64_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// With the line ends, as they are and as they are written in a string, and with what sets lines in.
fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n' | b'\\' | b' ' | b'\t')
}

/// What is before an encrypted key.
fn header(byte: u8) -> bool {
    base64(byte) || matches!(byte, b':' | b',' | b'-')
}

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

/// How long a private key is that is not plain lines of base64: there are headers before it, or each line is a comment or a
/// string in a program. `body` is what follows its first line.
fn armored(body: &[u8]) -> Option<usize> {
    const NEAR: usize = 1024;
    let near = body.get(..body.len().min(NEAR))?;
    let mut at = 0;
    loop {
        let line = near.get(at..)?;
        let end = line_end(line);
        match kind_of_line(line.get(..end)?) {
            Line::Key => break,
            Line::Other => return None,
            Line::Between if end == line.len() => return None,
            Line::Between => at += end + 1 + usize::from(line.get(end) == Some(&b'\\')),
        }
    }
    let whole = body.get(..body.len().min(NEAR * 16))?;
    Some(memchr::memmem::find(whole, b"-----END").unwrap_or(near.len()))
}

/// Where a line ends, or what is one in a string: `\\n`, `\\r`.
fn line_end(text: &[u8]) -> usize {
    let is_end = |pair: &[u8]| matches!(pair, [b'\n' | b'\r', ..] | [b'\\', b'n' | b'r']);
    text.windows(2).position(is_end).unwrap_or(text.len())
}

/// What a line between the first and the last of a private key is.
enum Line {
    Key,
    /// Nothing, or a header.
    Between,
    Other,
}

fn kind_of_line(line: &[u8]) -> Line {
    let mut words: Vec<&[u8]> = line.split(|&byte| !base64_word(byte)).collect();
    words.retain(|word| word.iter().any(u8::is_ascii_alphanumeric));
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    match words.split_first() {
        None => Line::Between,
        // What is beside it is the beginning of a string: `b"`, `rb"`.
        Some((longest, others))
            if longest.len() >= 40 && is_mixed(longest) && others.iter().all(|other| other.len() <= 2) =>
        {
            Line::Key
        }
        Some(_) if line.contains(&b':') => Line::Between,
        // The first line has nothing more, but for what ends a string and begins the next.
        Some((longest, _)) if longest.len() <= 2 => Line::Between,
        Some(_) => Line::Other,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no key stands in this file.
    fn key(shape: &Shape) -> String {
        let letters = b"Q7ZK2M9XW4RB8TJ3";
        let body: String = (0..shape.least).map(|at| char::from(letters[at % letters.len()])).collect();
        match (shape.begins.strip_prefix("PRIVATE"), shape.begins) {
            (Some(rest), _) => format!("-----BEGIN PRIVATE{rest}\n{body}\n"),
            (None, OPENAI) => format!("sk-{body}{OPENAI}{body}"),
            (None, begins) => format!("{begins}{body}"),
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
                let begins = if shape.begins == OPENAI { "sk-" } else { shape.begins };
                let line = text[..text.find(begins).unwrap()].matches('\n').count() + 1;
                assert_eq!(
                    scanner.scan(text.as_bytes()),
                    [Sight { line, kind: shape.kind }],
                    "{}",
                    shape.begins
                );
            }
        }
    }

    /// As they are met, and not made of the table above: a shape that is missing there is missed here.
    #[test]
    fn keys_of_the_wild_are_found() {
        let body = "Q7ZK2M9XW4RB8TJ3".repeat(6);
        let (scanner, pem) = (Scanner::new(), format!("{body}\n{body}"));
        for text in [
            format!("{{\"cell\": \"KEY\\nsk-ant-{}03-{body}\"}}", "api"),
            format!("https://example/?key%3Dsk-ant-{}01-{body}", "oat"),
            format!("MY_KEY_sk-ant-{}01-{body}", "admin"),
            format!("Bearer-gh{}_{body}", "u"),
            format!("tls.key: |\n    -----BEGIN {} KEY-----\n    {pem}", "PRIVATE"),
            format!(
                "-----BEGIN RSA {} KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B2C3D4E\n",
                "PRIVATE"
            ),
            format!("-----BEGIN PGP {} KEY BLOCK-----\n\n{pem}", "PRIVATE"),
            format!("sk-{}-{body}", "svcacct"),
            format!("rk_{}_{body}", "live"),
            format!("GOC{}-{body}", "SPX"),
            format!("hv{}.{body}", "b"),
            format!("OPENAI_API_KEY=sk-{}T3Blbk{}{}", &body[..20], "FJ", &body[..20]),
            format!("sk-{}-{}T3Blbk{}{}", "proj", &body[..60], "FJ", &body[..60]),
            format!("Authorization: Bearer ya{}.a0{body}", "29"),
            format!("https://hooks.slack.{}/services/T0Q7ZK2M9/B0XW4RB8TJ/{}", "com", &body[..24]),
            format!("whs{}_{}", "ec", "Q7ZK2M9XW4RB8TJ3a+b/cdefQ7ZK2M=="),
            format!("gl{}-{}", "dt", &body[..20]),
            format!(
                "-----BEGIN RSA {} KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,0A1B\r\n",
                "PRIVATE"
            ),
            format!(
                "\"-----BEGIN RSA {} KEY-----\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-128-CBC,0A1B\\n",
                "PRIVATE"
            ),
            format!(
                "-----BEGIN PGP {} KEY BLOCK-----\nVersion: GnuPG v2.0.22 (GNU/Linux)\nComment: https://x.example\n\n{pem}",
                "PRIVATE"
            ),
            format!("-----BEGIN PGP {} KEY BLOCK-----\r\nVersion: GnuPG v2\r\n\r\n{pem}", "PRIVATE"),
            format!(
                "\"-----BEGIN {} KEY-----\\n\"\n    \"{}\\n\"\n    \"{}\\n\"",
                "PRIVATE",
                &body[..64],
                &body[..64]
            ),
            format!("'-----BEGIN EC {} KEY-----\\n' +\n    '{}\\n' +\n", "PRIVATE", &body[..64]),
            format!("(b\"-----BEGIN {} KEY-----\\n\"\n    b\"{}\\n\"", "PRIVATE", &body[..64]),
            format!("# -----BEGIN {} KEY-----\n# {}\n# {}\n", "PRIVATE", &body[..64], &body[..64]),
            format!("// -----BEGIN {} KEY-----\r\n// {}\r\n", "PRIVATE", &body[..64]),
            format!("xox{}-{}", "a", &body[..40]),
            format!("xox{}-{}", "r", &body[..40]),
            format!("xox{}-{}", "s", &body[..40]),
            format!("xox{}-1-{}", "e", &body[..40]),
            format!("gl{}-64_{}", "cbt", &body[..20]),
            format!("gl{}-{}", "soat", &body[..20]),
            format!("gl{}-{}", "ft", &body[..20]),
            format!("s{}_{}", "k_test", &body[..24]),
            format!("r{}_{}", "k_test", &body[..24]),
            format!("hv{}.{}", "r", &body[..40]),
            format!("sk-{}-{}", "None", &body[..48]),
            format!("AB{}{}", "IA", &body[..16]),
            format!("AC{}{}", "CA", &body[..16]),
            format!(
                "\"https:\\/\\/hooks.slack.{}\\/services\\/T0Q7ZK2M9\\/B0XW4RB8TJ\\/{}\"",
                "com",
                &body[..24]
            ),
        ] {
            assert_eq!(scanner.scan(text.as_bytes()).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_first_line_of_a_private_key_is_none() {
        let (scanner, begin) = (Scanner::new(), format!("-----BEGIN {} KEY-----", "PRIVATE"));
        let long = "Q7ZK2M9XW4RB8TJ3".repeat(4);
        for text in [
            format!("it begins with `{begin}` and ends;\n{long}"),
            format!("let begin = \"{begin}\";\nlet hash = \"{long}\";\n"),
            format!("# {begin}\n# and so on\n# {long}"),
        ] {
            assert!(scanner.scan(text.as_bytes()).is_empty(), "{text}");
        }
    }

    /// Each of these begins a key in whose body all the others are: measured one by one, a megabyte takes hours here.
    #[test]
    fn a_text_of_nothing_but_beginnings_is_looked_at_once() {
        let scanner = Scanner::new();
        let dull = "ghp_".repeat(1 << 18);
        assert!(scanner.scan(dull.as_bytes()).is_empty());
        let key = key(&SHAPES[9]);
        let lines = format!("{key}\n").repeat(1 << 10);
        let sights = scanner.scan(lines.as_bytes());
        assert_eq!((sights.len(), sights.last().map(|last| last.line)), (1 << 10, Some(1 << 10)));
    }

    #[test]
    fn keys_in_utf_16_are_found_wherever_they_begin() {
        let scanner = Scanner::new();
        let text = format!("first\r\n\u{e9}\u{2014}KEY={}\r\n", key(&SHAPES[0]));
        let found = [Sight { line: 2, kind: SHAPES[0].kind }];
        for before in [&b""[..], b"\xff\xfe", b"x", b"odd"] {
            let units = || text.encode_utf16();
            let little: Vec<u8> = before.iter().copied().chain(units().flat_map(u16::to_le_bytes)).collect();
            let big: Vec<u8> = before.iter().copied().chain(units().flat_map(u16::to_be_bytes)).collect();
            assert_eq!(scanner.scan(&little), found, "{before:?}");
            assert_eq!(scanner.scan(&big), found, "{before:?}");
        }
        // Words that a table of a program has one after the other are no key.
        let table: Vec<u8> =
            key(&SHAPES[0]).bytes().collect::<Vec<_>>().chunks(5).collect::<Vec<_>>().join(&0);
        assert!(scanner.scan(&table).is_empty());
    }

    #[test]
    fn a_text_to_be_shown_has_no_key_in_it() {
        let scanner = Scanner::new();
        let [first, second] = [&SHAPES[0], &SHAPES[7]].map(key);
        assert_eq!(scanner.masked(&format!("a/{first}.txt and {second} é")), "a/[key].txt and [key] é");
        assert_eq!(scanner.masked("nothing é"), "nothing é");
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
