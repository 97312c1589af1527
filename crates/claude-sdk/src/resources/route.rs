//! Paths and queries, put together so that nothing can leave its place.

use url::form_urlencoded;

use crate::error::ConfigError;

/// An identifier as one segment of a path: whatever could leave the route is refused, not escaped.
pub(super) fn segment(id: &str) -> Result<&str, ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'@');
    if id.is_empty() || id.bytes().all(|byte| byte == b'.') || !id.bytes().all(plain) {
        return Err(ConfigError::Identifier { value: id.chars().take(80).collect() });
    }
    Ok(id)
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
        assert!(segment("claude-haiku-4-5-20251001").is_ok());
        for id in ["", ".", "..", "a/b", "a?x=1", "a#b", "%2e%2e", "..;x", "a b", "a\\b"] {
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
