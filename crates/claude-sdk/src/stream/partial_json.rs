//! JSON that has not arrived in full: the arguments of a call of a tool, while they are streamed.
//!
//! ```
//! use claude_sdk::stream::{CutString, partial_json};
//! use serde_json::json;
//!
//! let arrived = r#"{"city": "Ghent", "days": [1, 2, 3], "unit": "cel"#;
//! let shown = partial_json::parse(arrived, CutString::Drop)?;
//! assert_eq!(shown, Some(json!({"city": "Ghent", "days": [1, 2, 3]})));
//! let shown = partial_json::parse(arrived, CutString::Keep)?;
//! assert_eq!(shown, Some(json!({"city": "Ghent", "days": [1, 2, 3], "unit": "cel"})));
//! # Ok::<(), claude_sdk::stream::NotJson>(())
//! ```

use serde_json::{Map, Value};

/// What becomes of a text at which the JSON was cut off.
///
/// Example: [`partial_json`](crate::stream::partial_json).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CutString {
    /// It is left out: half a text may mean something else.
    #[default]
    Drop,
    /// It is kept as far as it goes, to be shown to people.
    Keep,
}

/// A text that no JSON begins with.
///
/// Example: [`partial_json`](crate::stream::partial_json).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON at byte {at}, or nested too deeply; do not carry out the call, and ask the model again")]
#[non_exhaustive]
pub struct NotJson {
    /// The place of the first byte that cannot be, from 0.
    pub at: usize,
}

/// How deep arrays and objects may be nested; what `serde_json` allows.
const DEPTH: usize = 127;

/// Reads as much of a JSON text as has arrived; `None` where that is not yet a value.
///
/// What is complete is there: arrays with their first items, objects with their first members. What was cut is left out: a
/// name without its value, half a literal, and a number that runs to the end, which may have more digits. Whole JSON is read
/// as `serde_json` reads it.
///
/// # Errors
///
/// The text is not the beginning of JSON, or nested more than 127 deep.
#[inline]
pub fn parse(text: &str, cut: CutString) -> Result<Option<Value>, NotJson> {
    let mut reader = Reader { text, at: 0, cut };
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.peek().is_some() { Err(reader.refusal()) } else { Ok(value) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    cut: CutString,
}

impl Reader<'_> {
    /// The next value; `None` where the text ends before there is one.
    #[inline]
    fn value(&mut self, depth: usize) -> Result<Option<Value>, NotJson> {
        self.skip_space();
        match self.peek() {
            None => Ok(None),
            Some(b'{' | b'[') if depth == DEPTH => Err(self.refusal()),
            Some(b'{') => self.object(depth + 1).map(Some),
            Some(b'[') => self.array(depth + 1).map(Some),
            Some(b'"') => Ok(self.string(self.cut)?.map(Value::String)),
            Some(b'-' | b'0'..=b'9') => self.number(depth),
            Some(_) => self.literal(),
        }
    }

    #[inline]
    fn array(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            let Some(item) = self.value(depth)? else { return Ok(Value::Array(items)) };
            items.push(item);
            if !self.goes_on(b']')? {
                return Ok(Value::Array(items));
            }
        }
    }

    #[inline]
    fn object(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.at += 1;
        let mut members = Map::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let name = match self.peek() {
                Some(b'"') => self.string(CutString::Drop)?,
                None => None,
                Some(_) => return Err(self.refusal()),
            };
            let Some(name) = name else { return Ok(Value::Object(members)) };
            self.skip_space();
            if self.peek().is_some() && !self.take(b':') {
                return Err(self.refusal());
            }
            let Some(value) = self.value(depth)? else { return Ok(Value::Object(members)) };
            members.insert(name, value);
            if !self.goes_on(b'}')? {
                return Ok(Value::Object(members));
            }
        }
    }

    /// Whether a comma comes; if not, it is the closing bracket or the end of the text.
    fn goes_on(&mut self, close: u8) -> Result<bool, NotJson> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            None => Ok(false),
            Some(_) if self.take(close) => Ok(false),
            Some(_) => Err(self.refusal()),
        }
    }

    #[inline]
    fn string(&mut self, cut: CutString) -> Result<Option<String>, NotJson> {
        let start = self.at;
        let mut escaped = false;
        let inside = self.text.as_bytes().iter().skip(start + 1);
        let end = inside.copied().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        if let Some(length) = end {
            let quoted = self.text.get(start..start + length + 2).unwrap_or_default();
            let string = serde_json::from_str(quoted).map_err(|_| self.refusal())?;
            self.at = start + length + 2;
            return Ok(Some(string));
        }
        let begun = self.text.get(start..).unwrap_or_default();
        let whole = uncut(begun).ok_or(self.refusal())?;
        self.at = self.text.len();
        Ok((cut == CutString::Keep).then_some(whole))
    }

    #[inline]
    fn number(&mut self, depth: usize) -> Result<Option<Value>, NotJson> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let of_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.bytes().position(|byte| !of_number(byte)).unwrap_or(rest.len());
        let digits = rest.get(..length).unwrap_or_default();
        let value = serde_json::from_str::<Value>(digits).ok();
        if length < rest.len() || (depth == 0 && value.is_some()) {
            let value = value.ok_or(self.refusal())?;
            self.at += length;
            return Ok(Some(value));
        }
        // One more digit makes a number of every beginning of one.
        if value.is_none() && serde_json::from_str::<Value>(&format!("{digits}0")).is_err() {
            return Err(self.refusal());
        }
        self.at += length;
        Ok(None)
    }

    #[inline]
    fn literal(&mut self) -> Result<Option<Value>, NotJson> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (literal, value) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            if rest.starts_with(literal) {
                self.at += literal.len();
                return Ok(Some(value));
            }
            if literal.starts_with(rest) {
                self.at = self.text.len();
                return Ok(None);
            }
        }
        Err(self.refusal())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn refusal(&self) -> NotJson {
        NotJson { at: self.at }
    }
}

/// The text of a JSON string that has no end yet, without an escape that was cut; `None` if it is no string.
#[inline]
fn uncut(begun: &str) -> Option<String> {
    let mut end = 1;
    while let Some(rest) = begun.as_bytes().get(end..).filter(|rest| !rest.is_empty()) {
        let step = if rest.first() == Some(&b'\\') { escape(rest) } else { 1 };
        if step > rest.len() {
            break;
        }
        end += step;
    }
    let (whole, escape) = begun.split_at_checked(end)?;
    if !begins_escape(escape.as_bytes()) {
        return None;
    }
    serde_json::from_str(&format!("{whole}\"")).ok()
}

/// How long the escape is that begins here; two that stand for one character are one.
fn escape(rest: &[u8]) -> usize {
    match rest {
        [_, b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', _, _, ..] => 12,
        [_, b'u', ..] => 6,
        _ => 2,
    }
}

/// Whether an escape begins so, or two.
fn begins_escape(cut: &[u8]) -> bool {
    let (first, second) = cut.split_at(cut.len().min(6));
    let fits = |part: &[u8]| {
        let mut bytes = part.iter().zip(0..);
        bytes.all(|(byte, place)| match place {
            0 => *byte == b'\\',
            1 => *byte == b'u',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    fits(first) && fits(second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop::sample::select(vec!["\u{1f600}\"\\", "\u{7}\n", ""]).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    /// The JSON text with every character beyond ASCII as escapes, as some writers have it.
    fn escaped(text: &str) -> String {
        let escape = |unit: u16| format!("\\u{unit:04x}");
        text.chars()
            .map(|c| match c.is_ascii() {
                true => c.to_string(),
                false => c.encode_utf16(&mut [0; 2]).iter().copied().map(escape).collect(),
            })
            .collect()
    }

    /// Whether `part` is `whole`, or what is left when its end is cut off.
    fn is_beginning(part: &Value, whole: &Value) -> bool {
        match (part, whole) {
            (Value::Array(part), Value::Array(whole)) => {
                part.len() <= whole.len()
                    && part.iter().zip(whole).all(|(part, whole)| is_beginning(part, whole))
            }
            (Value::Object(part), Value::Object(whole)) => {
                part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| is_beginning(part, whole)))
            }
            (Value::String(part), Value::String(whole)) => whole.starts_with(part),
            _ => part == whole,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn every_beginning_of_json_is_read_as_a_beginning_of_its_value(value in any_json(), ascii in any::<bool>()) {
            let text = if ascii { escaped(&value.to_string()) } else { value.to_string() };
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                for cut in [CutString::Drop, CutString::Keep] {
                    let part = parse(&text[..end], cut).map_err(|error| TestCaseError::fail(error.to_string()))?;
                    prop_assert!(part.is_none_or(|part| value.is_number() || is_beginning(&part, &value)));
                }
            }
            prop_assert_eq!(parse(&text, CutString::Drop).unwrap(), Some(value));
        }

        #[test]
        fn more_text_never_takes_away_what_was_there(value in any_json(), ends in any::<[prop::sample::Index; 2]>()) {
            let text = json!([value]).to_string();
            let mut ends = ends.map(|end| (0..=end.index(text.len() + 1)).rev().find(|end| text.is_char_boundary(*end)));
            ends.sort();
            let [Some(less), Some(more)] = ends.map(|end| parse(&text[..end.unwrap()], CutString::Keep).unwrap()) else {
                return Ok(());
            };
            prop_assert!(is_beginning(&less, &more), "{less} {more}");
        }

        #[test]
        fn no_text_makes_it_panic_and_whole_json_is_read_as_serde_reads_it(
            parts in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d83d", "\\ude00", "a", "1", "-", ".", "e", "true", "nu", " ",
                "\u{e9}", "\n",
            ]), 0..12),
        ) {
            let text = parts.concat();
            for cut in [CutString::Drop, CutString::Keep] {
                let read = parse(&text, cut);
                if let Ok(value) = serde_json::from_str::<Value>(&text) {
                    prop_assert_eq!(read, Ok(Some(value)));
                } else if let Err(error) = read {
                    prop_assert!(error.at <= text.len());
                }
            }
        }
    }

    #[test]
    fn what_was_cut_is_left_out() {
        for (text, dropped, kept) in [
            ("", None, None),
            (" ", None, None),
            ("{", Some(json!({})), Some(json!({}))),
            (r#"{"a"#, Some(json!({})), Some(json!({}))),
            (r#"{"a":"#, Some(json!({})), Some(json!({}))),
            (r#"{"a": 12"#, Some(json!({})), Some(json!({}))),
            (r#"{"a": 12 "#, Some(json!({"a": 12})), Some(json!({"a": 12}))),
            (r#"{"a": 12,"#, Some(json!({"a": 12})), Some(json!({"a": 12}))),
            (r#"{"a": "x"#, Some(json!({})), Some(json!({"a": "x"}))),
            (r#"{"a": "x\"#, Some(json!({})), Some(json!({"a": "x"}))),
            (r#"{"a": "x\u00"#, Some(json!({})), Some(json!({"a": "x"}))),
            (r#"{"a": "x\ud83d\ude0"#, Some(json!({})), Some(json!({"a": "x"}))),
            (r#"{"a": "x\ud83d\ude00"#, Some(json!({})), Some(json!({"a": "x\u{1f600}"}))),
            (r#"{"a": [true, fal"#, Some(json!({"a": [true]})), Some(json!({"a": [true]}))),
            (r#"[1, 2"#, Some(json!([1])), Some(json!([1]))),
            (r#"[{"a": [-"#, Some(json!([{"a": []}])), Some(json!([{"a": []}]))),
            ("\"abc", None, Some(json!("abc"))),
            ("12", Some(json!(12)), Some(json!(12))),
        ] {
            assert_eq!(parse(text, CutString::Drop), Ok(dropped), "{text}");
            assert_eq!(parse(text, CutString::Keep), Ok(kept), "{text}");
        }
    }

    #[test]
    fn what_no_json_begins_with_is_refused_by_its_place() {
        for (text, at) in [
            ("x", 0),
            ("{a", 1),
            ("{\"a\" 1", 5),
            ("{\"a\": 1,}", 8),
            ("[1,]", 3),
            ("[01", 1),
            ("[1.x", 1),
            ("[trx", 1),
            ("NaN", 0),
            ("[-Infinity", 1),
            ("{} x", 3),
            ("[\"a\nb", 1),
            ("[\"a\\xb", 1),
            ("[\"a\\u00g", 1),
        ] {
            assert_eq!(parse(text, CutString::Keep), Err(NotJson { at }), "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused_and_not_followed() {
        let deep = |depth: usize| "[".repeat(depth);
        assert!(parse(&deep(DEPTH), CutString::Drop).is_ok());
        assert_eq!(parse(&deep(1_000_000), CutString::Drop), Err(NotJson { at: DEPTH }));
        let whole = format!("{}{}", deep(DEPTH), "]".repeat(DEPTH));
        assert_eq!(parse(&whole, CutString::Drop).unwrap(), serde_json::from_str(&whole).ok());
        assert!(serde_json::from_str::<Value>(&format!("[{whole}]")).is_err());
    }
}
