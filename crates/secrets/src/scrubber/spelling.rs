//! The ways in which a character is written.

/// Adds to `next` the places behind each spelling of `character` that begins at `at`; tells whether the text ends within one.
///
/// It is itself in either case, its bytes in percent encoding or as `\x2b`, its code as `\u002b`, `\u{2b}`, `&#43;` or
/// `&#x2b;`, the HTML names of five signs, the short escapes of JSON and Rust; each escape may be escaped again.
pub(super) fn of(character: char, text: &[u8], at: usize, next: &mut Vec<usize>) -> bool {
    let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else { return true };
    let mut buffer = [0; 4];
    let raw = character.encode_utf8(&mut buffer).as_bytes();
    let mut open = literal(raw, rest, at, next);
    match rest.first() {
        Some(b'+') if character == ' ' => next.push(at + 1),
        Some(b'%') => {
            for wraps in 0..4 {
                open |= bytes(raw, rest, at, next, |code| percent(code, wraps));
            }
        }
        Some(b'\\') => open |= escaped(character, raw, rest, at, next),
        Some(b'&') => open |= entity(character, rest, at, next),
        _ => {}
    }
    open
}

/// `expected` at the beginning of `rest`, in either case.
fn literal(expected: &[u8], rest: &[u8], at: usize, next: &mut Vec<usize>) -> bool {
    let shown = rest.get(..expected.len()).unwrap_or(rest);
    let same = expected.iter().zip(shown).all(|(one, other)| one.eq_ignore_ascii_case(other));
    if same && shown.len() == expected.len() {
        next.push(at + shown.len());
    }
    same && shown.len() < expected.len()
}

/// Every byte by a code of its own; `one` reads a byte and tells how long its code is.
fn bytes(
    raw: &[u8],
    rest: &[u8],
    at: usize,
    next: &mut Vec<usize>,
    one: impl Fn(&[u8]) -> Option<(u8, usize)>,
) -> bool {
    let mut used = 0;
    for &byte in raw {
        let code = rest.get(used..).unwrap_or_default();
        match one(code) {
            Some((read, length)) if read.eq_ignore_ascii_case(&byte) => used += length,
            Some(_) => return false,
            None => return is_cut(code),
        }
    }
    next.push(at + used);
    false
}

/// `%2b`, or `%252b` where it is wrapped once.
fn percent(code: &[u8], wraps: usize) -> Option<(u8, usize)> {
    let inner = code.strip_prefix(b"%")?.get(..2 * wraps)?;
    let wrapped = inner.chunks(2).all(|pair| pair == b"25");
    let at = 1 + 2 * wraps;
    hex(code, at).filter(|_| wrapped).map(|byte| (byte, at + 2))
}

/// `\x2b`.
fn hexadecimal(code: &[u8]) -> Option<(u8, usize)> {
    let slashes = slashes(code);
    let after = code.get(slashes).filter(|byte| slashes > 0 && **byte == b'x');
    after.and_then(|_| hex(code, slashes + 1)).map(|byte| (byte, slashes + 3))
}

fn escaped(character: char, raw: &[u8], rest: &[u8], at: usize, next: &mut Vec<usize>) -> bool {
    let slashes = slashes(rest);
    let after = rest.get(slashes..).unwrap_or_default();
    if character == '\\' {
        // One, two or four of them, by how often it was escaped.
        next.extend([2, 4, 8].into_iter().filter(|count| *count <= slashes).map(|count| at + count));
    }
    let mut open = after.is_empty();
    let short = match character {
        '\n' => Some(b'n'),
        '\r' => Some(b'r'),
        '\t' => Some(b't'),
        '"' | '\'' | '/' => raw.first().copied(),
        _ => None,
    };
    if short.is_some() && after.first() == short.as_ref() {
        next.push(at + slashes + 1);
    }
    match after.first() {
        Some(b'x') => open |= bytes(raw, rest, at, next, hexadecimal),
        Some(b'u') => open |= unicode(character, rest, at, next),
        _ => {}
    }
    open
}

/// `\u002b`, `\u{2b}`, or two of them for a character beyond the first plane.
fn unicode(character: char, rest: &[u8], at: usize, next: &mut Vec<usize>) -> bool {
    let start = slashes(rest) + 1;
    if rest.get(start) == Some(&b'{') {
        let digits = rest.get(start + 1..).unwrap_or_default();
        let Some(length) = digits.iter().take(7).position(|&byte| byte == b'}') else { return is_cut(rest) };
        if number(digits.get(..length), 16) == Some(character.into()) {
            next.push(at + start + 1 + length + 1);
        }
        return false;
    }
    let mut units = [0; 2];
    let mut used = 0;
    for unit in character.encode_utf16(&mut units) {
        let code = rest.get(used..).unwrap_or_default();
        let start = slashes(code) + 1;
        match number(code.get(start..start + 4), 16) {
            Some(read) if read == u32::from(*unit) => used += start + 4,
            Some(_) => return false,
            None => return is_cut(code),
        }
    }
    next.push(at + used);
    false
}

/// `&#43;`, `&#x2b;`, `&amp;` and its like, and each behind another `&amp;`'s sign.
fn entity(character: char, rest: &[u8], at: usize, next: &mut Vec<usize>) -> bool {
    let mut start = 1;
    while rest.get(start..start + 4) == Some(b"amp;") && start < 13 && character != '&' {
        start += 4;
    }
    let name = rest.get(start..).unwrap_or_default();
    let Some(length) = name.iter().take(9).position(|&byte| byte == b';') else { return is_cut(rest) };
    let read = match name.get(..length).unwrap_or_default() {
        b"quot" => Some('"'.into()),
        b"apos" => Some('\''.into()),
        b"amp" => Some('&'.into()),
        b"lt" => Some('<'.into()),
        b"gt" => Some('>'.into()),
        [b'#', b'x' | b'X', digits @ ..] => number(Some(digits), 16),
        [b'#', digits @ ..] => number(Some(digits), 10),
        _ => None,
    };
    if read == Some(character.into()) {
        next.push(at + start + length + 1);
    }
    false
}

/// Whether it may be an escape that the text ends within: none is longer, and none has a blank.
fn is_cut(code: &[u8]) -> bool {
    code.len() < 24 && !code.iter().any(u8::is_ascii_whitespace)
}

fn slashes(text: &[u8]) -> usize {
    text.iter().take(8).take_while(|byte| **byte == b'\\').count()
}

fn hex(text: &[u8], at: usize) -> Option<u8> {
    number(text.get(at..at + 2), 16).and_then(|byte| byte.try_into().ok())
}

fn number(digits: Option<&[u8]>, radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits?).ok()?;
    // A sign is no digit.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix).ok())?
}
