//! Where JSON is not of the shape it should be.

use std::fmt;

use serde_json::{Map, Value};

use super::{Fit, read::Reading};

/// What keeps JSON from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// A member that an object cannot do without. Whatever else does not fit is kept as it came.
    Needed,
    /// Any member that is known here and of another shape: for what people write, which the service would refuse.
    Known,
}

/// The members of an object that have a field, in the order of the fields.
///
/// An object is looked through by these, in place of code for each of its fields. The names are what writes it, too: a table
/// of texts takes more room in a program than the texts do.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) names: &'static [&'static str],
    /// Which have to be there: a bit for each, the lowest for the first.
    pub(crate) needed: u64,
    pub(crate) misfits: &'static [fn(&Value, Care) -> Option<Misfit>],
}

impl Places {
    pub(super) fn is_needed(&self, index: usize) -> bool {
        self.needed >> index & 1 == 1
    }
}

/// A bit for each, the lowest for the first.
pub(crate) const fn bits(set: &[bool]) -> u64 {
    match set {
        [] => 0,
        [first, rest @ ..] => bits(rest) << 1 | *first as u64,
    }
}

impl Misfit {
    /// What is said of a value that was read and is no `T`.
    pub(crate) fn error<T: Fit, E: serde::de::Error>(read: Reading<()>) -> E {
        let misfit = T::misfit(&read.err().unwrap_or_default(), Care::Needed);
        E::custom(misfit.map_or_else(String::new, |misfit| misfit.to_string()))
    }

    /// The first among the members of an object.
    #[inline(never)]
    pub(crate) fn among(places: &Places, members: &Map<String, Value>, care: Care) -> Option<Self> {
        let mut members_of = places.names.iter().zip(places.misfits).enumerate();
        members_of.find_map(|(index, (name, misfit))| {
            Self::of_member(members, name, care, places.is_needed(index), *misfit)
        })
    }

    /// Whether there is one that the object cannot do without.
    #[inline(never)]
    pub(crate) fn is_among(places: &Places, members: &Map<String, Value>) -> bool {
        Self::among(places, members, Care::Needed).is_some()
    }

    /// What is wrong with one of them.
    pub(super) fn of_member(
        members: &Map<String, Value>,
        name: &'static str,
        care: Care,
        is_needed: bool,
        misfit: fn(&Value, Care) -> Option<Self>,
    ) -> Option<Self> {
        let Some(member) = members.get(name) else {
            return is_needed.then(|| Self::missing(name));
        };
        if !is_needed && (care == Care::Needed || member.is_null()) {
            return None;
        }
        misfit(member, care).map(|misfit| misfit.within(name))
    }

    /// Where a value is no object with these members.
    #[inline(never)]
    pub(crate) fn of_object(places: &Places, value: &Value, care: Care) -> Option<Self> {
        match value.as_object() {
            Some(members) => Self::among(places, members, care),
            None => Some(Self::kind(value, "an object".to_owned())),
        }
    }

    /// Where a value is no object of one of these kinds; of a kind that is not known, everything fits.
    #[inline(never)]
    pub(crate) fn of_kinds(kinds: &[(&str, &Places)], value: &Value, care: Care) -> Option<Self> {
        let Some(members) = value.as_object() else { return Some(Self::kind(value, "an object".to_owned())) };
        if care == Care::Needed {
            return None;
        }
        match members.get("type") {
            Some(Value::String(tag)) => {
                let (_, places) = kinds.iter().find(|(kind, _)| kind == tag)?;
                Self::among(places, members, care)
            }
            Some(other) => Some(Self::kind(other, String::shape()).within("type")),
            None => Some(Self::missing("type")),
        }
    }

    /// Where a value is no list of such items.
    #[inline(never)]
    pub(crate) fn of_list(
        value: &Value,
        care: Care,
        misfit: fn(&Value, Care) -> Option<Self>,
    ) -> Option<Self> {
        let Some(values) = value.as_array() else { return Some(Self::kind(value, "a list".to_owned())) };
        let mut items = values.iter().enumerate();
        items.find_map(|(index, item)| Some(misfit(item, care)?.at(index)))
    }

    /// Whether nothing that is needed is amiss.
    #[inline(never)]
    pub(crate) fn is_none(value: &Value, misfit: fn(&Value, Care) -> Option<Self>) -> bool {
        misfit(value, Care::Needed).is_none()
    }

    /// Where a value does not fit at all.
    #[inline(never)]
    pub(crate) fn of_kind(value: &Value, fits: fn(&Value) -> bool, shape: fn() -> String) -> Option<Self> {
        if fits(value) { None } else { Some(Self::kind(value, shape())) }
    }
}

/// A place in JSON that is not of the shape it should be.
///
/// The path is made of names of this crate and of numbers; of the JSON itself nothing is told but its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Such as `messages[1].role`; empty for the value itself.
    path: String,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Missing,
    Kind { found: &'static str, wanted: String },
}

impl Misfit {
    /// A member that is not there.
    pub(crate) fn missing(name: &'static str) -> Self {
        Self { path: name.to_owned(), problem: Problem::Missing }
    }

    /// A value of another kind than `wanted`, such as "a string".
    #[inline(never)]
    pub(crate) fn kind(value: &Value, wanted: String) -> Self {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        Self { path: String::new(), problem: Problem::Kind { found, wanted } }
    }

    /// The same place, seen from an object that has it in this member.
    pub(crate) fn within(self, name: &str) -> Self {
        Self { path: joined(name, &self.path), ..self }
    }

    /// The same place, seen from a list that has it in this item.
    pub(crate) fn at(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }

    /// What is wrong with a value that may have one of several shapes, of what is wrong with it as each of them: the place
    /// that lies deepest, because that is the shape that was meant.
    pub(crate) fn deepest(self, other: Self) -> Self {
        if other.path.len() > self.path.len() { other } else { self }
    }
}

fn joined(name: &str, path: &str) -> String {
    let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
    format!("{name}{dot}{path}")
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.problem, self.path.as_str()) {
            (Problem::Missing, path) => write!(f, "`{path}` is missing"),
            (Problem::Kind { found, wanted }, "") => write!(f, "it is {found}, not {wanted}"),
            (Problem::Kind { found, wanted }, path) => write!(f, "`{path}` is {found}, not {wanted}"),
        }
    }
}

/// The text of a [`Misfit`] with its place seen from further out; any other text with the place before it.
pub(crate) fn seen_from(place: &str, text: &str) -> String {
    match place_in(text) {
        Some(path) => {
            let rest = text.get(path.len() + 2..).unwrap_or_default();
            format!("`{}`{rest}", joined(place, path))
        }
        None => match text.strip_prefix("it is ") {
            Some(rest) => format!("`{place}` is {rest}"),
            None => format!("{place}: {text}"),
        },
    }
}

/// The place that the text of a [`Misfit`] names.
pub(crate) fn place_in(text: &str) -> Option<&str> {
    let (path, rest) = text.strip_prefix('`')?.split_once('`')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'[' | b']');
    (path.bytes().all(plain) && rest.starts_with(" is ")).then_some(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_named_from_the_outside_in() {
        let misfit =
            Misfit::kind(&json!(7), "a string".to_owned()).within("text").at(2).within("content").at(0);
        let misfit = misfit.within("messages");
        assert_eq!(misfit.to_string(), "`messages[0].content[2].text` is a number, not a string");
        assert_eq!(Misfit::missing("role").at(1).to_string(), "`[1].role` is missing");
        assert_eq!(Misfit::kind(&json!(null), "a list".to_owned()).to_string(), "it is null, not a list");
    }

    #[test]
    fn a_text_can_be_seen_from_further_out() {
        assert_eq!(seen_from("data[3]", "`id` is missing"), "`data[3].id` is missing");
        assert_eq!(seen_from("data", "`[0].id` is missing"), "`data[0].id` is missing");
        assert_eq!(seen_from("data[3]", "it is null, not an object"), "`data[3]` is null, not an object");
        assert_eq!(seen_from("data[3]", "no number"), "data[3]: no number");
        assert_eq!(place_in("`sk-ant-key` is missing"), None);
        assert_eq!(place_in("`a.b[1]` is a list, not a string at line 1 column 3"), Some("a.b[1]"));
    }
}
