//! Faults in what an answer says: its headers, its JSON, the events of its stream.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use crate::body::Body;

/// A change to an answer that was served as ever.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Header(HeaderName, HeaderValue),
    NoHeader(HeaderName),
    /// Ends after so many bytes, as if that were all.
    Truncate(usize),
    /// So many bytes in each piece.
    Chunks(usize),
    /// A member of the JSON object.
    Member(String, Member),
    /// After the end of the JSON.
    Append(String),
    /// A member with so many lists in one another.
    Nest(usize),
    /// Something about the event of this number, from 0.
    Event(usize, Event),
    /// A byte order mark before the first event.
    Mark,
    /// What ends the lines of events.
    LineEnds(LineEnds),
}

#[derive(Clone, Debug)]
pub(crate) enum Member {
    /// This text in place of its value, JSON or not.
    Set(String),
    Remove,
    /// A second member of the same name.
    Repeat(String),
    /// What the request said under this name.
    Echo,
    /// A text of so many bytes.
    Long(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// These bytes come before it.
    Insert(Bytes),
    Drop,
    /// It changes places with the next.
    Swap,
    /// It comes so many times more.
    Again(usize),
    /// The stream ends with an error in its place.
    Error(String),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum LineEnds {
    CarriageReturn,
    Both,
    /// Each in turn.
    Mixed,
}

impl Edit {
    pub(crate) fn apply(self, headers: &mut HeaderMap, body: &mut Body, request: &[u8]) {
        match self {
            Self::Header(name, value) => drop(headers.insert(name, value)),
            Self::NoHeader(name) => drop(headers.remove(name)),
            Self::Truncate(bytes) => body.truncate(bytes),
            Self::Chunks(bytes) => body.chunk(bytes),
            Self::Member(name, member) => rewrite(body, |members| member.apply(&name, members, request)),
            Self::Append(text) => {
                let mut whole = body.take().to_vec();
                whole.extend_from_slice(text.as_bytes());
                body.put(whole);
            }
            Self::Nest(depth) => {
                let nested = "[".repeat(depth) + &"]".repeat(depth);
                rewrite(body, |members| members.push(("nested".to_owned(), nested)));
            }
            Self::Event(number, event) => event.apply(number, body.events()),
            Self::Mark => body.events().push_front(Bytes::from_static(b"\xef\xbb\xbf")),
            Self::LineEnds(ends) => ends.apply(body.events()),
        }
    }
}

/// Writes a JSON object again, by its members as text, so that they can be what no JSON has; anything else stays as it is.
fn rewrite(body: &mut Body, change: impl FnOnce(&mut Vec<(String, String)>)) {
    let whole = body.take();
    let Ok(members) = serde_json::from_slice::<Map<String, Value>>(&whole) else {
        return body.put(whole);
    };
    let mut members = members.into_iter().map(|(name, value)| (name, value.to_string())).collect();
    change(&mut members);
    let members = members.into_iter().map(|(name, text)| format!("{}:{text}", Value::String(name)));
    body.put(format!("{{{}}}", members.collect::<Vec<_>>().join(",")));
}

impl Member {
    fn apply(self, name: &str, members: &mut Vec<(String, String)>, request: &[u8]) {
        let text = match self {
            Self::Set(text) => text,
            Self::Repeat(text) => return members.push((name.to_owned(), text)),
            Self::Remove => return members.retain(|(known, _)| known != name),
            Self::Long(bytes) => Value::String("x".repeat(bytes)).to_string(),
            Self::Echo => {
                let sent = serde_json::from_slice::<Value>(request).ok();
                let sent = sent.and_then(|sent| sent.get(name).cloned()).or_else(|| {
                    let mut form = url::form_urlencoded::parse(request);
                    form.find(|(known, _)| known == name).map(|(_, value)| Value::String(value.into_owned()))
                });
                sent.unwrap_or_default().to_string()
            }
        };
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = text,
            None => members.push((name.to_owned(), text)),
        }
    }
}

impl Event {
    fn apply(self, number: usize, events: &mut VecDeque<Bytes>) {
        let there = number < events.len();
        match self {
            Self::Insert(bytes) => events.insert(number.min(events.len()), bytes),
            Self::Drop if there => drop(events.remove(number)),
            Self::Swap if number + 1 < events.len() => events.swap(number, number + 1),
            Self::Again(times) if there => {
                if let Some(event) = events.get(number).cloned() {
                    let more: Bytes = event.repeat(times).into();
                    events.insert(number + 1, more);
                }
            }
            Self::Error(kind) => {
                events.truncate(number);
                let error = json!({"type": "error", "error": {"type": kind, "message": "the fault that was asked for"}});
                events.push_back(Bytes::from(format!("event: error\ndata: {error}\n\n")));
            }
            Self::Drop | Self::Swap | Self::Again(_) => {}
        }
    }
}

impl LineEnds {
    fn apply(self, events: &mut VecDeque<Bytes>) {
        let mut turn = 0_usize;
        for event in events {
            let mut changed = Vec::with_capacity(event.len() + 8);
            for byte in event.iter().copied() {
                if byte != b'\n' {
                    changed.push(byte);
                    continue;
                }
                turn = (turn + 1) % 3;
                changed.extend_from_slice(match (self, turn) {
                    (Self::CarriageReturn, _) | (Self::Mixed, 1) => b"\r",
                    (Self::Both, _) | (Self::Mixed, 2) => b"\r\n",
                    (Self::Mixed, _) => b"\n",
                });
            }
            *event = changed.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(edit: Edit, body: &str) -> String {
        let mut body = Body::whole(body.to_owned());
        edit.apply(&mut HeaderMap::new(), &mut body, br#"{"b":"sent"}"#);
        String::from_utf8(body.take().to_vec()).unwrap()
    }

    fn streamed(edit: Edit) -> String {
        let mut body = Body::pieces(["a\n\n", "b\n\n", "c\n\n"].map(Bytes::from));
        edit.apply(&mut HeaderMap::new(), &mut body, b"");
        String::from_utf8(body.take().to_vec()).unwrap()
    }

    #[test]
    fn members_become_what_no_json_library_writes() {
        let member = |member| Edit::Member("b".to_owned(), member);
        let cases = [
            (member(Member::Set("1e400".to_owned())), r#"{"a":1,"b":1e400}"#),
            (member(Member::Repeat("3".to_owned())), r#"{"a":1,"b":2,"b":3}"#),
            (member(Member::Remove), r#"{"a":1}"#),
            (member(Member::Echo), r#"{"a":1,"b":"sent"}"#),
            (member(Member::Long(3)), r#"{"a":1,"b":"xxx"}"#),
            (Edit::Append("}".to_owned()), r#"{"a":1,"b":2}}"#),
            (Edit::Nest(2), r#"{"a":1,"b":2,"nested":[[]]}"#),
        ];
        for (edit, text) in cases {
            assert_eq!(edited(edit, r#"{"a":1,"b":2}"#), text);
        }
        assert_eq!(edited(Edit::Nest(1), "no JSON"), "no JSON");
    }

    #[test]
    fn events_are_lost_doubled_moved_and_joined_by_others() {
        let event = |number, event| streamed(Edit::Event(number, event));
        assert_eq!(event(1, Event::Drop), "a\n\nc\n\n");
        assert_eq!(event(1, Event::Swap), "a\n\nc\n\nb\n\n");
        assert_eq!(event(2, Event::Swap), "a\n\nb\n\nc\n\n");
        assert_eq!(event(0, Event::Again(2)), "a\n\na\n\na\n\nb\n\nc\n\n");
        assert_eq!(event(9, Event::Insert(Bytes::from_static(b"x"))), "a\n\nb\n\nc\n\nx");
        assert!(
            event(1, Event::Error("overloaded_error".to_owned())).starts_with("a\n\nevent: error\ndata: {")
        );
        assert_eq!(streamed(Edit::LineEnds(LineEnds::Mixed)), "a\r\r\nb\n\rc\r\n\n");
        assert_eq!(streamed(Edit::Mark).as_bytes()[..4], *b"\xef\xbb\xbfa");
    }
}
