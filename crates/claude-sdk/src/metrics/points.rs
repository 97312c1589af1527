//! What a measurement is in terms of instruments: the same for every sink.

use super::{
    Instrument, Labels, Measurement,
    instruments::{
        CACHE_TOKENS, DURATION, LIMITER_WAIT, OUTPUT_SPEED, RATE_LIMITED, REFRESHES, RETRIES,
        TIME_TO_FIRST_CHUNK, TIME_TO_HEADERS, TOKEN_USAGE,
    },
};
use crate::error::of_status;

/// One number for one instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) instrument: &'static Instrument,
    pub(super) value: Value,
    pub(super) labels: Option<&'a Labels>,
    /// A label beside these.
    pub(super) extra: Option<(&'static str, &'static str)>,
    /// Which of the [`COMMON`] it is: where what a sink has made of it is found without a search.
    pub(super) place: Option<usize>,
}

/// How many points there are that calls come to which go well.
pub(super) const COMMON: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// For a histogram of times and speeds.
    Observed(f64),
    /// For a histogram of tokens.
    Counted(u64),
    /// For a counter.
    Added(u64),
}

/// Gives each of the points that `measurement` is.
pub(super) fn points<'a>(measurement: &Measurement<'a>, mut give: impl FnMut(Point<'a>)) {
    let mut point = |instrument, value, labels, extra, place| {
        give(Point { instrument, value, labels, extra, place });
    };
    match *measurement {
        Measurement::Call { labels, took, error, status: _ } => {
            let (took, error) = (Value::Observed(took.as_secs_f64()), error.map(of_error));
            point(&DURATION, took, Some(labels), error, well(error, 0));
        }
        Measurement::Headers { labels, took, status } => {
            let (took, error) = (Value::Observed(took.as_secs_f64()), of_status(status).map(of_error));
            point(&TIME_TO_HEADERS, took, Some(labels), error, well(error, 1));
        }
        Measurement::FirstToken { labels, took } => {
            point(&TIME_TO_FIRST_CHUNK, Value::Observed(took.as_secs_f64()), Some(labels), None, Some(2));
        }
        Measurement::Speed { labels, tokens_per_second } => {
            point(&OUTPUT_SPEED, Value::Observed(tokens_per_second), Some(labels), None, Some(3));
        }
        Measurement::Tokens { labels, used } => {
            let labels = Some(labels);
            let of_type = |kind| Some(("gen_ai.token.type", kind));
            point(&TOKEN_USAGE, Value::Counted(used.all_input()), labels, of_type("input"), Some(4));
            point(&TOKEN_USAGE, Value::Counted(used.output), labels, of_type("output"), Some(5));
            for (tokens, access) in [(used.cache_read, "read"), (used.cache_write, "write")] {
                if tokens > 0 {
                    let access = Some(("claude.cache.access", access));
                    point(&CACHE_TOKENS, Value::Added(tokens), labels, access, None);
                }
            }
        }
        Measurement::Retry { labels, reason } => {
            let reason = Some(("claude.retry.reason", reason));
            point(&RETRIES, Value::Added(1), Some(labels), reason, None);
        }
        Measurement::RateLimited { labels } => {
            point(&RATE_LIMITED, Value::Added(1), Some(labels), None, None);
        }
        Measurement::LimiterWait { labels, took } => {
            point(&LIMITER_WAIT, Value::Observed(took.as_secs_f64()), Some(labels), None, None);
        }
        Measurement::Refresh { error } => point(&REFRESHES, Value::Added(1), None, error.map(of_error), None),
    }
}

/// A place, for what went well.
fn well(error: Option<(&str, &str)>, place: usize) -> Option<usize> {
    error.is_none().then_some(place)
}

fn of_error(error: &'static str) -> (&'static str, &'static str) {
    ("error.type", error)
}

/// Whose models they are, in the conventions' words.
pub(super) const PROVIDER: &str = "anthropic";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::metrics::{INSTRUMENTS, Tokens, series::Prepared};

    fn labels() -> Labels {
        let prepared = Prepared::default();
        Labels { operation: "chat", model: None, server_address: None, server_port: None, prepared }
    }

    fn read(measurement: Measurement<'_>) -> Vec<(&'static str, Value, Option<&'static str>)> {
        let mut read = Vec::new();
        points(&measurement, |point| {
            read.push((point.instrument.name, point.value, point.extra.map(|(_, value)| value)));
        });
        read
    }

    #[test]
    fn the_cache_is_part_of_the_input_and_counted_apart_where_it_was_used() {
        let labels = labels();
        let used = Tokens { input: 5, output: 7, cache_write: 0, cache_read: 100 };
        assert_eq!(
            read(Measurement::Tokens { labels: &labels, used }),
            [
                ("gen_ai.client.token.usage", Value::Counted(105), Some("input")),
                ("gen_ai.client.token.usage", Value::Counted(7), Some("output")),
                ("claude.client.cache.tokens", Value::Added(100), Some("read")),
            ]
        );
    }

    #[test]
    fn an_attempt_that_was_refused_is_told_from_one_that_went_well() {
        let labels = labels();
        let took = Duration::from_millis(250);
        for (status, error) in [
            (200, None),
            (429, Some("rate_limit_error")),
            (529, Some("overloaded_error")),
            (418, Some("other")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let measurement = Measurement::Headers { labels: &labels, took, status };
            assert_eq!(read(measurement), [("claude.client.time_to_headers", Value::Observed(0.25), error)]);
        }
    }

    /// What is made for one would be used for the other.
    #[test]
    fn no_two_points_have_one_place() {
        let (labels, took) = (&labels(), Duration::from_millis(250));
        let used = Tokens { input: 5, output: 7, cache_write: 1, cache_read: 1 };
        let mut places = std::collections::BTreeMap::new();
        for error in [None, Some("timeout")] {
            for status in [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
                for measurement in [
                    Measurement::Call { labels, took, error, status: Some(status) },
                    Measurement::Headers { labels, took, status },
                    Measurement::FirstToken { labels, took },
                    Measurement::Speed { labels, tokens_per_second: 1.0 },
                    Measurement::Tokens { labels, used },
                    Measurement::LimiterWait { labels, took },
                ] {
                    points(&measurement, |point| {
                        let name = (point.instrument.name, point.extra);
                        if let Some(place) = point.place {
                            assert_eq!(*places.entry(place).or_insert(name), name);
                        }
                    });
                }
            }
        }
        assert_eq!(places.into_keys().collect::<Vec<_>>(), (0..COMMON).collect::<Vec<_>>());
    }

    #[test]
    fn buckets_rise_and_each_name_is_used_once() {
        for (index, instrument) in INSTRUMENTS.iter().enumerate() {
            assert!(instrument.buckets.is_sorted_by(|a, b| a < b), "{}", instrument.name);
            assert!(INSTRUMENTS[index + 1..].iter().all(|other| other.name != instrument.name));
        }
    }
}
