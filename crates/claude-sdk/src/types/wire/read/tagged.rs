//! Objects that their member `type` tells apart.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize as _;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{
    Name, Place, Reading, rest,
    scalar::{Found, Scalars},
};
use crate::types::wire::Places;

/// One of several objects, told apart by their member `type`; [`tagged!`] implements it.
pub(crate) trait Tagged: Sized + From<Map<String, Value>> {
    /// The known values of `type`, and the members that each kind has fields for.
    const KINDS: &'static [(&'static str, &'static Places)];

    /// The object with these members.
    fn of(members: Map<String, Value>) -> Self {
        Self::of_members(members)
    }

    /// The same; see [`Object`] for why there are two.
    fn of_members(members: Map<String, Value>) -> Self;

    /// Reads the members after a leading `type`.
    fn read_after<'de, A: MapAccess<'de>>(tag: &str, members: A) -> Result<Self, A::Error>;
}

/// Takes the member out that tells objects apart.
#[inline(never)]
pub(crate) fn take_tag(members: &mut Map<String, Value>) -> Option<Value> {
    members.remove("type")
}

/// Puts it back, where the object is of none of the kinds.
#[inline(never)]
pub(crate) fn put_tag_back(members: &mut Map<String, Value>, tag: Option<Value>) {
    members.extend(tag.map(|tag| ("type".to_owned(), tag)));
}

/// Reads a [`Tagged`] object. In one pass where `type` comes first, as the service writes it.
pub(crate) fn tagged<'de, T: Tagged, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<T>, D::Error> {
    let mut object = None;
    let read = tagged_into(&mut object, deserializer)?;
    Ok(object.ok_or_else(|| read.err().unwrap_or_default()))
}

/// The same, to where it is to be.
#[inline]
pub(crate) fn tagged_into<'de, T: Tagged, D: Deserializer<'de>>(
    place: &mut impl Place<T>,
    deserializer: D,
) -> Result<Reading<()>, D::Error> {
    deserializer.deserialize_any(Variants(place, PhantomData))
}

struct Variants<'s, P, T>(&'s mut P, PhantomData<T>);

impl<'de, P: Place<T>, T: Tagged> Visitor<'de> for Variants<'_, P, T> {
    type Value = Reading<()>;

    misfits!(scalars, lists);

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let first = match members.next_key::<Name<'de>>()? {
            Some(name) if name.0 == "type" => match members.next_value_seed(Scalars)? {
                Found::Text(tag) => {
                    self.0.put(T::read_after(&tag, members)?);
                    return Ok(Ok(()));
                }
                other => Some((name, other.into_value())),
            },
            Some(name) => Some((name, members.next_value()?)),
            None => None,
        };
        let mut read = Map::new();
        if let Some((name, value)) = first {
            read.insert(name.0.into_owned(), value);
        }
        rest(&mut read, members)?;
        self.0.put(T::from(read));
        Ok(Ok(()))
    }
}
