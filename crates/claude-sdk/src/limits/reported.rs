//! The limits of the newest answer, kept as they came until somebody asks for them.

use std::time::SystemTime;

use http::HeaderMap;

use super::{PREFIX, RateLimits};

/// The headers of the newest answer that said something about limits.
///
/// Every answer does, and hardly anybody asks: reading the numbers and the instants costs more than all our layers do.
#[derive(Debug)]
pub(crate) struct Reported {
    came: SystemTime,
    values: [Value; NAMES.len()],
}

/// What the headers are called after their prefix; each has its place.
const NAMES: [&str; 12] = [
    "requests-limit",
    "requests-remaining",
    "requests-reset",
    "tokens-limit",
    "tokens-remaining",
    "tokens-reset",
    "input-tokens-limit",
    "input-tokens-remaining",
    "input-tokens-reset",
    "output-tokens-limit",
    "output-tokens-remaining",
    "output-tokens-reset",
];

/// A value, copied: a share in it would keep the whole buffer it was read into. A longer one than a number or an instant
/// has to be is dropped.
#[derive(Clone, Copy, Debug)]
struct Value {
    length: u8,
    text: [u8; 39],
}

impl Default for Reported {
    fn default() -> Self {
        Self { came: SystemTime::UNIX_EPOCH, values: [Value::NONE; NAMES.len()] }
    }
}

impl Reported {
    /// Keeps what an answer that came at `now` says, in place of what was there; an answer that says nothing changes
    /// nothing.
    pub(crate) fn note(&mut self, headers: &HeaderMap, now: impl FnOnce() -> SystemTime) {
        let mut next = 0;
        let mut found = headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(PREFIX)?;
            // Mostly they come in this order.
            let expected = NAMES.get(next).is_some_and(|known| *known == name);
            let place = if expected { next } else { NAMES.iter().position(|known| *known == name)? };
            next = place + 1;
            Some((place, value.as_bytes()))
        });
        let Some(first) = found.next() else { return };
        *self = Self { came: now(), ..Self::default() };
        for (place, text) in std::iter::once(first).chain(found) {
            if let Some(value) = self.values.get_mut(place) {
                *value = Value::of(text);
            }
        }
    }

    /// Reads them.
    pub(crate) fn read(&self) -> RateLimits {
        let mut limits = RateLimits::default();
        for (name, value) in NAMES.iter().zip(&self.values) {
            if let Some(text) = value.text() {
                limits.set(name, text, self.came);
            }
        }
        limits
    }
}

impl Value {
    const NONE: Self = Self { length: 0, text: [0; 39] };

    fn of(text: &[u8]) -> Self {
        let mut value = Self::NONE;
        if let (Some(into), Ok(length)) = (value.text.get_mut(..text.len()), u8::try_from(text.len())) {
            into.copy_from_slice(text);
            value.length = length;
        }
        value
    }

    fn text(&self) -> Option<&str> {
        let text = self.text.get(..usize::from(self.length)).filter(|text| !text.is_empty())?;
        std::str::from_utf8(text).ok().map(str::trim)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&str, &str)| {
            let name = http::HeaderName::try_from(format!("{PREFIX}{name}")).unwrap();
            (name, value.parse().unwrap())
        };
        pairs.iter().map(header).collect()
    }

    #[test]
    fn what_is_read_later_is_what_would_have_been_read_at_once() {
        let values = ["1000", "999", "2027-01-01T00:00:30.123456789+01:00"];
        let all: Vec<_> =
            NAMES.iter().zip(values.iter().cycle()).map(|(name, value)| (*name, *value)).collect();
        let headers = headers(&all);
        let came = SystemTime::UNIX_EPOCH + Duration::from_secs(1_798_700_000);
        let mut reported = Reported::default();
        reported.note(&headers, || came);
        assert_eq!(reported.read(), RateLimits::from_headers(&headers, came));
        assert_eq!(reported.read().output_tokens.remaining, Some(999));
    }

    #[test]
    fn an_answer_that_says_nothing_changes_nothing_and_one_that_says_less_takes_the_place() {
        let came = || SystemTime::UNIX_EPOCH;
        let mut reported = Reported::default();
        assert!(reported.read().is_empty());
        reported.note(&headers(&[("requests-limit", "50"), ("tokens-limit", "7")]), came);
        reported.note(&HeaderMap::new(), came);
        reported.note(&headers(&[("planets-limit", "9")]), came);
        assert_eq!(reported.read().tokens.limit, Some(7));
        reported.note(&headers(&[("requests-limit", "60")]), came);
        assert_eq!((reported.read().requests.limit, reported.read().tokens.limit), (Some(60), None));
    }

    #[test]
    fn what_is_too_long_to_be_a_number_or_an_instant_is_dropped() {
        let mut reported = Reported::default();
        let long = "9".repeat(40);
        reported.note(&headers(&[("requests-limit", &long), ("requests-remaining", " 8 ")]), || {
            SystemTime::UNIX_EPOCH
        });
        assert_eq!((reported.read().requests.limit, reported.read().requests.remaining), (None, Some(8)));
    }
}
