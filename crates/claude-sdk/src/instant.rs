//! Instants in text, as RFC 3339 writes them.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// The last second that four digits of a year can tell.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// Reads an instant since 1970 with its offset from UTC, such as `2027-01-15T08:00:00.5Z` or `2027-01-15T09:00:00+01:00`.
pub(crate) fn read(text: &str) -> Option<SystemTime> {
    let text = text.to_ascii_uppercase();
    let (local, offset) = match text.strip_suffix('Z') {
        Some(utc) => (utc, "+00:00"),
        None => text.split_at_checked(text.len().checked_sub(6)?)?,
    };
    if !local.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    let time = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let offset_of = |hours: u64, minutes: u64| Duration::from_secs((hours * 60 + minutes) * 60);
    let away = offset_of(digits(hours, 23)?, digits(minutes, 59)?);
    match offset.get(..1)? {
        "+" => time.checked_sub(away),
        "-" => time.checked_add(away),
        _ => None,
    }
}

/// Two digits of at most `most`.
fn digits(text: &str, most: u64) -> Option<u64> {
    let number = text.parse().ok().filter(|number| *number <= most)?;
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// Writes an instant in whole seconds, not earlier than it is; `None` before 1970 and after the year 9999.
pub(crate) fn written(at: SystemTime) -> Option<impl fmt::Display> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let whole = Duration::from_secs(since.as_secs() + u64::from(since.subsec_nanos() > 0));
    (whole <= LAST).then(|| humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + whole))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64, nanoseconds: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)
    }

    #[test]
    fn offsets_fractions_and_small_letters_are_understood() {
        for text in [
            "2027-01-15T08:00:00Z",
            "2027-01-15t08:00:00z",
            "2027-01-15T08:00:00.000Z",
            "2027-01-15T09:30:00+01:30",
            "2027-01-14T20:00:00-12:00",
            "2027-01-15T08:00:00.000000+00:00",
        ] {
            assert_eq!(read(text), Some(at(1_800_000_000, 0)), "{text}");
        }
        assert_eq!(read("2027-01-15T08:00:00.25Z"), Some(at(1_800_000_000, 250_000_000)));
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "Z",
            "soon",
            "2027-01-15",
            "2027-01-15T08:00:00",
            "2027-02-30T08:00:00Z",
            "2027-01-15T08:00:00+1:00",
            "2027-01-15T08:00:00+24:00",
            "2027-01-15T08:00:00+01:60",
            "2027-01-15T08:00:00*01:00",
            "2027-01-15T08:00:00++1:00",
            "2027-01-15T08:00:00\u{20ac}1:00",
            "2027-01-15T08:00:00Z+01:00",
            "2027-01-15T08:00:00ZZ",
            "2027-01-15T08:00:00.Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_none() {
        assert_eq!(written(at(1_799_999_999, 1)).unwrap().to_string(), "2027-01-15T08:00:00Z");
        assert_eq!(written(at(253_402_300_799, 0)).unwrap().to_string(), "9999-12-31T23:59:59Z");
        assert!(written(at(253_402_300_799, 1)).is_none());
        assert!(written(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).is_none());
    }

    proptest! {
        #[test]
        fn another_library_reads_and_writes_the_same(
            seconds in 0u64..253_402_300_799,
            nanoseconds in 0u32..1_000_000_000,
            minutes in -1439i64..1440,
        ) {
            let time = at(seconds, nanoseconds);
            let local = Timestamp::try_from(time).unwrap() + jiff::SignedDuration::from_mins(minutes);
            let sign = if minutes < 0 { '-' } else { '+' };
            let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
            let text = local.to_string().replace('Z', &format!("{sign}{hours:02}:{rest:02}"));
            if text.len() >= 25 && !text.starts_with('-') && local.as_second() >= 0 {
                prop_assert_eq!(read(&text), Some(time), "{}", text);
            }
            let whole = Timestamp::try_from(at(seconds, 0)).unwrap();
            prop_assert_eq!(written(at(seconds, 0)).unwrap().to_string(), whole.to_string());
        }
    }
}
