//! What the server saw and what it answered, for tests to assert on.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::shape::hidden;

/// The journal keeps this many entries; older ones make room.
pub(crate) const MAX_ENTRIES: usize = 10_000;
/// The journal keeps this many bytes of bodies; older entries make room.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// One request as the server saw it, and how it ended.
///
/// An entry is written before the reply leaves, so a client that has its reply finds its entry. It holds
/// credentials as they were sent, for tests to compare; its `Debug` output holds none of them, nor query
/// values, nor bodies.
#[derive(Clone)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the request, from 1, in the order in which they were answered; never used again, not
    /// even after [`clear_journal`](crate::MockServer::clear_journal).
    pub seq: u64,
    /// When it was answered, on the server's own clock since its start.
    pub at: Duration,
    /// The method.
    pub method: Method,
    /// The path as sent, with the path prefix if there is one, without the query.
    pub path: String,
    /// The names and values of the query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// All headers as they arrived.
    pub headers: HeaderMap,
    /// The body; empty if it was refused for its size.
    pub body: Bytes,
    /// The status of the reply.
    pub status: StatusCode,
    /// What the request proved itself with.
    pub credential: Credential,
    /// What the status does not tell, such as `code replayed, family revoked`.
    pub note: Option<&'static str>,
}

impl Entry {
    /// Returns the names in the query, in order.
    #[must_use]
    pub fn query_keys(&self) -> Vec<&str> {
        self.query.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the first query value of this name.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The entry as one JSON object without a secret: names of query and headers and no values, and no body; what has the
    /// shape of a key is taken out of the path and of names.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "seq": self.seq,
            "at_ms": u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX),
            "method": hidden(self.method.as_str()),
            "path": hidden(&self.path),
            "query": self.shown_keys(),
            "headers": self.shown_headers(),
            "body_bytes": self.body.len(),
            "status": self.status.as_u16(),
            "credential": self.credential.name(),
            "note": self.note,
        })
    }

    fn shown_keys(&self) -> Vec<Cow<'_, str>> {
        self.query.iter().map(|(name, _)| hidden(name)).collect()
    }

    fn shown_headers(&self) -> Vec<Cow<'_, str>> {
        self.headers.keys().map(|name| hidden(name.as_str())).collect()
    }

    /// Returns a header as text, or `None` where it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("seq", &self.seq)
            .field("at", &self.at)
            .field("method", &hidden(self.method.as_str()))
            .field("path", &hidden(&self.path))
            .field("query_keys", &self.shown_keys())
            .field("header_names", &self.shown_headers())
            .field("body_bytes", &self.body.len())
            .field("status", &self.status.as_u16())
            .field("credential", &self.credential)
            .field("note", &self.note)
            .finish()
    }
}

/// What a request proved itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// Nothing was sent, or nothing was looked at.
    None,
    /// The server's API key.
    ApiKey,
    /// An OAuth access token that is in force.
    AccessToken,
    /// Something was sent and refused: wrong, expired, revoked, or in a header that does not go with the version.
    Refused,
}

impl Credential {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api_key",
            Self::AccessToken => "access_token",
            Self::Refused => "refused",
        }
    }
}

/// Where entries go as lines, besides the journal itself.
#[derive(Clone, Default)]
pub(crate) struct Lines(pub(crate) Option<Arc<Mutex<dyn Write + Send>>>);

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lines").field(&self.0.is_some()).finish()
    }
}

impl Lines {
    fn write(&self, entry: &Entry) {
        if let Some(lines) = &self.0 {
            let line = entry.to_json().to_string() + "\n";
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            // A full disk is no reason to stop serving; the journal itself has the entry.
            let _ = lines.write_all(line.as_bytes()).and_then(|()| lines.flush());
        }
    }
}

/// The entries, bounded in number and in bytes.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    bytes: usize,
    last_seq: u64,
    lines: Lines,
}

impl Journal {
    pub(crate) fn new(lines: Lines) -> Self {
        Self { lines, ..Self::default() }
    }

    /// Takes the entry and numbers it.
    pub(crate) fn push(&mut self, mut entry: Entry) {
        self.last_seq += 1;
        entry.seq = self.last_seq;
        self.lines.write(&entry);
        compact(&mut entry.headers);
        self.bytes += entry.body.len();
        self.entries.push_back(entry);
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.body.len();
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

/// Copies the values into one piece of memory: as they arrive, each keeps the whole buffer that the connection read into.
fn compact(headers: &mut HeaderMap) {
    let mut all = BytesMut::with_capacity(headers.values().map(HeaderValue::len).sum());
    for value in headers.values() {
        all.extend_from_slice(value.as_bytes());
    }
    let mut all = all.freeze();
    for value in headers.values_mut() {
        let sensitive = value.is_sensitive();
        // The same bytes are a value again.
        if let Ok(copy) = HeaderValue::from_maybe_shared(all.split_to(value.len())) {
            *value = copy;
            value.set_sensitive(sensitive);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", "sk-ant-api03-CANARY".parse().unwrap());
        Entry {
            seq: 0,
            at: Duration::ZERO,
            method: Method::GET,
            path: "/".to_owned(),
            query: vec![("code".to_owned(), "CANARY".to_owned())],
            headers,
            body: Bytes::from_static(b"refresh_token=CANARY"),
            status: StatusCode::OK,
            credential: Credential::None,
            note: None,
        }
    }

    #[test]
    fn a_printed_entry_holds_no_secret() {
        let text = format!("{:?}", entry());
        assert!(text.contains("x-api-key") && text.contains("code"), "{text}");
        assert!(!text.contains("CANARY"), "{text}");
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_shown() {
        let mut entry = entry();
        entry.method = Method::from_bytes(b"sk-ant-CANARY").unwrap();
        entry.path = "/v1/sk-ant-api03-CANARY".to_owned();
        entry.query.push(("sk-ant-api03-CANARY".to_owned(), "1".to_owned()));
        entry.headers.insert("sk-ant-canary", "1".parse().unwrap());
        let texts = format!("{entry:?} {}", entry.to_json());
        assert_eq!(texts.matches("[not shown]").count(), 8, "{texts}");
        assert!(!texts.to_ascii_lowercase().contains("canary"), "{texts}");
    }

    #[test]
    fn old_entries_make_room_and_numbers_go_on() {
        let mut journal = Journal::default();
        for _ in 0..=MAX_ENTRIES {
            journal.push(entry());
        }
        assert_eq!(journal.len(), MAX_ENTRIES);
        assert_eq!(journal.entries()[0].seq, 2);
        journal.clear();
        journal.push(entry());
        assert_eq!(journal.entries()[0].seq, u64::try_from(MAX_ENTRIES).unwrap() + 2);
    }

    #[test]
    fn large_bodies_make_room_sooner() {
        let mut journal = Journal::default();
        for _ in 0..3 {
            journal.push(Entry { body: Bytes::from(vec![0; MAX_BYTES / 2]), ..entry() });
        }
        assert_eq!(journal.len(), 2);
    }

    #[test]
    fn headers_are_kept_as_they_were_and_without_what_they_came_in() {
        let buffer = Bytes::from(vec![b'x'; 8192]);
        let mut headers = HeaderMap::new();
        for (index, name) in ["a", "b", "b", "c"].into_iter().enumerate() {
            let value = HeaderValue::from_maybe_shared(buffer.slice(index..2 * index)).unwrap();
            headers.append(name, value);
        }
        let before = headers.clone();
        compact(&mut headers);
        assert_eq!(headers, before);
        drop(before);
        assert!(buffer.is_unique(), "something still holds the buffer");
    }
}
