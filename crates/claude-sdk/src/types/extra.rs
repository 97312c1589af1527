//! The members that have no field.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, map};

/// The members of an object that have no field in its type, or whose value does not fit their field: a [`Map`] in all but
/// name.
///
/// Most objects have none, and every object has a place for them. So it is a word that is empty mostly, and where it is not,
/// copies share one map until one of them changes. To take the map itself, use `Map::from`.
///
/// ```
/// use claude_sdk::types::TextBlock;
///
/// let mut block = TextBlock::new("Hello");
/// block.extra.insert("mood".to_owned(), "good".into());
/// assert_eq!(block.extra["mood"], "good");
/// assert_eq!(block.extra.len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct Extra(Option<Arc<Map<String, Value>>>);

impl Extra {
    /// No member.
    #[must_use]
    pub fn new() -> Self {
        Self(None)
    }

    /// Takes a member out, where there is one.
    #[inline]
    pub(crate) fn forget(&mut self, name: &str) {
        if let Some(members) = &mut self.0 {
            Arc::make_mut(members).remove(name);
        }
    }
}

impl Deref for Extra {
    type Target = Map<String, Value>;

    #[inline(never)]
    fn deref(&self) -> &Self::Target {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Extra {
    #[inline(never)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for Extra {
    #[inline(never)]
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl PartialEq<Map<String, Value>> for Extra {
    fn eq(&self, other: &Map<String, Value>) -> bool {
        **self == *other
    }
}

impl From<Map<String, Value>> for Extra {
    #[inline(never)]
    fn from(members: Map<String, Value>) -> Self {
        Self((!members.is_empty()).then(|| Arc::new(members)))
    }
}

impl From<Extra> for Map<String, Value> {
    fn from(extra: Extra) -> Self {
        extra.0.map(Arc::unwrap_or_clone).unwrap_or_default()
    }
}

impl FromIterator<(String, Value)> for Extra {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self::from(Map::from_iter(members))
    }
}

impl Extend<(String, Value)> for Extra {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, members: I) {
        (**self).extend(members);
    }
}

impl IntoIterator for Extra {
    type Item = (String, Value);
    type IntoIter = map::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        Map::from(self).into_iter()
    }
}

impl<'a> IntoIterator for &'a Extra {
    type Item = (&'a String, &'a Value);
    type IntoIter = map::Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one() -> Extra {
        Extra::from_iter([("a".to_owned(), json!(1))])
    }

    #[test]
    fn a_copy_is_changed_alone() {
        let first = one();
        let mut second = first.clone();
        second.insert("b".to_owned(), json!(2));
        assert_eq!((first.len(), second.len()), (1, 2));
        assert_eq!(Map::from(first), *one());
    }

    #[test]
    fn what_was_taken_out_leaves_the_same_as_what_was_never_there() {
        let mut extra = one();
        extra.forget("a");
        assert_eq!(extra, Extra::new());
        extra.forget("a");
        assert_eq!(format!("{extra:?}"), "{}");
    }
}
