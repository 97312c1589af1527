//! Paths and queries, put together so that nothing can leave its place.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::form_urlencoded;

use crate::error::ConfigError;

/// What is escaped in a segment: everything but RFC 3986's `pchar`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// An identifier as one segment of a path: escaped, and refused where a server that takes escapes off twice could be led
/// out of the route by it.
pub(super) fn segment(id: &str) -> Result<Cow<'_, str>, ConfigError> {
    if id.is_empty() || leaves_route(id) {
        return Err(ConfigError::Identifier { value: id.chars().take(80).collect() });
    }
    Ok(utf8_percent_encode(id, ESCAPED).into())
}

/// Whether a server that takes escapes off before it chooses a route may be led out of it.
#[inline]
pub(super) fn leaves_route(path: &str) -> bool {
    let plain = percent_decode_str(path).decode_utf8_lossy();
    plain.contains(char::is_control) || plain.split(['/', '\\']).any(leads_away)
}

/// Whether a server may take this for another folder; what follows a semicolon is a parameter to some.
fn leads_away(part: &str) -> bool {
    matches!(part.split(';').next().unwrap_or_default(), "." | "..") || part.starts_with(';')
}

/// The parameters of a query; several of one name are sent one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Takes the place of what there was of this name.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(known, _)| known != name);
        self.push(name, value);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, value)| known == name && !value.is_empty())
    }

    /// `path` with this query, everything in it escaped: a blank as `%20`, which signatures of requests want.
    pub(crate) fn on(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let pairs = self.0.iter().map(|(name, value)| (name, value));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        // A plus that was meant is `%2B` by now.
        format!("{path}?{}", query.replace('+', "%20"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_leave_its_route() {
        for (id, escaped) in [
            ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"),
            ("anthropic.claude:0@x", "anthropic.claude:0@x"),
            ("a b", "a%20b"),
            ("a/b?x=1#c", "a%2Fb%3Fx=1%23c"),
            ("100%", "100%25"),
            ("%41", "%2541"),
            ("...", "..."),
            ("grün", "gr%C3%BCn"),
        ] {
            assert_eq!(segment(id).unwrap(), escaped);
        }
        for id in [
            "",
            ".",
            "..",
            "%2e%2e",
            ".%2E",
            "..;x",
            ";x",
            "a/../b",
            "a\\..\\b",
            "a%2f..%2fb",
            "a/./b",
            "a\nb",
            "a%0d%0ab",
        ] {
            assert!(segment(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_query_is_escaped_and_a_blank_is_no_plus() {
        let mut query = Query::default();
        assert_eq!(query.on("v1/files"), "v1/files");
        query.push("ids[]", "a b+c");
        query.push("ids[]", "&=#");
        query.push("empty", "");
        assert_eq!(query.on("v1/files"), "v1/files?ids%5B%5D=a%20b%2Bc&ids%5B%5D=%26%3D%23&empty=");
        query.set("ids[]", "one");
        assert_eq!(query.on("p"), "p?empty=&ids%5B%5D=one");
    }
}
