//! JSON in which every member is there once: of two, each reader may take another one.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads an object out of a file that may have secrets in it.
///
/// # Errors
///
/// What is wrong with it, without what is in it; of a member that is there twice its name.
#[cfg(feature = "profile")]
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let twice = RefCell::new(None);
    let text = str::from_utf8(bytes).map_err(|_| NO_OBJECT)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Unique(&twice).deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    match (read, twice.into_inner()) {
        (_, Some(name)) => Err(format!("its member {} is there twice", shown(&name))),
        (Ok(Value::Object(members)), None) => Ok(members),
        _ => Err(NO_OBJECT.into()),
    }
}

#[cfg(feature = "profile")]
const NO_OBJECT: &str = "it is not a JSON object";

/// Reads any value.
///
/// # Errors
///
/// As those of JSON; a member that is there twice is named, as far as it is a name.
pub(crate) fn value<'de, D: Deserializer<'de>>(json: D) -> Result<Value, D::Error> {
    let twice = RefCell::new(None);
    let read = Unique(&twice).deserialize(json);
    match twice.into_inner() {
        Some(name) => Err(D::Error::custom(format!("its member {} is there twice", shown(&name)))),
        None => read,
    }
}

/// The name of a member as it may be shown: what does not look like one may be a secret in the wrong place.
pub(crate) fn shown(name: &str) -> String {
    let of_names = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.');
    if name.len() <= LONGEST_SHOWN && name.bytes().all(of_names) {
        format!("`{name}`")
    } else {
        "[not shown]".to_owned()
    }
}

/// The longest name that is shown.
pub(crate) const LONGEST_SHOWN: usize = 60;

/// Reads any value, and notes the first name that an object has twice.
#[derive(Clone, Copy)]
struct Unique<'n>(&'n RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = items.next_key::<String>()? {
            if members.contains_key(&name) {
                *self.0.borrow_mut() = Some(name);
                return Err(A::Error::custom("a member is there twice"));
            }
            let value = items.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(all(test, feature = "profile"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_serde_json_reads() {
        for text in [
            "{}",
            r#" {"a": null, "b": [true, -1, 18446744073709551615, 1.5e300, "\u00e9\n"], "c": {"a": {}}} "#,
            r#"{"a": 123456789012345678901234567890}"#,
        ] {
            let expected: Map<String, Value> = serde_json::from_str(text).unwrap();
            assert_eq!(object(text.as_bytes()).unwrap(), expected, "{text}");
        }
        let deep = "[".repeat(100_000);
        for text in ["", "[]", "7", "{", r#"{"a": 1} x"#, r#"{"a": canary}"#, &format!("{{\"a\": {deep}")] {
            assert_eq!(object(text.as_bytes()).unwrap_err(), "it is not a JSON object", "{text:.20}");
        }
    }

    #[test]
    fn a_member_that_is_there_twice_is_named() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"x": {"y": [{"a": "canary", "b": 2, "a": 3}]}}"#,
            r#"{"a": 1, "\u0061": "canary"}"#,
        ] {
            assert_eq!(object(text.as_bytes()).unwrap_err(), "its member `a` is there twice", "{text}");
        }
    }
}
