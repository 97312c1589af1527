//! One page of a list.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::wire::{Care, Fit, Misfit, seen_from};

/// One page of a list, with what leads to the next one.
///
/// Lists that are walked by the ids of their items have `has_more`, `first_id` and `last_id`; those that are walked by
/// cursors have `next_page`, and some have `prev_page` or `has_more` as well. Which of them is followed, the list knows:
/// see [`List`](crate::List).
///
/// Example: [`List`](crate::List).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items of this page; there may be none although there are more pages.
    #[serde(deserialize_with = "items", bound(deserialize = "T: Deserialize<'de>"))]
    pub data: Vec<T>,
    /// Whether there are items beyond this page, in the direction that was asked for.
    #[serde(default, deserialize_with = "member::has_more", skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// The id of the first item; what `before_id` of the page before this one is.
    #[serde(default, deserialize_with = "member::first_id", skip_serializing_if = "Option::is_none")]
    pub first_id: Option<String>,
    /// The id of the last item; what `after_id` of the page after this one is.
    #[serde(default, deserialize_with = "member::last_id", skip_serializing_if = "Option::is_none")]
    pub last_id: Option<String>,
    /// Where the page after this one is.
    #[serde(default, deserialize_with = "member::next_page", skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
    /// Where the page before this one is.
    #[serde(default, deserialize_with = "member::prev_page", skip_serializing_if = "Option::is_none")]
    pub prev_page: Option<String>,
    /// The members that have no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The methods of a visitor for values that are no list.
macro_rules! no_list {
    ($($visit:ident($kind:ty)),*) => {$(
        fn $visit<E: Error>(self, value: $kind) -> Result<Self::Value, E> {
            Err(no_list(&value.into()))
        }
    )*};
}

/// Reads the items one after another; an error says which of them it is about.
fn items<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Items<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        no_list! {
            visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str), visit_string(String)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Err(no_list(&Value::Null))
        }

        fn visit_map<A: MapAccess<'de>>(self, _members: A) -> Result<Self::Value, A::Error> {
            Err(no_list(&Value::Object(Map::new())))
        }

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut read = Vec::new();
            loop {
                let item = items.next_element().map_err(|error: A::Error| match error.to_string() {
                    // Nothing is wrong with the item but that it is not whole.
                    text if text.starts_with("EOF while parsing") => error,
                    text => A::Error::custom(seen_from(&format!("data[{}]", read.len()), &text)),
                })?;
                match item {
                    Some(item) => read.push(item),
                    None => return Ok(read),
                }
            }
        }
    }

    deserializer.deserialize_any(Items(PhantomData))
}

fn no_list<E: Error>(found: &Value) -> E {
    E::custom(Misfit::kind(found, "a list".to_owned()).within("data"))
}

/// Reads the members that lead on, each by its name, so that an error says which of them it is about.
mod member {
    use super::{Care, Deserialize, Deserializer, Error, Fit, Value};

    macro_rules! members {
        ($($name:ident: $kind:ty),*) => {$(
            pub(super) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$kind>, D::Error> {
                read(deserializer, stringify!($name))
            }
        )*};
    }

    members! { has_more: bool, first_id: String, last_id: String, next_page: String, prev_page: String }

    fn read<'de, T: Fit, D: Deserializer<'de>>(deserializer: D, name: &str) -> Result<Option<T>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match T::misfit(&value, Care::Needed) {
            Some(_) if value.is_null() => Ok(None),
            Some(misfit) => Err(D::Error::custom(misfit.within(name))),
            None => Ok(T::fit(value)),
        }
    }
}
