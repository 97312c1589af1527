//! What has the shape of a key, taken out of texts that are shown: somebody may have put one where a path or a name belongs.

use std::borrow::Cow;

/// What stands in the place of a key.
pub(crate) const MARK: &str = "[not shown]";

/// How keys and tokens of the service begin, and the codes and secrets of this server, in small letters as names of headers are.
const BEGINS: [&str; 4] = ["sk-ant-", "canarycode_", "canarysecret_", "canarydevice_"];

/// The text without what has the shape of a key, to the next slash, blank or quotation mark; where there is one, what was percent-encoded is decoded.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    let plain = decoded(text);
    let mut rest = plain.as_str();
    let mut shown = String::new();
    while let Some(start) = begin(rest) {
        let (before, key) = rest.split_at(start);
        shown.extend([before, MARK]);
        rest = key.find(ends).map_or("", |end| &key[end..]);
    }
    if shown.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(shown + rest) }
}

fn ends(letter: char) -> bool {
    letter.is_whitespace() || "/`'\"".contains(letter)
}

fn begin(text: &str) -> Option<usize> {
    let small = text.to_ascii_lowercase();
    BEGINS.iter().filter_map(|begins| small.find(begins)).min()
}

/// Without percent encoding, however often it was done.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        bytes.push(byte);
        while let [.., b'%', high, low] = bytes[..]
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            bytes.truncate(bytes.len() - 3);
            bytes.push(high * 16 + low);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hidden_wherever_it_stands_and_however_it_is_written() {
        for (text, shown) in [
            ("/v1/sk-ant-api03-SECRET", "/v1/[not shown]"),
            ("/v1/sk-ant-api03-SECRET/a%20b", "/v1/[not shown]/a b"),
            ("string \"sk-ant-SECRET\", expected", "string \"[not shown]\", expected"),
            ("/x-sk-ant-a/SK-ANT-b/c", "/x-[not shown]/[not shown]/c"),
            ("/%73k%2dant%2Dapi03-SECRET", "/[not shown]"),
            ("%252573k-ant-SECRET", "[not shown]"),
            ("/canarycode_SECRET", "/[not shown]"),
        ] {
            assert_eq!(hidden(text), shown, "{text}");
        }
        for text in ["/v1/models/a%20b", "/sk-an", "%", "%zz", "/canary", "/ä%C3%A4"] {
            assert_eq!(hidden(text), text);
        }
    }
}
