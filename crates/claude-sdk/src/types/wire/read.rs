//! Reading JSON in one pass: into a type where the value fits, into a [`Value`] where it does not.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Fit, Object, Write, value_of};

/// The methods of a visitor for values that do not fit.
macro_rules! misfits {
    ($($kind:ident),+) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON value")
        }

        $(misfits!(@ $kind);)+

        fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
            Ok(Err(Number::from_f64(value).map_or(Value::Null, Value::Number)))
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
            match u64::try_from(value) {
                Ok(value) => self.visit_u64(value),
                Err(_) => Ok(Err(value.into())),
            }
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Err(Value::Null))
        }

        fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
            self.visit_unit()
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }
    };
    (@ scalars) => {
        fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
            Ok(Err(value.into()))
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
            Ok(Err(value.into()))
        }

        fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
            Ok(Err(value.into()))
        }

        fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
            Ok(Err(value.into()))
        }
    };
    (@ lists) => {
        fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
            Value::deserialize(SeqAccessDeserializer::new(items)).map(Err)
        }
    };
    (@ objects) => {
        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
            Value::deserialize(MapAccessDeserializer::new(members)).map(Err)
        }
    };
}

mod others;
mod scalar;
mod tagged;

pub(crate) use others::Others;
use scalar::{Found, Scalars};
pub(crate) use scalar::{Scalar, number_member, scalar, text_member};
pub(crate) use tagged::{Tagged, put_tag_back, tagged, tagged_into, take_tag};

/// A value that has the shape of `T`, or any other as it came.
pub(crate) type Reading<T> = Result<T, Value>;

/// Reads what [`Fit::read_onto`] reads, where serde wants a seed.
struct Onto<'s, T>(&'s mut Vec<T>);

impl<'de, T: Fit> DeserializeSeed<'de> for Onto<'_, T> {
    type Value = Reading<()>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::read_onto(self.0, deserializer)
    }
}

/// Reads what [`Fit::read_into`] reads, where serde wants a seed.
pub(crate) struct Into<'s, T>(pub(crate) &'s mut Option<T>);

impl<'de, T: Fit> DeserializeSeed<'de> for Into<'_, T> {
    type Value = Reading<()>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::read_into(self.0, deserializer)
    }
}

/// Reads a list; one item that does not fit makes a value of them all.
pub(crate) fn list<'de, T, D>(deserializer: D) -> Result<Reading<Vec<T>>, D::Error>
where
    T: Fit + Write,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(List(PhantomData))
}

struct List<T>(PhantomData<T>);

impl<'de, T: Fit + Write> Visitor<'de> for List<T> {
    type Value = Reading<Vec<T>>;

    misfits!(scalars, objects);

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list: Vec<T> = Vec::new();
        while let Some(item) = items.next_element_seed(Onto(&mut list))? {
            if let Err(misfit) = item {
                let read = value_of(&list.json()).map_err(A::Error::custom)?;
                let mut values = if let Value::Array(values) = read { values } else { Vec::new() };
                values.push(misfit);
                while let Some(value) = items.next_element()? {
                    values.push(value);
                }
                return Ok(Err(Value::Array(values)));
            }
        }
        Ok(Ok(list))
    }
}

/// Where a value that was read is to be. What hands it on at once needs no code to let it go.
pub(crate) trait Place<T> {
    fn put(&mut self, value: T);
}

impl<T> Place<T> for Option<T> {
    #[inline]
    fn put(&mut self, value: T) {
        *self = Some(value);
    }
}

impl<T> Place<T> for Vec<T> {
    #[inline(never)]
    fn put(&mut self, value: T) {
        if self.is_empty() {
            // Most lists of large things have one.
            self.reserve_exact(1);
        }
        self.push(value);
    }
}

/// Reads an [`Object`].
pub(crate) fn object<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<T>, D::Error> {
    if !T::IN_ONE_PASS {
        return Ok(match Value::deserialize(deserializer)? {
            Value::Object(mut members) => T::take_from(&mut members).ok_or(Value::Object(members)),
            other => Err(other),
        });
    }
    let mut object = None;
    let read = into(&mut object, deserializer)?;
    Ok(object.ok_or_else(|| read.err().unwrap_or_default()))
}

/// The same, to where it is to be.
#[inline]
pub(crate) fn object_into<'de, T: Object + Fit, D: Deserializer<'de>>(
    place: &mut Option<T>,
    deserializer: D,
) -> Result<Reading<()>, D::Error> {
    if T::IN_ONE_PASS {
        return into(place, deserializer);
    }
    Ok(object(deserializer)?.map(|value| *place = Some(value)))
}

/// Reads an [`Object`] to where it is to be.
pub(crate) fn into<'de, T: Object, D: Deserializer<'de>>(
    place: &mut Option<T>,
    deserializer: D,
) -> Result<Reading<()>, D::Error> {
    deserializer.deserialize_any(Members(place))
}

/// Puts the object where it is to be: an object is large, and what a visitor returns is handed on many times.
struct Members<'s, T>(&'s mut Option<T>);

impl<'de, T: Object> Visitor<'de> for Members<'_, T> {
    type Value = Reading<()>;

    misfits!(scalars, lists);

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        Ok(T::read_members(self.0, members)?.map_err(Value::Object))
    }
}

/// Reads the members that are still to come.
pub(crate) fn rest<'de, A: MapAccess<'de>>(
    read: &mut Map<String, Value>,
    mut members: A,
) -> Result<(), A::Error> {
    while let Some((name, value)) = members.next_entry::<String, Value>()? {
        read.insert(name, value);
    }
    Ok(())
}

/// Reads a member into its field, or to the others where it does not fit. The last of several of one name counts.
#[inline(never)]
pub(crate) fn member<'de, T: Fit, A: MapAccess<'de>>(
    field: &mut Option<T>,
    members: &mut A,
    name: &'static str,
    others: &mut Others,
) -> Result<(), A::Error> {
    T::read_member(field, members, name, others)
}

/// The name of a member, borrowed where the input allows it.
pub(crate) struct Name<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(Scalars)? {
            Found::Text(name) => Ok(Self(name)),
            _ => Err(D::Error::custom("the name of a member is a string")),
        }
    }
}
