//! Sets of scopes.

use std::fmt;

/// A set of scopes, ordered by name (RFC 6749 section 3.3).
///
/// ```
/// use auth_core::ScopeSet;
///
/// let asked = ScopeSet::parse("user:profile user:inference");
/// let given = ScopeSet::parse("user:inference");
/// assert!(given.contains("user:inference"));
/// assert_eq!(asked.difference(&given).to_string(), "user:profile");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// In order, and each once: a list of that kind is a set, and takes less code than a tree.
    fn of(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// Reads the wire form: names with spaces between them.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.split_ascii_whitespace().collect()
    }

    /// Tells whether the set has this scope; names are compared byte for byte.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.binary_search_by(|name| name.as_str().cmp(scope)).is_ok()
    }

    /// Returns the scopes that are in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.only(|name| !other.contains(name))
    }

    /// Returns the scopes that are in either set.
    #[must_use]
    #[inline]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// Returns the scopes that are in both sets.
    #[must_use]
    #[inline]
    pub fn intersection(&self, other: &Self) -> Self {
        self.only(|name| other.contains(name))
    }

    /// Tells whether every scope of this set is in the other; the empty set is in every set.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|name| other.contains(name))
    }

    fn only(&self, is_meant: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|name| is_meant(name)).cloned().collect())
    }

    /// Compares what was asked, which is this set, with what was granted (RFC 6749 section 3.3).
    ///
    /// A server may grant less, and some grant more; both are worth a word before the token is used.
    ///
    /// ```
    /// use auth_core::ScopeSet;
    ///
    /// let asked = ScopeSet::parse("read write");
    /// let change = asked.compare(&ScopeSet::parse("read admin"));
    /// assert!(change.is_narrower() && change.is_wider());
    /// assert_eq!(change.missing.to_string(), "write");
    /// assert_eq!(change.unasked.to_string(), "admin");
    /// ```
    #[must_use]
    pub fn compare(&self, granted: &Self) -> ScopeChange {
        ScopeChange { missing: self.difference(granted), unasked: granted.difference(self) }
    }

    /// Returns how what was granted differs from this set, if it does.
    pub(crate) fn changed_to(&self, granted: &Self) -> Option<ScopeChange> {
        Some(self.compare(granted)).filter(|change| change.is_narrower() || change.is_wider())
    }

    /// Tells whether the set has no scope.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// How what was granted differs from what was asked; [`ScopeSet::compare`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeChange {
    /// The scopes that were asked for and not granted.
    pub missing: ScopeSet,
    /// The scopes that were granted and not asked for.
    pub unasked: ScopeSet,
}

impl ScopeChange {
    /// Tells whether something that was asked for is missing.
    #[must_use]
    pub fn is_narrower(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Tells whether there is something nobody asked for.
    #[must_use]
    pub fn is_wider(&self) -> bool {
        !self.unasked.is_empty()
    }
}

impl<S: Into<String>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self::of(names.into_iter().map(Into::into).collect())
    }
}

/// As a set.
impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopeSet(")?;
        f.debug_set().entries(&self.0).finish()?;
        f.write_str(")")
    }
}

/// Writes the wire form: names with one space between them.
impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_joined_cut_and_compared() {
        let (one, two) = (ScopeSet::parse("a b"), ScopeSet::parse(" b  c "));
        assert!(one.contains("a") && !one.contains("A") && !one.contains("c"));
        assert_eq!(one.union(&two), ScopeSet::parse("a b c"));
        assert_eq!(one.intersection(&two), ScopeSet::parse("b"));
        assert_eq!(one.difference(&two), ScopeSet::parse("a"));
        assert!(one.is_subset(&one) && one.intersection(&two).is_subset(&one));
        assert!(!one.is_subset(&two));
        assert!(ScopeSet::default().is_subset(&two));
        assert_eq!(one.union(&ScopeSet::default()), one);
    }

    /// C45 and C46.
    #[test]
    fn less_and_more_than_was_asked_are_told_apart() {
        let asked = ScopeSet::parse("a b");
        for (granted, narrower, wider) in [
            ("b a", false, false),
            ("a", true, false),
            ("a b c", false, true),
            ("A b", true, true),
            ("", true, false),
        ] {
            let change = asked.compare(&ScopeSet::parse(granted));
            assert_eq!((change.is_narrower(), change.is_wider()), (narrower, wider), "{granted}");
        }
    }
}
