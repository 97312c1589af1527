//! From raw bytes to a secret: what is trimmed, and what is refused.

use secrecy::{SecretString, zeroize::Zeroizing};

use crate::{ErrorKind, Secret};

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads a secret out of `raw`; `None` where nothing is left of it.
///
/// A byte order mark at the start and one newline (LF or CRLF) at the end are taken off and flagged.
pub(crate) fn parse(raw: Vec<u8>) -> Result<Option<Secret>, ErrorKind> {
    let raw = Zeroizing::new(raw);
    let whole = std::str::from_utf8(&raw).map_err(|_| ErrorKind::NotText)?;
    let text = whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(whole);
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if text.contains(['\n', '\r']) {
        return Err(ErrorKind::Newline);
    }
    if text.contains(char::is_control) {
        return Err(ErrorKind::ControlCharacter);
    }
    if text.is_empty() {
        return Ok(None);
    }
    let secret = Secret::from(SecretString::from(text));
    Ok(Some(secret.with_trimmed(text.len() < whole.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(raw: &[u8]) -> Result<Option<(String, bool)>, ErrorKind> {
        let secret = parse(raw.to_vec())?;
        Ok(secret.map(|secret| (secret.expose().to_owned(), secret.was_trimmed())))
    }

    #[test]
    fn plain_text_is_taken_as_it_is() {
        for text in ["sk-1", " spaces stay ", "ünïcödé"] {
            assert_eq!(parsed(text.as_bytes()), Ok(Some((text.to_owned(), false))));
        }
    }

    #[test]
    fn one_newline_and_a_byte_order_mark_are_trimmed_and_flagged() {
        for raw in ["key\n", "key\r\n", "\u{feff}key", "\u{feff}key\r\n"] {
            assert_eq!(parsed(raw.as_bytes()), Ok(Some(("key".to_owned(), true))), "{raw:?}");
        }
    }

    #[test]
    fn nothing_and_a_lone_newline_are_no_secret() {
        for raw in ["", "\n", "\r\n", "\u{feff}", "\u{feff}\n"] {
            assert_eq!(parsed(raw.as_bytes()), Ok(None), "{raw:?}");
        }
    }

    #[test]
    fn a_newline_anywhere_else_is_refused() {
        for raw in ["key\n\n", "a\nb", "\nkey", "a\r\nb\r\n", "key\r", "key\r\r\n"] {
            assert_eq!(parsed(raw.as_bytes()), Err(ErrorKind::Newline), "{raw:?}");
        }
    }

    #[test]
    fn control_characters_and_other_bytes_are_refused() {
        for raw in ["a\tb", "a\0", "\u{1b}[31m", "a\u{7f}", "a\u{85}b"] {
            assert_eq!(parsed(raw.as_bytes()), Err(ErrorKind::ControlCharacter), "{raw:?}");
        }
        for raw in [&b"\xff\xfek\0e\0y\0"[..], b"key\xc3", b"\xed\xa0\x80"] {
            assert_eq!(parsed(raw), Err(ErrorKind::NotText), "{raw:?}");
        }
    }
}
