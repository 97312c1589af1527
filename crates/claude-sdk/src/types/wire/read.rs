//! Reading JSON in one pass: into a type where the value fits, into a [`Value`] where it does not.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Fit, Json, Nulls, Object, Places, Write, value_of};
use crate::types::Extra;

/// A value that has the shape of `T`, or any other as it came.
pub(crate) type Reading<T> = Result<T, Value>;

/// Reads what [`Fit::read`] reads, where serde wants a seed.
pub(crate) struct Read<T>(PhantomData<T>);

impl<T> Read<T> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<'de, T: Fit> DeserializeSeed<'de> for Read<T> {
    type Value = Reading<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::read(deserializer)
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
enum Found<'de> {
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
    fn into_value(self) -> Value {
        match self {
            Self::Bool(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::Other(value) => value,
        }
    }
}

/// One visitor for scalars of all types: it is most of the code.
struct Scalars;

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
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Read::<T>::NEW)? {
            match item {
                Ok(item) => {
                    if list.is_empty() {
                        // Most lists of large things have one.
                        list.reserve_exact(1);
                    }
                    list.push(item);
                }
                Err(misfit) => {
                    let values = list.iter().map(|item| value_of(&item.json()));
                    let mut values: Vec<Value> =
                        values.collect::<Result<_, _>>().map_err(A::Error::custom)?;
                    values.push(misfit);
                    while let Some(value) = items.next_element()? {
                        values.push(value);
                    }
                    return Ok(Err(Value::Array(values)));
                }
            }
        }
        Ok(Ok(list))
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
    deserializer.deserialize_any(Variants(PhantomData))
}

struct Variants<T>(PhantomData<T>);

impl<'de, T: Tagged> Visitor<'de> for Variants<T> {
    type Value = Reading<T>;

    misfits!(scalars, lists);

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let first = match members.next_key::<Name<'de>>()? {
            Some(name) if name.0 == "type" => match members.next_value_seed(Scalars)? {
                Found::Text(tag) => return T::read_after(&tag, members).map(Ok),
                other => Some((name, other.into_value())),
            },
            Some(name) => Some((name, members.next_value()?)),
            None => None,
        };
        let mut read = first.into_iter().map(|(name, value)| (name.0.into_owned(), value)).collect();
        rest(&mut read, members)?;
        Ok(Ok(T::from(read)))
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

/// The members of an object that are in no field: those that have none, and those that do not fit theirs.
pub(crate) struct Others {
    /// None in most objects: a map would be looked at when it is dropped.
    members: Option<Map<String, Value>>,
    /// Fields that came as `null`, which are no members: there is one in most answers.
    nulls: Nulls,
    places: &'static Places,
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

impl Others {
    /// None, of an object with these fields.
    pub(crate) fn new(places: &'static Places) -> Self {
        Self { members: None, nulls: Nulls::default(), places }
    }

    pub(crate) fn insert(&mut self, name: String, value: Value) {
        self.members.get_or_insert_default().insert(name, value);
    }

    #[inline]
    pub(super) fn forget(&mut self, name: &str) {
        if self.members.is_some() || self.nulls.are_any() {
            self.remove(name);
        }
    }

    #[inline(never)]
    fn remove(&mut self, name: &str) {
        if let Some(members) = &mut self.members {
            members.remove(name);
        }
        self.nulls.set(name, self.places, false);
    }

    #[inline(never)]
    pub(super) fn keep(&mut self, misfit: Value, name: &str) {
        self.forget(name);
        match misfit {
            Value::Null => self.nulls.set(name, self.places, true),
            misfit => self.insert(name.to_owned(), misfit),
        }
    }

    /// Makes members again of what was read of them.
    #[cold]
    #[inline(never)]
    pub(crate) fn put_back(&mut self, read: &[(&str, Option<Json<'_>>)]) -> Result<(), serde_json::Error> {
        for (name, member) in read {
            if let Some(member) = member {
                self.insert((*name).to_owned(), value_of(member)?);
            }
        }
        Ok(())
    }

    /// All of them as members.
    #[inline(never)]
    pub(crate) fn into_members(self) -> Map<String, Value> {
        let mut members = self.members.unwrap_or_default();
        let nulls = self.places.names.iter().zip(self.nulls.places());
        for (name, _) in nulls.filter(|(_, is_null)| *is_null) {
            members.insert((*name).to_owned(), Value::Null);
        }
        members
    }

    /// Those that are to be kept, and which fields came as `null`.
    #[inline]
    pub(crate) fn into_parts(self) -> (Extra, Nulls) {
        (self.members.map(Extra::from).unwrap_or_default(), self.nulls)
    }
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
