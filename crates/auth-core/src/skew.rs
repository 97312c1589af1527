//! How far the clock of this machine is from the server's.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap,
    header::{AGE, DATE},
};

/// One second, in the unit of this file: nanoseconds, signed and wide enough for the distance of any two times.
const SECOND: i128 = 1_000_000_000;
/// A correction that is wrong by less than this is left alone.
const TOLERANCE: i128 = 2 * SECOND;
/// A correction beyond this takes two sightings.
const BELIEVABLE: i128 = 24 * 60 * 60 * SECOND;

/// Estimates how far the clock of this machine is from the server's, and corrects what it says.
///
/// A server measures an assertion's `iat`, `nbf` and `exp` by its own clock; a machine whose clock is an hour wrong
/// could not log in at all. Feed every answer to [`observe`](Self::observe) before its time is used, and give
/// [`correct`](Self::correct)ed times to what is judged by the server's clock: assertions above all. An expiry that was
/// read with a corrected time is the server's; compare it with a corrected time, or bring it back with
/// [`local`](Self::local).
///
/// Keep one per server, since their clocks differ, and feed it no answer that came without TLS: whoever writes the
/// `Date` moves the correction. A [`TokenMachine`](crate::TokenMachine) has one of its own and does all of this itself.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::{ClockSkew, Offset};
/// use http::{HeaderMap, HeaderValue, header::DATE};
///
/// let mut skew = ClockSkew::default();
/// let sent = SystemTime::UNIX_EPOCH + Duration::from_secs(784_108_177);
/// let received = sent + Duration::from_millis(200);
/// let mut headers = HeaderMap::new();
/// headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
///
/// let change = skew.observe(&headers, sent, received).unwrap();
/// assert_eq!(change.offset, Offset::Ahead(Duration::from_millis(3_600_400)));
/// assert_eq!(change.to_string(), "this machine's clock is 3600 s behind the server's; set it to the right time");
/// assert_eq!(skew.uncertainty(), Some(Duration::from_millis(600)));
/// assert_eq!(skew.correct(received), received + Duration::from_millis(3_600_400));
/// assert_eq!(skew.local(skew.correct(received)), received);
/// ```
///
/// # The rule
///
/// - `Date` has no fractions (RFC 9110 section 5.6.7) and is written at some moment while the server makes its answer
///   (section 6.6.1). So the server's clock stood somewhere in the second that begins at the date, at some moment
///   between `sent` and `received`; the offset is at least `date - received` and less than `date + 1 s - sent`. That is a
///   *sighting*.
/// - Sightings that agree narrow each other down. One that contradicts the others replaces them: a clock was set.
/// - The correction stays while sightings allow it, or while it is less than 2 s from their middle. Otherwise it moves
///   to the middle; or to zero, if zero is allowed or less than 2 s from there.
/// - A new correction of more than 24 h is distrusted: it takes two sightings that agree, with no other between them.
///   The way back takes one.
/// - No sighting: an answer with no `Date`, with several or with one that cannot be read; an answer with an `Age`,
///   which comes from a cache and is old (RFC 9111 section 5.1); and one that was received before it was sent, because the
///   clock was set back in between.
#[derive(Debug, Clone, Default)]
pub struct ClockSkew {
    /// What is added to the time of this machine.
    correction: i128,
    /// What the sightings since the last contradiction allow.
    allowed: Option<Sighting>,
    /// The last sighting, if it was distrusted.
    distrusted: Option<Sighting>,
}

impl ClockSkew {
    /// Learns from an answer, and tells if the correction changed.
    ///
    /// Both times are what the clock of this machine said, not corrected: just before the request was sent, and as
    /// soon as the headers of the answer were there. A reading too early for the one or too late for the other costs
    /// precision only. Any status will do. `None` is the normal case: nothing changed.
    pub fn observe(
        &mut self,
        response_headers: &HeaderMap,
        sent: SystemTime,
        received: SystemTime,
    ) -> Option<SkewChange> {
        let sighting = Sighting::new(date(response_headers)?, sent, received)?;
        let allowed = self.trust(sighting)?;
        self.allowed = Some(allowed);
        if allowed.contains(self.correction) || (allowed.middle() - self.correction).abs() < TOLERANCE {
            return None;
        }
        self.correction = allowed.correction();
        Some(SkewChange { offset: self.offset() })
    }

    /// Returns the correction: where the server's clock is, seen from here.
    ///
    /// It is zero, or at least 2 s.
    #[must_use]
    pub fn offset(&self) -> Offset {
        let distance = distance(self.correction, 0);
        match self.correction {
            0 => Offset::Zero,
            1.. => Offset::Ahead(distance),
            _ => Offset::Behind(distance),
        }
    }

    /// Returns how far the true offset can be from [`offset`](Self::offset), in either direction.
    ///
    /// `None` before the first sighting. It holds as long as both clocks run at the same speed and nobody sets them;
    /// when somebody does, the next sightings tell. Whoever writes an `nbf` or `iat` may subtract it.
    #[must_use]
    pub fn uncertainty(&self) -> Option<Duration> {
        let Sighting { from, to } = self.allowed?;
        Some(distance(from, self.correction).max(distance(to, self.correction)))
    }

    /// Returns the server's time for a time of this machine.
    ///
    /// A time too far away to be corrected is returned as it is.
    #[must_use]
    pub fn correct(&self, local: SystemTime) -> SystemTime {
        moved(local, self.offset())
    }

    /// Returns the time of this machine for a time of the server: the way back from [`correct`](Self::correct).
    #[must_use]
    pub fn local(&self, server: SystemTime) -> SystemTime {
        moved(server, self.offset().back())
    }

    /// Returns what is allowed after this sighting; `None` if it is distrusted, for now.
    fn trust(&mut self, sighting: Sighting) -> Option<Sighting> {
        let distrusted = self.distrusted.take();
        if let Some(narrower) = self.allowed.and_then(|allowed| allowed.and(sighting)) {
            return Some(narrower);
        }
        if sighting.correction().abs() <= BELIEVABLE {
            return Some(sighting);
        }
        let confirmed = distrusted.and_then(|first| first.and(sighting));
        if confirmed.is_none() {
            self.distrusted = Some(sighting);
        }
        confirmed
    }
}

/// Where the server's clock is, seen from the clock of this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Offset {
    /// The two agree, as far as it matters.
    #[default]
    Zero,
    /// The server's clock is ahead by this much: the one of this machine is slow.
    Ahead(Duration),
    /// The server's clock is behind by this much: the one of this machine is fast.
    Behind(Duration),
}

impl Offset {
    fn back(self) -> Self {
        match self {
            Self::Zero => Self::Zero,
            Self::Ahead(by) => Self::Behind(by),
            Self::Behind(by) => Self::Ahead(by),
        }
    }
}

/// A new correction; [`ClockSkew::observe`] tells.
///
/// `Display` is a sentence for whoever can set the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkewChange {
    /// Where the server's clock is from now on.
    pub offset: Offset,
}

impl fmt::Display for SkewChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, word) = match self.offset {
            Offset::Zero => return f.write_str("this machine's clock agrees with the server's again"),
            Offset::Ahead(by) => (by, "behind"),
            Offset::Behind(by) => (by, "ahead of"),
        };
        write!(f, "this machine's clock is {} s {word} the server's; set it to the right time", by.as_secs())
    }
}

/// The offsets that an answer allows: from the first one, up to and without the other.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    from: i128,
    to: i128,
}

impl Sighting {
    fn new(date: SystemTime, sent: SystemTime, received: SystemTime) -> Option<Self> {
        (sent <= received).then(|| Self { from: since(date, received), to: since(date, sent) + SECOND })
    }

    /// Returns what both allow, if there is anything.
    fn and(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from < both.to).then_some(both)
    }

    fn contains(self, offset: i128) -> bool {
        self.from <= offset && offset < self.to
    }

    fn middle(self) -> i128 {
        self.from + (self.to - self.from) / 2
    }

    /// Returns the correction for these offsets: none at all, if that will do.
    fn correction(self) -> i128 {
        let middle = self.middle();
        if self.contains(0) || middle.abs() < TOLERANCE { 0 } else { middle }
    }
}

/// Returns a time moved by an offset, or as it is where there is no such time.
fn moved(time: SystemTime, offset: Offset) -> SystemTime {
    let moved = match offset {
        Offset::Zero => Some(time),
        Offset::Ahead(by) => time.checked_add(by),
        Offset::Behind(by) => time.checked_sub(by),
    };
    moved.unwrap_or(time)
}

/// Reads when the server says that it wrote this answer.
fn date(headers: &HeaderMap) -> Option<SystemTime> {
    let mut dates = headers.get_all(DATE).iter();
    let (Some(date), None, false) = (dates.next(), dates.next(), headers.contains_key(AGE)) else {
        return None;
    };
    httpdate::parse_http_date(date.to_str().ok()?).ok()
}

/// Returns the nanoseconds from one time to another; negative if the first is earlier.
fn since(time: SystemTime, other: SystemTime) -> i128 {
    match time.duration_since(other) {
        Ok(later) => later.as_nanos().cast_signed(),
        Err(earlier) => -earlier.duration().as_nanos().cast_signed(),
    }
}

/// Returns how far apart two offsets are.
fn distance(one: i128, other: i128) -> Duration {
    let nanos = one.abs_diff(other).min(Duration::MAX.as_nanos());
    Duration::from_nanos_u128(nanos)
}
