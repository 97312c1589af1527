//! Members that are not known here: of a version to come, of somebody else's, or misspelt.

use std::fmt;

use serde_json::{Map, Value};

use super::{Kind, Member, Profile, member::Place, variables::ENVIRONMENT};
use crate::unique::{LONGEST_SHOWN, shown};

/// A member of a document that is not known here. It is kept as it is, and means nothing to this program.
///
/// Example: [`profile`](crate::profile).
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownMember {
    name: String,
    nearest: Option<String>,
}

impl UnknownMember {
    /// Where it is: `authentication.api_kye`. It is as it stands in the file, and so may be anything; what is shown of this type
    /// names only what looks like a member.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The known member that may be meant, if one is spelled almost like it, or has its name in another place.
    #[must_use]
    #[inline]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

impl fmt::Display for UnknownMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = shown(&self.name);
        write!(f, "the member {name} is not known and has no effect")?;
        match &self.nearest {
            Some(nearest) => write!(f, "; `{nearest}` may be meant"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for UnknownMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownMember({self})")
    }
}

impl Profile {
    /// The members that are not known here: they are kept, and mean nothing. Of a type to come only those outside of
    /// `authentication` are told.
    #[must_use]
    #[inline]
    pub fn unknown_members(&self) -> Vec<UnknownMember> {
        let known = known();
        let mut unknown = Vec::new();
        for (prefix, place) in PLACES {
            if place != Place::Top && matches!(self.kind(), Kind::Other(_)) {
                continue; // what a type to come makes of it is its own
            }
            unknown.extend(self.object(place).map(|members| of(members, prefix, &known)).unwrap_or_default());
        }
        unknown
    }
}

/// The members of an object whose paths are not among the known ones.
#[inline]
pub(super) fn of(members: &Map<String, Value>, prefix: &str, known: &[String]) -> Vec<UnknownMember> {
    let paths = members.keys().map(|name| format!("{prefix}{name}"));
    let unknown = paths.filter(|path| !known.contains(path));
    unknown.map(|path| UnknownMember { nearest: nearest(&path, known), name: path }).collect()
}

const PLACES: [(&str, Place); 3] = [
    ("", Place::Top),
    ("authentication.", Place::Authentication),
    ("authentication.identity_token.", Place::IdentityToken),
];

/// The paths of all members that are known.
#[inline]
fn known() -> Vec<String> {
    let others = ["version", "authentication", ENVIRONMENT, "authentication.type"].into_iter();
    let others = others.chain(["authentication.identity_token", "authentication.identity_token.source"]);
    let members = Member::ALL.into_iter().map(|member| {
        let (place, name) = member.position();
        let prefix = PLACES.iter().find(|(_, other)| *other == place).map_or("", |(prefix, _)| prefix);
        format!("{prefix}{name}")
    });
    others.map(str::to_owned).chain(members).collect()
}

/// The known path with the same last name, or with one that differs by little.
#[inline]
fn nearest(path: &str, known: &[String]) -> Option<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let name: String = last(path).chars().take(LONGEST_SHOWN).collect();
    let candidates = known.iter().map(|known| (distance(&name, &last(known)), known));
    let best = candidates.min_by_key(|(distance, _)| *distance)?;
    (best.0 <= 2 && best.0 * 2 < name.len()).then(|| best.1.clone())
}

/// How many letters have to be put in, taken out or replaced to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (done, letter) in one.chars().enumerate() {
        let mut next = vec![done + 1];
        for ((&before, &above), &theirs) in row.iter().zip(row.iter().skip(1)).zip(&other) {
            let left = next.last().copied().unwrap_or_default();
            next.push((before + usize::from(letter != theirs)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_almost_known_leads_to_the_known_one() {
        let known = known();
        for (path, expected) in [
            ("authentication.api_kye", Some("authentication.api_key")),
            ("authentication.apiKey", Some("authentication.api_key")),
            ("api_key", Some("authentication.api_key")),
            ("authentication.base_url", Some("base_url")),
            ("base_ulr", Some("base_url")),
            ("enviroment", Some("environment")),
            ("authentication.identity_token.paths", Some("authentication.identity_token.path")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(path, &known).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_name_that_is_like_no_members_is_not_shown() {
        assert_eq!(shown("authentication.apiKye"), "`authentication.apiKye`");
        let long = "canary".repeat(11);
        for name in ["canary-of-some-shape", "canary2", "can ary", "canary\n", "canäry", &long] {
            assert_eq!(shown(name), "[not shown]");
            let told = of(&[(name.to_owned(), Value::Null)].into_iter().collect(), "", &known());
            assert!(!format!("{} {:?}", told[0], told[0]).contains("can"), "{told:?}");
        }
    }

    #[test]
    fn letters_are_counted() {
        for (one, other, expected) in
            [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("same", "same", 0), ("ab", "", 2)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }
}
