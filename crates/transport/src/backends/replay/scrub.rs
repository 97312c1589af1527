//! What is taken out of a recording before anyone sees it.

use std::{collections::BTreeSet, ops::Range};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use serde_json::Value;

use super::cassette::{Content, Interaction};
use crate::Request;

/// Stands where something was.
pub(super) const SCRUBBED: &str = "[scrubbed]";

/// Headers whose whole value goes.
const HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
];

/// Members and fields whose values are secrets (RFC 6749, RFC 7521, RFC 7636, RFC 8628, RFC 8693).
const NAMES: [&str; 11] = [
    "access_token",
    "api_key",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "device_code",
    "id_token",
    "password",
    "refresh_token",
    "subject_token",
];
/// Those that are secrets in a query, or where something is granted, and common words elsewhere.
const NAMES_THERE: [&str; 3] = ["code", "key", "token"];

/// How a key or token of the service begins.
const SHAPE: &[u8] = b"sk-ant-";

/// Anything shorter would be found in too many places.
const SHORTEST: usize = 6;

/// Values that are taken out wherever they are.
#[derive(Clone, Default)]
pub(super) struct Secrets(BTreeSet<Vec<u8>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Adds a value, as it is, as it would be in a URL and as it would be in JSON.
    pub(super) fn add(&mut self, value: &[u8]) {
        if value.len() < SHORTEST || value == SCRUBBED.as_bytes() {
            return;
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let encoded = value
            .iter()
            .flat_map(|byte| if plain(byte) { vec![*byte] } else { format!("%{byte:02X}").into_bytes() });
        self.0.insert(encoded.collect());
        if let Ok(json) = serde_json::to_string(&String::from_utf8_lossy(value)) {
            let within = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
            self.0.insert(within.into());
        }
        self.0.insert(value.to_vec());
    }

    /// Adds what a request gives away by the names it uses.
    pub(super) fn learn(&mut self, request: &Request) {
        self.learn_headers(request.headers());
        if let Some(query) = request.uri().query() {
            self.learn_fields(query, true);
        }
        self.learn_body(request.body());
    }

    pub(super) fn learn_headers(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            if HEADERS.contains(name) {
                // `Bearer x`, and each `name=x` of a cookie.
                for word in value.as_bytes().split(|byte| b" ;,".contains(byte)) {
                    let word = word.splitn(2, |byte| *byte == b'=').last().unwrap_or_default();
                    self.add(word);
                }
                self.add(value.as_bytes());
            }
        }
    }

    pub(super) fn learn_body(&mut self, body: &[u8]) {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => self.learn_members(&value),
            Err(_) => {
                if let Ok(text) = std::str::from_utf8(body) {
                    self.learn_fields(text, text.contains("grant_type="));
                }
            }
        }
    }

    fn learn_members(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                let grants = members.contains_key("grant_type");
                for (name, value) in members {
                    match value {
                        Value::String(text) if is_secret(name, grants) => self.add(text.as_bytes()),
                        value => self.learn_members(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.learn_members(value)),
            _ => {}
        }
    }

    fn learn_fields(&mut self, form: &str, grants: bool) {
        for field in form.split('&') {
            if let Some((name, value)) = field.split_once('=')
                && is_secret(name, grants)
            {
                self.add(value.as_bytes());
            }
        }
    }

    pub(super) fn scrub_interaction(&self, interaction: &mut Interaction) {
        interaction.target = self.text(&interaction.target);
        interaction.body = self.content(&interaction.body);
        self.scrub_headers(&mut interaction.headers);
        interaction.pieces = self.pieces(&interaction.pieces);
    }

    /// Path and query of a request, as they are kept and compared.
    pub(super) fn target(&self, uri: &Uri) -> String {
        self.text(uri.path_and_query().map_or("/", |target| target.as_str()))
    }

    pub(super) fn content(&self, content: &Content) -> Content {
        match content {
            Content::Json(value) => Content::Json(self.value(value)),
            Content::Bytes(bytes) => Content::Bytes(self.bytes(bytes)),
        }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (self.text(name), self.value(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn scrub_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in headers.iter_mut() {
            let kept = match HEADERS.contains(name) {
                true => Bytes::from_static(SCRUBBED.as_bytes()),
                false => self.bytes(value.as_bytes()),
            };
            // Less than what was a header value is one.
            *value = HeaderValue::from_maybe_shared(kept).unwrap_or(HeaderValue::from_static(SCRUBBED));
        }
    }

    fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    fn bytes(&self, bytes: &[u8]) -> Bytes {
        self.pieces(&[Bytes::copy_from_slice(bytes)]).pop().unwrap_or_default()
    }

    /// Takes secrets out of what the pieces say together, and leaves the cuts between them where they are.
    fn pieces(&self, pieces: &[Bytes]) -> Vec<Bytes> {
        let all = pieces.concat();
        let found = self.find(&all);
        let mut found = found.iter().peekable();
        let mut start = 0;
        let mut scrubbed = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let end = start + piece.len();
            let mut kept = Vec::with_capacity(piece.len());
            let mut at = start;
            while let Some(range) = found.peek().filter(|range| range.start < end) {
                kept.extend_from_slice(all.get(at..range.start).unwrap_or_default());
                if range.start >= start {
                    kept.extend_from_slice(SCRUBBED.as_bytes());
                }
                at = range.end.min(end);
                if range.end > end {
                    break;
                }
                found.next();
            }
            kept.extend_from_slice(all.get(at..end).unwrap_or_default());
            scrubbed.push(Bytes::from(kept));
            start = end;
        }
        scrubbed
    }

    /// Where secrets are, in order, none within another.
    fn find(&self, all: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for secret in &self.0 {
            found.extend(memchr::memmem::find_iter(all, secret).map(|start| start..start + secret.len()));
        }
        for start in memchr::memmem::find_iter(all, SHAPE) {
            let rest = all.get(start..).unwrap_or_default();
            let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
            let length = rest.iter().take_while(|byte| part(byte)).count();
            if length > SHAPE.len() {
                found.push(start..start + length);
            }
        }
        found.sort_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }
}

fn is_secret(name: &str, grants: bool) -> bool {
    NAMES.contains(&name) || grants && NAMES_THERE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_across_every_cut_and_the_cuts_stay() {
        let mut secrets = Secrets::default();
        secrets.add(b"hunter22");
        let text = b"one hunter22 two sk-ant-abc_D-1, three hunter2";
        for first in 0..text.len() {
            for second in first..text.len() {
                let pieces =
                    [&text[..first], &text[first..second], &text[second..]].map(Bytes::copy_from_slice);
                let scrubbed = secrets.pieces(&pieces);
                assert_eq!(scrubbed.len(), 3);
                assert_eq!(
                    scrubbed.concat(),
                    b"one [scrubbed] two [scrubbed], three hunter2",
                    "{first} {second}"
                );
            }
        }
    }

    #[test]
    fn a_secret_that_ends_in_a_quote_leaves_json_json() {
        let mut secrets = Secrets::default();
        secrets.add(br#"abcdef""#);
        assert_eq!(secrets.text(r#"{"a":"abcdef\"","b":1}"#), r#"{"a":"[scrubbed]","b":1}"#);
    }

    #[test]
    fn what_a_request_calls_a_secret_is_one_everywhere() {
        let body = r#"{"grant":{"refresh_token":"r-123456/7"},"note":"see r-123456/7"}"#;
        let request = http::Request::post("https://h/token?code=abcdef%2F&x=y")
            .header("authorization", "Bearer opaque-credential")
            .header("cookie", "sid=cookie-value; other=second-value")
            .body(Bytes::from(body))
            .unwrap();
        let mut secrets = Secrets::default();
        secrets.learn(&request);
        let text = "r-123456/7 r-123456%2F7 opaque-credential cookie-value second-value abcdef%2F";
        assert_eq!(secrets.text(text).replace(SCRUBBED, "").trim(), "", "{}", secrets.text(text));
        assert_eq!(secrets.target(request.uri()), "/token?code=[scrubbed]&x=y");
    }
}
