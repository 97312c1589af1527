//! What a measurement is in terms of instruments: the same for every sink.

use std::time::Duration;

use super::{
    Instrument, Measurement, Tokens,
    instruments::{
        CACHE_TOKENS, DURATION, LIMITER_WAIT, OUTPUT_SPEED, RATE_LIMITED, REFRESHES, RETRIES,
        TIME_TO_FIRST_CHUNK, TIME_TO_HEADERS, TOKEN_USAGE,
    },
};
use crate::error::of_status;

/// Which of the series that have the same labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Of {
    Common(Common),
    Other(Name),
}

/// An instrument, and a label beside those of the call.
pub(super) type Name = (&'static Instrument, Option<(&'static str, &'static str)>);

/// Those that calls come to which go well; each has a place where it is found without a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Common {
    Duration,
    TimeToHeaders,
    TimeToFirstChunk,
    OutputSpeed,
    Input,
    Output,
}

impl Common {
    pub(super) const COUNT: usize = Self::Output as usize + 1;

    fn instrument(self) -> &'static Instrument {
        match self {
            Self::Duration => &DURATION,
            Self::TimeToHeaders => &TIME_TO_HEADERS,
            Self::TimeToFirstChunk => &TIME_TO_FIRST_CHUNK,
            Self::OutputSpeed => &OUTPUT_SPEED,
            Self::Input | Self::Output => &TOKEN_USAGE,
        }
    }

    fn label(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Input => Some(("gen_ai.token.type", "input")),
            Self::Output => Some(("gen_ai.token.type", "output")),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// For a histogram of times and speeds.
    Observed(f64),
    /// For a histogram of tokens.
    Counted(u64),
    /// For a counter.
    Added(u64),
}

impl Of {
    pub(super) fn name(self) -> Name {
        match self {
            Self::Common(common) => (common.instrument(), common.label()),
            Self::Other(name) => name,
        }
    }
}

/// Gives each of the points that `measurement` is.
pub(super) fn points(measurement: &Measurement<'_>, give: &mut dyn FnMut(Of, Value)) {
    match *measurement {
        Measurement::Call { took, error, used, tokens_per_second, .. } => {
            if let Some(used) = used {
                tokens(used, give);
            }
            if let Some(speed) = tokens_per_second {
                give(Of::Common(Common::OutputSpeed), Value::Observed(speed));
            }
            give(well(Common::Duration, error), seconds(took));
        }
        Measurement::Headers { took, status, .. } => {
            give(well(Common::TimeToHeaders, of_status(status)), seconds(took));
        }
        Measurement::FirstToken { took, .. } => give(Of::Common(Common::TimeToFirstChunk), seconds(took)),
        Measurement::Retry { reason, .. } => {
            give(Of::Other((&RETRIES, Some(("claude.retry.reason", reason)))), Value::Added(1));
        }
        Measurement::RateLimited { .. } => give(Of::Other((&RATE_LIMITED, None)), Value::Added(1)),
        Measurement::LimiterWait { took, .. } => give(Of::Other((&LIMITER_WAIT, None)), seconds(took)),
        Measurement::Refresh { error } => {
            give(Of::Other((&REFRESHES, error.map(of_error))), Value::Added(1));
        }
    }
}

fn seconds(took: Duration) -> Value {
    Value::Observed(took.as_secs_f64())
}

fn tokens(used: Tokens, give: &mut dyn FnMut(Of, Value)) {
    give(Of::Common(Common::Input), Value::Counted(used.all_input()));
    give(Of::Common(Common::Output), Value::Counted(used.output));
    for (tokens, access) in [(used.cache_read, "read"), (used.cache_write, "write")] {
        if tokens > 0 {
            let access = Some(("claude.cache.access", access));
            give(Of::Other((&CACHE_TOKENS, access)), Value::Added(tokens));
        }
    }
}

/// The common series, or that of its instrument for an error.
fn well(common: Common, error: Option<&'static str>) -> Of {
    match error {
        None => Of::Common(common),
        Some(error) => Of::Other((common.instrument(), Some(of_error(error)))),
    }
}

fn of_error(error: &'static str) -> (&'static str, &'static str) {
    ("error.type", error)
}

/// Whose models they are, in the conventions' words.
pub(super) const PROVIDER: &str = "anthropic";

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::metrics::{INSTRUMENTS, Labels, prepared::Prepared};

    fn labels() -> Labels {
        let prepared = Prepared::default();
        Labels { operation: "chat", model: None, server_address: None, server_port: None, prepared }
    }

    fn read(measurement: Measurement<'_>) -> Vec<(&'static str, Value, Option<&'static str>)> {
        let mut read = Vec::new();
        points(&measurement, &mut |series, value| {
            let (instrument, extra) = series.name();
            read.push((instrument.name, value, extra.map(|(_, value)| value)));
        });
        read
    }

    fn ended<'a>(labels: &'a Labels, error: Option<&'static str>, used: Option<Tokens>) -> Measurement<'a> {
        let (took, tokens_per_second) = (Duration::from_millis(250), used.map(|_| 1.0));
        Measurement::Call { labels, took, error, status: None, used, tokens_per_second }
    }

    #[test]
    fn the_cache_is_part_of_the_input_and_counted_apart_where_it_was_used() {
        let labels = labels();
        let used = Tokens { input: 5, output: 7, cache_write: 0, cache_read: 100 };
        assert_eq!(
            read(ended(&labels, None, Some(used)))[..3],
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

    #[test]
    fn what_goes_well_has_a_place_of_its_own_and_nothing_else_has() {
        let (labels, took) = (&labels(), Duration::from_millis(250));
        let used = Tokens { input: 5, output: 7, cache_write: 1, cache_read: 1 };
        let (mut places, mut names) = (Vec::new(), Vec::new());
        for measurement in [
            ended(labels, None, Some(used)),
            Measurement::Headers { labels, took, status: StatusCode::OK },
            Measurement::FirstToken { labels, took },
            ended(labels, Some("timeout"), None),
            Measurement::Headers { labels, took, status: StatusCode::TOO_MANY_REQUESTS },
            Measurement::LimiterWait { labels, took },
        ] {
            points(&measurement, &mut |series, _| {
                if let Of::Common(common) = series {
                    places.push(common as usize);
                }
                assert!(!names.contains(&series.name()), "{series:?}");
                names.push(series.name());
            });
        }
        places.sort_unstable();
        assert_eq!(places, (0..Common::COUNT).collect::<Vec<_>>());
        assert_eq!(names.len(), Common::COUNT + 5);
    }

    #[test]
    fn buckets_rise_and_each_name_is_used_once() {
        for (index, instrument) in INSTRUMENTS.iter().enumerate() {
            assert!(instrument.buckets.is_sorted_by(|a, b| a < b), "{}", instrument.name);
            assert!(INSTRUMENTS[index + 1..].iter().all(|other| other.name != instrument.name));
        }
    }
}
