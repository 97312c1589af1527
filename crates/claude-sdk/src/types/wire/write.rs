//! Writing JSON: each object shows its members, and one writer writes what it is shown.
//!
//! Derived code would be a writer for each type and for each format, and most of what a small program has to build
//! (`docs/decisions/0015-weight.md`).

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Nulls;

/// A look at a value, as the JSON it is written as.
#[derive(Clone, Copy)]
pub(crate) enum Json<'a> {
    Text(&'a str),
    Flag(bool),
    Whole(u64),
    Signed(i64),
    Value(&'a Value),
    Members(&'a Map<String, Value>),
    List(&'a dyn Items),
    Object(&'a dyn Show, Option<Lead>),
}

/// A type that is written as JSON.
pub(crate) trait Write {
    fn json(&self) -> Json<'_>;
}

/// A place for one member of an object, as it is written: a type, or an `Option` of one.
pub(crate) trait Part {
    /// Nothing where the member is not set.
    fn part(&self) -> Option<Json<'_>>;
}

/// A list of values.
pub(crate) trait Items {
    fn count(&self) -> usize;

    fn item(&self, index: usize) -> Option<Json<'_>>;
}

/// An object with members.
pub(crate) trait Show {
    /// Calls `writer` once.
    fn show(&self, writer: &mut dyn FnMut(Members<'_>));
}

/// An object with members, as its macro declares it; see [`Object`](super::Object) for why it is not [`Show`] itself.
pub(crate) trait Shown {
    /// What [`Show::show`] does.
    fn members(&self, writer: &mut dyn FnMut(Members<'_>));
}

impl<T: Shown> Show for T {
    fn show(&self, writer: &mut dyn FnMut(Members<'_>)) {
        self.members(writer);
    }
}

/// What there is to write of an object.
#[derive(Clone, Copy)]
pub(crate) struct Members<'a> {
    /// What the fields are called, in their order. The names are there before anything is written, and are not put
    /// together with the values for each object.
    pub(crate) names: &'static [&'static str],
    /// The fields, in the same order.
    pub(crate) fields: &'a [Option<Json<'a>>],
    /// Those that were `null`.
    pub(crate) nulls: Nulls,
    pub(crate) extra: &'a Map<String, Value>,
}

/// A member written ahead of the object's own; nothing in `extra` of its name is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lead {
    Type(&'static str),
    /// Written where it is set.
    Stream(bool),
}

impl Lead {
    fn name(self) -> &'static str {
        match self {
            Self::Type(_) => "type",
            Self::Stream(_) => "stream",
        }
    }

    fn value(&self) -> Option<Json<'_>> {
        match self {
            Self::Type(tag) => Some(Json::Text(tag)),
            Self::Stream(stream) => stream.then_some(Json::Flag(true)),
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(flag),
            Self::Whole(number) => serializer.serialize_u64(number),
            Self::Signed(number) => serializer.serialize_i64(number),
            Self::Value(value) => value.serialize(serializer),
            Self::Members(members) => members.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.count()))?;
                for item in (0..items.count()).filter_map(|index| items.item(index)) {
                    list.serialize_element(&item)?;
                }
                list.end()
            }
            Self::Object(object, lead) => {
                let mut serializer = Some(serializer);
                let mut written = None;
                object.show(&mut |members| {
                    written = serializer.take().map(|serializer| members.write(lead, serializer));
                });
                written.unwrap_or_else(|| Err(S::Error::custom("an object showed no members")))
            }
        }
    }
}

impl Members<'_> {
    /// Writes the leading member, the fields that are set, and those members of `extra` that neither has written.
    fn write<S: Serializer>(self, lead: Option<Lead>, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some((name, value)) = lead.as_ref().and_then(|lead| Some((lead.name(), lead.value()?))) {
            map.serialize_entry(name, &value)?;
        }
        let mut nulls = self.nulls;
        for (name, field) in self.names.iter().zip(self.fields) {
            let was_null = nulls.take_first();
            match field {
                Some(field) => map.serialize_entry(name, field)?,
                None if was_null && !self.extra.contains_key(*name) => map.serialize_entry(name, &())?,
                None => {}
            }
        }
        let is_written = |name: &str| {
            let mut fields = self.names.iter().zip(self.fields);
            lead.is_some_and(|lead| lead.name() == name)
                || fields.any(|(field, value)| *field == name && value.is_some())
        };
        for (name, value) in self.extra.iter().filter(|(name, _)| !is_written(name)) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<T: Write> Part for T {
    fn part(&self) -> Option<Json<'_>> {
        Some(self.json())
    }
}

impl<T: Write> Part for Option<T> {
    fn part(&self) -> Option<Json<'_>> {
        self.as_ref().map(T::json)
    }
}

impl<T: Write> Items for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<Json<'_>> {
        self.get(index).map(T::json)
    }
}

impl<T: Write> Write for Vec<T> {
    fn json(&self) -> Json<'_> {
        Json::List(self)
    }
}

impl<T: Write> Write for Box<T> {
    fn json(&self) -> Json<'_> {
        T::json(self)
    }
}

impl Write for String {
    fn json(&self) -> Json<'_> {
        Json::Text(self)
    }
}

impl Write for bool {
    fn json(&self) -> Json<'_> {
        Json::Flag(*self)
    }
}

impl Write for u64 {
    fn json(&self) -> Json<'_> {
        Json::Whole(*self)
    }
}

impl Write for u32 {
    fn json(&self) -> Json<'_> {
        Json::Whole(u64::from(*self))
    }
}

impl Write for i64 {
    fn json(&self) -> Json<'_> {
        Json::Signed(*self)
    }
}

impl Write for Value {
    fn json(&self) -> Json<'_> {
        Json::Value(self)
    }
}

impl Write for Map<String, Value> {
    fn json(&self) -> Json<'_> {
        Json::Members(self)
    }
}
