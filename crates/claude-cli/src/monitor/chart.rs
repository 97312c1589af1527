//! What the page draws: points of time with what ran then.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use super::{
    history::{DAY, HOUR, History, MINUTE, Place},
    outcome::{milliseconds, name},
    summary::Summary,
    windows::Windows,
};

/// How far back a chart goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Range {
    Hour,
    Day,
    Month,
    All,
}

/// The most points of one probe.
const POINTS: i64 = 200;
/// As far back as days are kept.
const LONGEST: i64 = 3_650 * DAY;

impl Range {
    /// By its name in the page.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            "month" => Some(Self::Month),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// The last hour, which needs no history. Where the wall clock makes a step, the hour goes along with it.
pub(super) fn hour(windows: &Windows, steady: i64, now: i64) -> Value {
    let minutes = windows.minutes(steady - HOUR).into_iter();
    let moved = minutes.map(|((probe, at), summary)| ((probe, at + now - steady), summary));
    chart(now - HOUR, now, MINUTE, moved.collect())
}

/// What the history has to tell.
pub(super) fn past(range: Range, path: &Path, now: i64) -> rusqlite::Result<Value> {
    let history = History::read(path)?;
    let (step, from, fold) = match range {
        Range::Hour => (MINUTE, now - HOUR, MINUTE),
        Range::Day => (MINUTE, now - DAY, 10 * MINUTE),
        Range::Month => (HOUR, now - 30 * DAY, 4 * HOUR),
        Range::All => {
            // What a clock says that has not been set yet is no beginning.
            let first = history.first_day()?.unwrap_or(now).max(now - LONGEST);
            let from = first.min(now - DAY);
            // Never so narrow that a clock that was wrong makes a million points.
            (DAY, from, ((now - from) / DAY / POINTS + 1) * DAY)
        }
    };
    Ok(chart(from, now, fold, history.summaries(step, from, now)?))
}

/// Of each probe `[when, median, 95 %, part that failed, runs]`, with `fold` seconds in a point.
fn chart(from: i64, to: i64, fold: i64, summaries: Vec<(Place, Summary)>) -> Value {
    let mut points: BTreeMap<Place, Summary> = BTreeMap::new();
    for ((probe, at), summary) in summaries {
        points.entry((probe, at - at.rem_euclid(fold))).or_default().merge(&summary);
    }
    let mut series: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for ((probe, at), summary) in points {
        let time = |per_mille| summary.percentile(per_mille).map(milliseconds);
        let point = json!([at.max(from), time(500), time(950), summary.error_rate(), summary.runs()]);
        series.entry(name(probe)).or_default().push(point);
    }
    json!({"from": from, "to": to, "series": series})
}
