//! The members that were `null`.

use serde_json::{Map, Value};

use super::Places;

/// Which optional fields of an object came as `null`, by their place; they are written back so while nobody sets them.
///
/// It says how an object was written and not what it says, so it is equal to any other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nulls(u64);

impl PartialEq for Nulls {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Nulls {}

impl Nulls {
    /// Takes the members out of `members` that have a place and are `null`.
    pub(crate) fn take(members: &mut Map<String, Value>, places: &Places) -> Self {
        let nulls = places.names.iter().map(|name| {
            let is_null = members.get(*name).is_some_and(Value::is_null);
            if is_null {
                members.remove(*name);
            }
            is_null
        });
        nulls.collect()
    }

    /// Says whether the field `name` came as `null`.
    pub(crate) fn set(&mut self, name: &str, places: &Places, is_null: bool) {
        let place = places.names.iter().position(|place| *place == name);
        let bit = place.and_then(|place| 1_u64.checked_shl(u32::try_from(place).ok()?)).unwrap_or_default();
        self.0 = if is_null { self.0 | bit } else { self.0 & !bit };
    }

    /// Whether any field came so.
    pub(crate) fn are_any(self) -> bool {
        self.0 != 0
    }

    /// Whether the field in the first place was `null`; the second is the first then.
    #[inline]
    pub(crate) fn take_first(&mut self) -> bool {
        let is_null = self.0 & 1 == 1;
        self.0 >>= 1;
        is_null
    }

    /// For each place whether the field there was `null`.
    pub(crate) fn places(self) -> impl Iterator<Item = bool> {
        (0..u64::BITS).map(move |place| self.0 >> place & 1 == 1)
    }
}

/// Objects with more fields than there are bits would write the `null`s of the last ones no more; none is so large.
impl FromIterator<bool> for Nulls {
    fn from_iter<I: IntoIterator<Item = bool>>(nulls: I) -> Self {
        let bits = nulls.into_iter().zip(0..u64::BITS);
        Self(bits.fold(0, |bits, (is_null, place)| bits | u64::from(is_null) << place))
    }
}
