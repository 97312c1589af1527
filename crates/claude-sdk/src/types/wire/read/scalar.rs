//! What is one string, number or truth value.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize as _;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{Others, Reading};

/// A type that is made of one string, number or truth value.
pub(crate) trait Scalar: Sized {
    fn of_bool(_value: bool) -> Option<Self> {
        None
    }

    fn of_u64(_value: u64) -> Option<Self> {
        None
    }

    fn of_str(_value: &str) -> Option<Self> {
        None
    }

    fn of_string(value: String) -> Reading<Self> {
        Self::of_str(&value).ok_or(Value::String(value))
    }
}

/// Reads a [`Scalar`].
#[inline]
pub(crate) fn scalar<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<T>, D::Error> {
    Ok(deserializer.deserialize_any(Scalars)?.fit())
}

/// Reads a member that is a text into its field, or to the others. Here is only what differs from type to type.
#[inline]
pub(crate) fn text_member<'de, T, A>(
    field: &mut Option<T>,
    members: &mut A,
    name: &'static str,
    others: &mut Others,
) -> Result<(), A::Error>
where
    T: From<String> + for<'a> From<&'a str>,
    A: MapAccess<'de>,
{
    *field = match text(members, name, others)? {
        Some(Cow::Borrowed(text)) => Some(text.into()),
        Some(Cow::Owned(text)) => Some(text.into()),
        None => None,
    };
    Ok(())
}

/// The same for a number.
#[inline]
pub(crate) fn number_member<'de, T: TryFrom<u64>, A: MapAccess<'de>>(
    field: &mut Option<T>,
    members: &mut A,
    name: &'static str,
    others: &mut Others,
) -> Result<(), A::Error> {
    *field = None;
    if let Some(number) = number(members, name, others)? {
        match T::try_from(number) {
            Ok(number) => *field = Some(number),
            Err(_) => others.keep(number.into(), name),
        }
    }
    Ok(())
}

/// The next member if it is a text; what else it is goes to the others.
#[inline(never)]
fn text<'de, A: MapAccess<'de>>(
    members: &mut A,
    name: &str,
    others: &mut Others,
) -> Result<Option<Cow<'de, str>>, A::Error> {
    match members.next_value_seed(Scalars)? {
        Found::Text(text) => {
            others.forget(name);
            Ok(Some(text))
        }
        other => {
            others.keep(other.into_value(), name);
            Ok(None)
        }
    }
}

/// The next member if it is a number; what else it is goes to the others.
#[inline(never)]
fn number<'de, A: MapAccess<'de>>(
    members: &mut A,
    name: &str,
    others: &mut Others,
) -> Result<Option<u64>, A::Error> {
    match members.next_value_seed(Scalars)? {
        Found::Number(number) => {
            others.forget(name);
            Ok(Some(number))
        }
        other => {
            others.keep(other.into_value(), name);
            Ok(None)
        }
    }
}

/// What a scalar may be made of.
pub(super) enum Found<'de> {
    Bool(bool),
    Number(u64),
    Text(Cow<'de, str>),
    Other(Value),
}

impl Found<'_> {
    /// The scalar that it is, or what came.
    #[inline]
    fn fit<T: Scalar>(self) -> Reading<T> {
        let fitting = match self {
            Self::Bool(value) => T::of_bool(value),
            Self::Number(value) => T::of_u64(value),
            Self::Text(Cow::Borrowed(value)) => T::of_str(value),
            Self::Text(Cow::Owned(value)) => return T::of_string(value),
            Self::Other(_) => None,
        };
        fitting.ok_or_else(|| self.into_value())
    }

    /// What came, where it does not fit.
    #[inline(never)]
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Bool(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::Other(value) => value,
        }
    }
}

/// One visitor for scalars of all types: it is most of the code.
pub(super) struct Scalars;

impl<'de> DeserializeSeed<'de> for Scalars {
    type Value = Found<'de>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalars {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Found::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Found::Number(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(value).map_or_else(|_| Found::Other(value.into()), Found::Number))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Found::Other(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Found::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Found::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Found::Text(Cow::Owned(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Found::Other(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items)).map(Found::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(members)).map(Found::Other)
    }
}
