//! The server's own clock: the machine's, or one that is held; in both cases it can be moved forward.
#![expect(
    clippy::disallowed_methods,
    reason = "this file owns the server's clock, its pauses and its default seed"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// Seconds from 1970 to the year 3000: later starts would leave the range that HTTP dates can name.
const LATEST_START: u64 = 32_503_680_000;

/// Time as the server sees it: how long it has run, and what its calendar says.
///
/// It never goes back: a running clock is monotonic, a held one moves only by [`Clock::advance`].
#[derive(Debug)]
pub(crate) struct Clock {
    start: SystemTime,
    running_since: Option<Instant>,
    advanced_nanos: AtomicU64,
}

impl Clock {
    pub(crate) fn running() -> Self {
        Self::new(SystemTime::now(), Some(Instant::now()))
    }

    pub(crate) fn held_at(start: SystemTime) -> Option<Self> {
        let since_1970 = start.duration_since(UNIX_EPOCH).ok()?;
        (since_1970.as_secs() <= LATEST_START).then(|| Self::new(start, None))
    }

    fn new(start: SystemTime, running_since: Option<Instant>) -> Self {
        Self { start, running_since, advanced_nanos: AtomicU64::new(0) }
    }

    /// How long the server has run. Everything that expires is measured on this scale.
    pub(crate) fn now(&self) -> Duration {
        let ran = self.running_since.map_or(Duration::ZERO, |since| since.elapsed());
        ran + Duration::from_nanos(self.advanced_nanos.load(Ordering::Relaxed))
    }

    /// The calendar time of a moment on the scale of [`Clock::now`].
    pub(crate) fn wall(&self, at: Duration) -> SystemTime {
        self.start.checked_add(at).unwrap_or(self.start)
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let add = |advanced: u64| Some(advanced.saturating_add(by));
        // The closure always answers, so the update always succeeds.
        let _ = self.advanced_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

/// Dates as headers, of which the last is written only once: most are of the same second.
#[derive(Debug, Default)]
pub(crate) struct Dates(Option<(u64, HeaderValue)>);

impl Dates {
    /// The header for a second since 1970, written by `write` if it is another than the last.
    pub(crate) fn header(&mut self, second: u64, write: impl FnOnce() -> String) -> Option<HeaderValue> {
        if let Some((known, header)) = &self.0
            && *known == second
        {
            return Some(header.clone());
        }
        let header = HeaderValue::try_from(write()).ok()?;
        self.0 = Some((second, header.clone()));
        Some(header)
    }
}

/// A pause of real time, whatever the server's clock says: for bytes that come one by one.
pub(crate) fn pause(length: Duration) -> tokio::time::Sleep {
    tokio::time::sleep(length)
}

/// A seed that differs from run to run. It need not be hard to guess: nothing real is behind this server.
pub(crate) fn seed(port: u16) -> u64 {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    (u64::from(nanos) << 32) ^ (u64::from(port) << 16) ^ u64::from(std::process::id())
}

/// The seconds since 1970, begun ones included.
pub(crate) fn rounded_up(at: SystemTime) -> u64 {
    let since_1970 = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    since_1970.as_secs() + u64::from(since_1970.subsec_nanos() > 0)
}

/// Writes a moment as RFC 3339 in UTC, to the second and rounded up: a reset is never announced too early.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    let seconds = rounded_up(at);
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a count of days since 1970-01-01, by walking the calendar's cycles.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    // 400 years are always 146 097 days.
    year += days / 146_097 * 400;
    days %= 146_097;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (1_795_478_400, "2026-11-24T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (32_503_680_000, "3000-01-01T00:00:00Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_part_of_a_second_counts_as_a_whole_one() {
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(1)), "1970-01-01T00:00:01Z");
    }

    #[test]
    fn a_held_clock_moves_only_when_told() {
        let clock = Clock::held_at(UNIX_EPOCH).unwrap();
        assert_eq!(clock.now(), Duration::ZERO);
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), Duration::from_secs(5));
        assert_eq!(clock.wall(clock.now()), UNIX_EPOCH + Duration::from_secs(5));
    }

    #[test]
    fn no_jump_is_too_long() {
        let clock = Clock::held_at(UNIX_EPOCH).unwrap();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.wall(clock.now()) > UNIX_EPOCH);
        assert!(httpdate::fmt_http_date(clock.wall(clock.now())).ends_with("GMT"));
    }
}
