//! How JSON becomes a typed object and JSON again without losing a member.
//!
//! Derived `serde` code cannot keep the law of the parent module: it drops a `null` in an optional field, fails on a
//! value of another shape, and buffers tagged enums twice. So each field takes its member when the value fits, and
//! whatever remains is `extra`, or for a `null` one bit: in one pass over the text ([`Fit::read`]), or out of a [`Map`] ([`Fit::fit`]).

use std::str::Utf8Error;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess};
use serde_json::{Map, Value};

#[macro_use]
mod macros;
mod fits;
mod misfit;
mod nulls;
pub(crate) mod read;
mod write;

pub(crate) use misfit::{Care, Misfit, Places, bits, place_in, seen_from};
pub(crate) use nulls::Nulls;
use read::{Others, Place as _, Reading};
pub(crate) use write::{Json, Lead, Members, Part, Shown, Write};

/// `of` as a value, by way of its text: every type's writer is compiled for text anyway, and where this is needed nothing is
/// in a hurry.
pub(crate) fn value_of(of: &(impl Serialize + ?Sized)) -> Result<Value, serde_json::Error> {
    from_bytes(&serde_json::to_vec(of)?)
}

/// Reads a value from the bytes of a JSON text, as a text: so no type's reader is compiled twice, and UTF-8 is looked at
/// once for all strings.
#[inline]
pub(crate) fn from_bytes<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_str(text_in(json)?)
}

/// The text of JSON, or the first thing that is wrong with it, which knows the line and the column.
#[inline]
pub(crate) fn text_in(json: &[u8]) -> Result<&str, serde_json::Error> {
    str::from_utf8(json).map_err(|error| not_text(json, error))
}

/// The text as far as it is one, and then, if it does not just break off, a byte that JSON has nowhere: so a text is read here too,
/// by the one function that `serde_json` has built. A reader of bytes would be another of everything.
#[cold]
#[inline(never)]
fn not_text(json: &[u8], error: Utf8Error) -> serde_json::Error {
    let mut text = String::from_utf8_lossy(json.get(..error.valid_up_to()).unwrap_or_default()).into_owned();
    if error.error_len().is_some() {
        text.push('\u{1}');
    }
    text.parse::<Value>().err().unwrap_or_else(|| serde_json::Error::custom(error))
}

/// The members of the JSON object that a text is. All values are read by the one function that `serde_json` has built for
/// everybody; `serde_json::from_str` would be built here again.
pub(crate) fn members_in(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    match text.parse()? {
        Value::Object(members) => Ok(members),
        other => Err(serde_json::Error::custom(Misfit::kind(&other, "an object".to_owned()))),
    }
}

/// A type that a JSON value may or may not have the shape of.
pub(crate) trait Fit: Sized {
    /// Whether [`Fit::fit`] would succeed; a look that moves nothing.
    fn fits(value: &Value) -> bool;

    /// The typed value, by moving; `None` only where [`Fit::fits`] says `false`.
    fn fit(value: Value) -> Option<Self>;

    /// What a value of this shape is called, such as "a string".
    fn shape() -> String;

    /// Where `value` does not fit; with [`Care::Needed`] never where [`Fit::fits`] says `true`.
    fn misfit(value: &Value, care: Care) -> Option<Misfit> {
        Self::find_misfit(value, care)
    }

    /// The same; see [`Object`] for why there are two.
    #[inline]
    fn find_misfit(value: &Value, _care: Care) -> Option<Misfit> {
        Misfit::of_kind(value, Self::fits, Self::shape)
    }

    /// The typed value, or the value as it came where it does not fit.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if !Self::fits(&value) {
            return Ok(Err(value));
        }
        Ok(Self::fit(value).ok_or(Value::Null))
    }

    /// The same, to where the value is to be: a large one is not handed on.
    #[inline]
    fn read_into<'de, D: Deserializer<'de>>(
        place: &mut Option<Self>,
        deserializer: D,
    ) -> Result<Reading<()>, D::Error> {
        Ok(Self::read(deserializer)?.map(|value| *place = Some(value)))
    }

    /// The same, onto the end of a list.
    #[inline]
    fn read_onto<'de, D: Deserializer<'de>>(
        list: &mut Vec<Self>,
        deserializer: D,
    ) -> Result<Reading<()>, D::Error> {
        Ok(Self::read(deserializer)?.map(|value| list.put(value)))
    }

    /// Reads the next member of an object into its field, or to the others where it does not fit.
    #[inline]
    fn read_member<'de, A: MapAccess<'de>>(
        field: &mut Option<Self>,
        members: &mut A,
        name: &'static str,
        others: &mut Others,
    ) -> Result<(), A::Error> {
        match members.next_value_seed(read::Into(field))? {
            Ok(()) => others.forget(name),
            Err(misfit) => {
                *field = None;
                others.keep(misfit, name);
            }
        }
        Ok(())
    }
}

/// A place for one member of an object: a type that must be there, or an `Option` of one.
pub(crate) trait Field: Sized {
    /// What the member is where it is there.
    type Member: Fit;

    /// Whether the member has to be there.
    const IS_NEEDED: bool;

    /// The field, of what was read of the member; `None` where it is missing.
    fn settle(read: Option<Self::Member>) -> Option<Self>;

    /// Where the member does not fit: with [`Care::Needed`], what keeps [`Field::take`] from succeeding.
    fn misfit(members: &Map<String, Value>, name: &'static str, care: Care) -> Option<Misfit> {
        Misfit::of_member(members, name, care, Self::IS_NEEDED, <Self::Member as Fit>::misfit)
    }

    /// The field, of a member that was looked at before: `None` where [`Field::misfit`] finds something that is needed.
    fn remove(members: &mut Map<String, Value>, name: &'static str) -> Option<Self>;

    /// Moves the member out if it fits; one that does not fit stays.
    fn take(members: &mut Map<String, Value>, name: &'static str) -> Result<Self, Misfit>;
}

/// An object with typed fields and a map for the rest; [`object!`] implements it.
///
/// What a macro implements is `#[inline]`, and a provided method calls it: so it is built once, and only where it is needed.
pub(crate) trait Object: Sized {
    /// What the members are called that have a field; all that it takes to write them.
    const NAMES: &'static [&'static str];

    /// The members that have a field.
    const PLACES: &'static Places;

    /// Takes the object out of `members`, or leaves them as they are. What is amiss is for [`Fit::misfit`] to tell.
    fn take_from(members: &mut Map<String, Value>) -> Option<Self> {
        if Misfit::is_among(Self::PLACES, members) { None } else { Self::of_members(members) }
    }

    /// The object, of members among which nothing is amiss.
    fn of_members(members: &mut Map<String, Value>) -> Option<Self>;

    /// Whether it has its own way to be read in one pass; otherwise it is read into a map first.
    const IN_ONE_PASS: bool = false;

    /// Reads the object to where it is to be, or all its members where a required one does not fit.
    fn read_members<'de, A: MapAccess<'de>>(
        place: &mut Option<Self>,
        members: A,
    ) -> Result<Result<(), Map<String, Value>>, A::Error> {
        let mut read = Map::new();
        read::rest(&mut read, members)?;
        Ok(match Self::take_from(&mut read) {
            Some(object) => {
                *place = Some(object);
                Ok(())
            }
            None => Err(read),
        })
    }
}

/// What a constructor puts into a field.
pub(crate) trait Put<F> {
    fn put(self) -> F;
}

/// The value of an argument.
pub(crate) struct Given<T>(pub(crate) T);

/// No value, for an optional field.
#[derive(Clone, Copy)]
pub(crate) struct Unset;

impl<T> Put<T> for Given<T> {
    fn put(self) -> T {
        self.0
    }
}

impl<T> Put<Option<T>> for Unset {
    fn put(self) -> Option<T> {
        None
    }
}

impl<T: Fit> Field for T {
    type Member = T;

    const IS_NEEDED: bool = true;

    fn settle(read: Option<T>) -> Option<Self> {
        read
    }

    fn take(members: &mut Map<String, Value>, name: &'static str) -> Result<Self, Misfit> {
        if let Some(misfit) = <T as Field>::misfit(members, name, Care::Needed) {
            return Err(misfit);
        }
        <T as Field>::remove(members, name).ok_or_else(|| Misfit::missing(name))
    }

    #[inline(never)]
    fn remove(members: &mut Map<String, Value>, name: &'static str) -> Option<Self> {
        remove(members, name).and_then(T::fit)
    }
}

impl<T: Fit> Field for Option<T> {
    type Member = T;

    const IS_NEEDED: bool = false;

    fn settle(read: Option<T>) -> Option<Self> {
        Some(read)
    }

    fn take(members: &mut Map<String, Value>, name: &'static str) -> Result<Self, Misfit> {
        Ok(take_if(members, name, T::fits).and_then(T::fit))
    }

    #[inline(never)]
    fn remove(members: &mut Map<String, Value>, name: &'static str) -> Option<Self> {
        Some(take_if(members, name, T::fits).and_then(T::fit))
    }
}

/// The text that a value is.
pub(crate) fn text_of(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

/// The members of the object that a value is.
pub(crate) fn members_of(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(members) = value { Some(members) } else { None }
}

/// Takes a member out.
#[inline(never)]
fn remove(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    members.remove(name)
}

/// Takes a member out where it fits.
#[inline(never)]
fn take_if(members: &mut Map<String, Value>, name: &str, fits: fn(&Value) -> bool) -> Option<Value> {
    if members.get(name).is_some_and(fits) { remove(members, name) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_is_not_utf8_is_malformed_where_it_is_not() {
        let error = from_bytes::<Value>(b"{\n\"name\": \"Mot\xf6rhead\"}").unwrap_err();
        assert!(error.is_syntax(), "{error}");
        assert_eq!((error.line(), error.column()), (2, 13));
    }

    #[test]
    fn json_that_breaks_off_within_a_character_breaks_off() {
        let error = from_bytes::<Value>(b"{\"name\": \"Mot\xc3").unwrap_err();
        assert!(error.is_eof(), "{error}");
    }
}
