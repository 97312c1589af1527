//! Many runs in a few numbers: how many took how long, and how many failed why.
//!
//! Times are counted in bands, eight to each doubling, so that a percentile is at most a tenth too large, summaries can be
//! added up, and a day takes no more room than a minute.

use std::time::Duration;

use super::outcome::{Class, Outcome};

/// The bands of times, from a millisecond to two minutes.
pub(super) const BANDS: u8 = 17 * 8 + 1;
/// The first number of the classes of failures.
const FAILURES: u8 = 200;
/// Where the bands of a doubling end, in microseconds: each is an eighth root of two above the one before.
const DOUBLING: [u64; 8] = [1024, 1117, 1218, 1328, 1448, 1579, 1722, 1878];

/// Counts of runs: few cells of all there are, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Summary(Vec<(u8, u32)>);

impl Summary {
    pub(super) const NONE: Self = Self(Vec::new());

    pub(super) fn add(&mut self, outcome: &Outcome) {
        let cell = match &outcome.failure {
            None => band(outcome.took),
            Some(failure) => FAILURES.saturating_add(failure.class.number()),
        };
        self.count(cell, 1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (cell, count) in &other.0 {
            self.count(*cell, *count);
        }
    }

    fn count(&mut self, cell: u8, more: u32) {
        match self.0.binary_search_by_key(&cell, |(its, _)| *its) {
            Ok(at) => {
                if let Some((_, count)) = self.0.get_mut(at) {
                    *count = count.saturating_add(more);
                }
            }
            Err(at) => self.0.insert(at, (cell, more)),
        }
    }

    pub(super) fn runs(&self) -> u64 {
        self.0.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// The cells of runs that went well.
    fn times(&self) -> impl Iterator<Item = (u8, u32)> {
        self.0.iter().copied().take_while(|(cell, _)| *cell < FAILURES)
    }

    /// The runs that went well and took at most as long as this band ends.
    pub(super) fn within(&self, band: u8) -> u64 {
        self.times().take_while(|(its, _)| *its <= band).map(|(_, count)| u64::from(count)).sum()
    }

    pub(super) fn successes(&self) -> u64 {
        self.within(FAILURES - 1)
    }

    pub(super) fn failures(&self) -> u64 {
        self.runs() - self.successes()
    }

    /// How many failed with `class`.
    pub(super) fn failures_by(&self, class: Class) -> u32 {
        self.by_class().find(|(its, _)| *its == class).map_or(0, |(_, count)| count)
    }

    /// Of each class how many; what a newer version has counted has no name here.
    pub(super) fn by_class(&self) -> impl Iterator<Item = (Class, u32)> {
        let failures = self.0.iter().filter(|(cell, _)| *cell >= FAILURES);
        failures.filter_map(|(cell, count)| Some((Class::numbered(cell - FAILURES)?, *count)))
    }

    /// The part of the runs that failed; none where there were none.
    pub(super) fn error_rate(&self) -> Option<f64> {
        let runs = u32::try_from(self.runs()).unwrap_or(u32::MAX);
        let failures = u32::try_from(self.failures()).unwrap_or(u32::MAX);
        (runs > 0).then(|| f64::from(failures) / f64::from(runs))
    }

    /// How long `per_mille` of the runs that went well took at most.
    pub(super) fn percentile(&self, per_mille: u64) -> Option<Duration> {
        let rank = (self.successes() * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        let cell = self.times().find(|(_, count)| {
            seen += u64::from(*count);
            seen >= rank
        });
        cell.map(|(band, _)| end_of(band))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(cell, count)| [*cell].into_iter().chain(count.to_le_bytes())).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut summary = Self::default();
        let (chunks, _) = bytes.as_chunks::<5>();
        for [cell, count @ ..] in chunks {
            summary.count(*cell, u32::from_le_bytes(*count));
        }
        summary
    }
}

/// When a band ends.
pub(super) fn end_of(band: u8) -> Duration {
    let step = DOUBLING.get(usize::from(band % 8)).copied().unwrap_or_default();
    Duration::from_micros(step << (band / 8).min(40))
}

fn band(took: Duration) -> u8 {
    (0..BANDS).find(|band| took <= end_of(*band)).unwrap_or(BANDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::Probe, monitor::outcome::Failure};

    fn run(milliseconds: u64, class: Option<Class>) -> Outcome {
        let failure = class.map(|class| Failure::new(class, "x"));
        Outcome { probe: Probe::Models, at: 0, took: Duration::from_millis(milliseconds), failure }
    }

    #[test]
    fn a_percentile_is_at_most_a_tenth_more_than_the_true_one() {
        let mut summary = Summary::default();
        for milliseconds in 1..=10_000 {
            summary.add(&run(milliseconds, None));
        }
        for (per_mille, exact) in [(500, 5_000.0), (950, 9_500.0), (990, 9_900.0), (1, 10.0)] {
            let told = summary.percentile(per_mille).unwrap().as_secs_f64() * 1_000.0;
            assert!(told >= exact && told <= exact * 1.1, "{per_mille}: {told}");
        }
    }

    #[test]
    fn failures_count_by_class_and_not_in_the_times() {
        let mut summary = Summary::default();
        for class in [None, Some(Class::Timeout), Some(Class::Timeout), Some(Class::Dns)] {
            summary.add(&run(if class.is_some() { 30_000 } else { 10 }, class));
        }
        assert_eq!((summary.runs(), summary.failures(), summary.error_rate()), (4, 3, Some(0.75)));
        assert_eq!(summary.by_class().collect::<Vec<_>>(), [(Class::Dns, 1), (Class::Timeout, 2)]);
        assert!(summary.percentile(990).unwrap() < Duration::from_millis(12));
        assert_eq!((Summary::default().percentile(500), Summary::default().error_rate()), (None, None));
    }

    #[test]
    fn what_was_written_is_read_and_adds_up() {
        let mut one = Summary::default();
        one.add(&run(7, None));
        one.add(&run(7, Some(Class::Server)));
        let mut both = Summary::from_bytes(&one.to_bytes());
        assert_eq!(both, one);
        both.merge(&one);
        assert_eq!((both.runs(), both.failures()), (4, 2));
        // A part of a cell is none.
        assert_eq!(Summary::from_bytes(&[1, 2, 3]), Summary::default());
    }

    #[test]
    fn times_beyond_the_bands_are_counted_in_the_last() {
        let mut summary = Summary::default();
        summary.add(&run(3_600_000, None));
        summary.add(&run(0, None));
        assert_eq!(summary.successes(), 2);
        assert!(summary.percentile(1_000).unwrap() > Duration::from_secs(120));
    }
}
