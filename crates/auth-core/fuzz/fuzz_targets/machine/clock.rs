//! Two clocks: that of the world, and what its server writes into `Date`.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use auth_core::{ClockSkew, Offset};
use bytes::Bytes;
use http::{HeaderValue, Response, header::DATE};

use super::shifted;

/// What answers are dated with.
#[derive(Debug, Default)]
pub(crate) enum Dates {
    #[default]
    None,
    /// The server's clock, so many seconds ahead of the world's.
    Ahead(i64),
    /// A header that says anything.
    Text(HeaderValue),
}

impl Dates {
    pub(crate) fn write(&self, answer: &mut Response<Bytes>, now: SystemTime) {
        let date = match self {
            Self::None => None,
            Self::Ahead(seconds) => shifted(now, *seconds).and_then(http_date),
            Self::Text(text) => Some(text.clone()),
        };
        if let Some(date) = date {
            answer.headers_mut().insert(DATE, date);
        }
    }
}

/// Writes a time that HTTP has words for: one before the year 10000.
fn http_date(time: SystemTime) -> Option<HeaderValue> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let date = (since < Duration::from_secs(253_402_300_800)).then(|| httpdate::fmt_http_date(time))?;
    HeaderValue::try_from(date).ok()
}

/// When the tokens of each generation expire, by the clock of the world.
#[derive(Debug, Default)]
pub(crate) struct Expiries(pub(crate) HashMap<u64, Option<SystemTime>>);

impl Expiries {
    /// Follows what the machine learned of its clock, and tells if anything moved.
    pub(crate) fn follow(&mut self, before: &ClockSkew, after: &ClockSkew) -> bool {
        let offset = after.offset();
        if let Offset::Ahead(by) | Offset::Behind(by) = offset {
            assert!(by >= Duration::from_secs(2), "corrected by {by:?}");
        }
        // The first sighting says what the clock has been all along; a later one makes no life longer.
        let moves = before.offset() != offset && before.uncertainty().is_some();
        if moves {
            for expiry in self.0.values_mut() {
                *expiry = expiry.map(|expiry| expiry.min(after.local(before.correct(expiry))));
            }
        }
        moves
    }
}
