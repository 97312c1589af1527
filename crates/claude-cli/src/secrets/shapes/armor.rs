//! Private keys between their two lines of dashes.

use super::{is_mixed, table::base64_word};

/// How long a private key is that is not plain lines of base64: there are headers before it, or each line is a comment or a
/// string in a program. `body` is what follows its first line.
pub(super) fn armored(body: &[u8]) -> Option<usize> {
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
