//! What JSON has to look like: shapes, and a value held against one.

use std::fmt;

use serde_json::{Map, Value};

use super::super::Refusal;

/// What a value may be.
pub(super) enum Kind {
    /// A string.
    Text,
    /// A string that is not empty.
    Filled,
    /// A whole number, 0 or more.
    Whole,
    /// A number between two others.
    Between(f64, f64),
    Flag,
    /// An object of any members.
    Object,
    Any,
    /// Null, or this.
    Maybe(&'static Kind),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of at least so many.
    List(usize, &'static Kind),
    Shape(&'static Shape),
    Union(&'static Union),
    /// One of these; the first that is of the value's type counts.
    Either(&'static [Kind]),
}

pub(super) type Member = (&'static str, Kind);

/// The members of an object. What it may have, it may have as null.
pub(super) struct Shape {
    pub(super) needs: &'static [Member],
    pub(super) may: &'static [&'static [Member]],
}

/// Objects that one of their members tells apart.
pub(super) struct Union {
    pub(super) tag: &'static str,
    /// What an object without the tag is.
    pub(super) untagged: Option<&'static str>,
    pub(super) shapes: &'static [(&'static [&'static str], &'static Shape)],
}

/// Where a value is, as the API writes it: `messages.0.content`.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Top,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Member(Self::Top, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}.{index}"),
        }
    }
}

impl Kind {
    /// Holds a value against this; the refusal names the place of what is wrong first.
    pub(super) fn check(&self, place: Place<'_>, value: &Value) -> Result<(), Refusal> {
        let wrong = || Err(Refusal::invalid(format!("{place}: must be {self}")));
        if !self.is_type_of(value) {
            return wrong();
        }
        match (self, value) {
            (Self::Filled, Value::String(text)) if text.is_empty() => wrong(),
            (Self::Whole, _) if value.as_u64().is_none() => wrong(),
            (Self::Between(least, most), _)
                if !value.as_f64().is_some_and(|n| (*least..=*most).contains(&n)) =>
            {
                wrong()
            }
            (Self::Word(words), Value::String(text)) if !words.contains(&text.as_str()) => wrong(),
            (Self::List(least, kind), Value::Array(items)) => {
                if items.len() < *least {
                    return Err(Refusal::invalid(format!("{place}: must not be empty")));
                }
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, item)| kind.check(Place::Item(&place, index), item))
            }
            (Self::Shape(shape), Value::Object(members)) => shape.check(place, members, &[]),
            (Self::Union(union), Value::Object(members)) => union.check(place, members),
            (Self::Maybe(kind), value) if !value.is_null() => kind.check(place, value),
            (Self::Either(kinds), value) => match kinds.iter().find(|kind| kind.is_type_of(value)) {
                Some(kind) => kind.check(place, value),
                None => wrong(),
            },
            _ => Ok(()),
        }
    }

    fn is_type_of(&self, value: &Value) -> bool {
        match self {
            Self::Text | Self::Filled | Self::Word(_) => value.is_string(),
            Self::Whole | Self::Between(..) => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Object | Self::Shape(_) | Self::Union(_) => value.is_object(),
            Self::List(..) => value.is_array(),
            Self::Any => true,
            Self::Maybe(kind) => value.is_null() || kind.is_type_of(value),
            Self::Either(kinds) => kinds.iter().any(|kind| kind.is_type_of(value)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a string"),
            Self::Filled => f.write_str("a string that is not empty"),
            Self::Whole => f.write_str("a whole number, 0 or more"),
            Self::Between(least, most) => write!(f, "a number from {least} to {most}"),
            Self::Flag => f.write_str("true or false"),
            Self::Object | Self::Shape(_) | Self::Union(_) => f.write_str("an object"),
            Self::Any => f.write_str("there"),
            Self::Maybe(kind) => write!(f, "{kind}, or null"),
            Self::Word([word]) => f.write_str(word),
            Self::Word(words) => write!(f, "one of {}", words.join(", ")),
            Self::List(..) => f.write_str("a list"),
            Self::Either(kinds) => {
                let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
                f.write_str(&kinds.join(" or "))
            }
        }
    }
}

impl Shape {
    /// Checks all members; `more` are such that it may have besides.
    pub(super) fn check(
        &self,
        place: Place<'_>,
        members: &Map<String, Value>,
        more: &[Member],
    ) -> Result<(), Refusal> {
        if let Some((name, _)) = self.needs.iter().find(|(name, _)| !members.contains_key(*name)) {
            let place = Place::Member(&place, name);
            return Err(Refusal::invalid(format!("{place}: field required")));
        }
        for (name, value) in members {
            let place = Place::Member(&place, name);
            if let Some((_, kind)) = self.needs.iter().find(|(known, _)| known == name) {
                kind.check(place, value)?;
                continue;
            }
            let mut may = self.may.iter().copied().flatten().chain(more);
            match may.find(|(known, _)| known == name) {
                Some(_) if value.is_null() => {}
                Some((_, kind)) => kind.check(place, value)?,
                None => return Err(Refusal::invalid(format!("{place}: the API knows no such member here"))),
            }
        }
        Ok(())
    }
}

impl Union {
    fn check(&self, place: Place<'_>, members: &Map<String, Value>) -> Result<(), Refusal> {
        let tag = match (members.get(self.tag), self.untagged) {
            (None | Some(Value::Null), Some(untagged)) => untagged,
            (None, None) => {
                let place = Place::Member(&place, self.tag);
                return Err(Refusal::invalid(format!("{place}: field required")));
            }
            (Some(tag), _) => tag.as_str().unwrap_or_default(),
        };
        match self.shapes.iter().find(|(tags, _)| tags.contains(&tag)) {
            Some((_, shape)) => shape.check(place, members, &[(self.tag, Kind::Any)]),
            None => {
                let known: Vec<&str> = self.shapes.iter().flat_map(|(tags, _)| *tags).copied().collect();
                let place = Place::Member(&place, self.tag);
                Err(Refusal::invalid(format!("{place}: must be one of {}", known.join(", "))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static INNER: Shape = Shape { needs: &[("n", Kind::Whole)], may: &[&[("t", Kind::Filled)]] };
    static ROUND: Shape = Shape { needs: &[("r", Kind::Between(0.0, 1.0))], may: &[] };
    static EMPTY: Shape = Shape { needs: &[], may: &[] };
    static UNION: Union =
        Union { tag: "type", untagged: Some("plain"), shapes: &[(&["plain"], &EMPTY), (&["round"], &ROUND)] };
    static OUTER: Shape = Shape {
        needs: &[],
        may: &[&[
            ("list", Kind::List(1, &Kind::Shape(&INNER))),
            ("word", Kind::Word(&["a", "b"])),
            ("union", Kind::Union(&UNION)),
            ("either", Kind::Either(&[Kind::Text, Kind::List(0, &Kind::Flag)])),
            ("maybe", Kind::Shape(&Shape { needs: &[("m", Kind::Maybe(&Kind::Text))], may: &[] })),
        ]],
    };

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_what_would_be_right() {
        let cases = [
            (json!({"other": 1}), "other: the API knows no such member here"),
            (json!({"list": []}), "list: must not be empty"),
            (json!({"list": {}}), "list: must be a list"),
            (json!({"list": [{"n": 1}, {}]}), "list.1.n: field required"),
            (json!({"list": [{"n": -1}]}), "list.0.n: must be a whole number, 0 or more"),
            (json!({"list": [{"n": 1.5}]}), "list.0.n: must be a whole number, 0 or more"),
            (json!({"list": [{"n": null}]}), "list.0.n: must be a whole number, 0 or more"),
            (json!({"list": [{"n": 1, "t": ""}]}), "list.0.t: must be a string that is not empty"),
            (json!({"list": [{"n": 1, "x": 2}]}), "list.0.x: the API knows no such member here"),
            (json!({"word": "c"}), "word: must be one of a, b"),
            (json!({"word": 1}), "word: must be one of a, b"),
            (json!({"union": {"type": "square"}}), "union.type: must be one of plain, round"),
            (json!({"union": {"r": 1}}), "union.r: the API knows no such member here"),
            (json!({"union": {"type": "round", "r": 2}}), "union.r: must be a number from 0 to 1"),
            (json!({"either": 1}), "either: must be a string or a list"),
            (json!({"either": [1]}), "either.0: must be true or false"),
            (json!({"maybe": {}}), "maybe.m: field required"),
            (json!({"maybe": {"m": 1}}), "maybe.m: must be a string, or null"),
        ];
        for (value, message) in cases {
            let refused = Kind::Shape(&OUTER).check(Place::Top, &value).unwrap_err();
            assert_eq!(refused.message, message, "{value}");
        }
    }

    #[test]
    fn what_is_right_passes_and_null_is_as_good_as_nothing() {
        for value in [
            json!({}),
            json!({"list": null, "word": null, "union": null}),
            json!({"list": [{"n": 0, "t": null}], "word": "b", "union": {}, "either": "", "maybe": {"m": null}}),
            json!({"union": {"type": "round", "r": 0.5}, "either": [true, false]}),
        ] {
            assert_eq!(Kind::Shape(&OUTER).check(Place::Top, &value), Ok(()), "{value}");
        }
    }
}
