//! The limits of the newest answer, kept as they came until somebody asks for them.

use std::{
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use http::HeaderMap;
use transport::Clock;

use super::{PREFIX, RateLimits};
use crate::metrics::Call;

/// The headers of the newest answer that said something about limits.
///
/// Every answer does, and hardly anybody asks: reading the numbers and the instants costs more than all our layers do.
#[derive(Debug)]
pub(crate) struct Reported {
    came: SystemTime,
    /// How long the value in each place is; nothing where there is none.
    lengths: [u8; NAMES.len()],
    /// Copied: a share in them would keep the whole buffer that they were read into.
    values: [[u8; LONGEST]; NAMES.len()],
}

impl Default for Reported {
    fn default() -> Self {
        Self { came: SystemTime::UNIX_EPOCH, lengths: [0; NAMES.len()], values: [[0; LONGEST]; NAMES.len()] }
    }
}

impl Reported {
    /// Keeps what an answer that has just come says, for all who share it.
    pub(crate) fn keep_in(shared: &Mutex<Self>, headers: &HeaderMap, clock: &dyn Clock) {
        // A call that is measured has just looked at the clock.
        let now = || Call::current(|call| call.answered_at()).flatten().unwrap_or_else(|| clock.now());
        shared.lock().unwrap_or_else(PoisonError::into_inner).note(headers, now);
    }

    /// Keeps what an answer that came at `now` says, in place of what was there; an answer that says nothing changes
    /// nothing.
    pub(crate) fn note(&mut self, headers: &HeaderMap, now: impl FnOnce() -> SystemTime) {
        let mut is_first = true;
        for (name, value) in headers {
            let Some(place) = place(name.as_str()) else { continue };
            if std::mem::take(&mut is_first) {
                self.lengths = [0; NAMES.len()];
            }
            self.keep(place, value.as_bytes());
        }
        if !is_first {
            self.came = now();
        }
    }

    /// Keeps a value, if it is not too long to be one.
    fn keep(&mut self, place: usize, value: &[u8]) {
        if let (Some(length), Some(into)) = (self.lengths.get_mut(place), self.values.get_mut(place))
            && let (Ok(new), Some(into)) = (u8::try_from(value.len()), into.get_mut(..value.len()))
        {
            *length = new;
            into.copy_from_slice(value);
        }
    }

    /// Reads them.
    pub(crate) fn read(&self) -> RateLimits {
        let mut limits = RateLimits::default();
        for (name, (length, value)) in NAMES.iter().zip(self.lengths.iter().zip(&self.values)) {
            let text = value.get(..usize::from(*length)).filter(|text| !text.is_empty());
            if let Some(Ok(text)) = text.map(str::from_utf8) {
                limits.set(name.strip_prefix(PREFIX).unwrap_or(name), text.trim(), self.came);
            }
        }
        limits
    }
}

/// What the headers are called.
const NAMES: [&str; 12] = [
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-limit",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-input-tokens-limit",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-input-tokens-reset",
    "anthropic-ratelimit-output-tokens-limit",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-output-tokens-reset",
];

/// Where a name is in [`NAMES`]. Two of its letters tell which one it can be, so that it is compared with one only, and most
/// names with none.
fn place(name: &str) -> Option<usize> {
    let of_kind = match name.as_bytes().get(PREFIX.len())? {
        b'r' => 0,
        b't' => 3,
        b'i' => 6,
        b'o' => 9,
        _ => return None,
    };
    let place = of_kind
        + match name.as_bytes().last()? {
            b'g' => 1,
            b't' if name.ends_with("set") => 2,
            _ => 0,
        };
    (NAMES.get(place) == Some(&name)).then_some(place)
}

/// Neither a number nor an instant has to be longer, in bytes.
const LONGEST: usize = 39;

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
        let all: Vec<_> = NAMES
            .iter()
            .zip(values.iter().cycle())
            .map(|(name, value)| (&name[PREFIX.len()..], *value))
            .collect();
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

    #[test]
    fn each_name_has_its_place_and_no_other_has_one() {
        for (index, name) in NAMES.iter().enumerate() {
            assert_eq!(place(name), Some(index), "{name}");
        }
        for name in
            ["", "r", "requests", "requests-limits", "planets-limit", "tokens-t", "input-tokensXreset"]
        {
            assert_eq!(place(&format!("{PREFIX}{name}")), None, "{name}");
            assert_eq!(place(name), None, "{name}");
        }
    }
}
