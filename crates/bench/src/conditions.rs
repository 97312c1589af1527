//! What else the machine did during a run, since that decides what the figures are worth.

use std::fmt;
use std::fs;
use std::thread;

use anyhow::{Context as _, Result};

/// The machine's work since it was started, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ticks {
    /// All processors together, idle or not.
    all: u64,
    /// Not idle.
    busy: u64,
    /// Taken by the host for others.
    stolen: u64,
    /// This process and those of its children that have ended.
    ours: u64,
}

/// What else happened between two readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// The share of the machine that other processes took, from 0 to 1.
    pub others: f64,
    /// The share that the host took for other machines, from 0 to 1.
    pub stolen: f64,
    /// The load average of the last minute.
    pub load: f64,
}

/// The shares up to which a run counts as quiet.
const QUIET: f64 = 0.05;

impl Ticks {
    /// Reads the counters.
    ///
    /// # Errors
    ///
    /// This is not Linux.
    pub fn now() -> Result<Self> {
        let whole = fs::read_to_string("/proc/stat").context("the load is read from /proc, as on Linux")?;
        let own = fs::read_to_string("/proc/self/stat").context("no /proc/self/stat")?;
        Ok(Self { ours: own_ticks(&own), ..Self::parse(&whole) })
    }

    /// The first line: user, nice, system, idle, iowait, irq, softirq, steal.
    fn parse(stat: &str) -> Self {
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        let at = |place: usize| ticks.get(place).copied().unwrap_or_default();
        let all: u64 = ticks.iter().sum();
        Self { all, busy: all - at(3) - at(4) - at(7), stolen: at(7), ours: 0 }
    }

    /// What happened since an earlier reading.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ticks of one run")]
    pub fn since(&self, earlier: &Self, load: f64) -> Conditions {
        let all = self.all.saturating_sub(earlier.all).max(1) as f64;
        let busy = self.busy.saturating_sub(earlier.busy);
        let ours = self.ours.saturating_sub(earlier.ours);
        Conditions {
            others: busy.saturating_sub(ours) as f64 / all,
            stolen: self.stolen.saturating_sub(earlier.stolen) as f64 / all,
            load,
        }
    }
}

impl Ticks {
    /// The processor time of this process and its ended children since an earlier reading. Linux counts a hundred ticks a
    /// second here, on every processor.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ticks of one run")]
    pub fn seconds_since(&self, earlier: &Self) -> f64 {
        self.ours.saturating_sub(earlier.ours) as f64 / 100.0
    }
}

impl Conditions {
    /// Whether so little else happened that the figures can be trusted.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.others <= QUIET && self.stolen <= QUIET
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.quiet() { "quiet" } else { "not quiet" };
        let Self { others, stolen, load } = self;
        write!(
            f,
            "{word}: other processes took {:.0} % of the machine, its host {:.0} %; load {load:.1} at the end",
            others * 100.0,
            stolen * 100.0
        )
    }
}

/// The load average of the last minute.
///
/// # Errors
///
/// This is not Linux.
pub fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("the load is read from /proc, as on Linux")?;
    text.split(' ').next().and_then(|load| load.parse().ok()).context("no load average")
}

/// What machine this is, in a few words.
#[must_use]
pub fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("a processor");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} × {}, Linux {}", model.trim_start_matches([' ', '\t', ':']), kernel.trim())
}

/// utime, stime, cutime and cstime: the fields after the name, which ends in the last parenthesis, are counted from 3.
fn own_ticks(stat: &str) -> u64 {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().skip(11).take(4).flat_map(str::parse::<u64>).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_idle_nor_ours_is_others() {
        let before = Ticks { ours: 5, ..Ticks::parse("cpu  10 0 10 100 0 0 0 0 0 0\ncpu0 1") };
        let after = Ticks { ours: 25, ..Ticks::parse("cpu  40 0 20 150 0 0 0 10 0 0\n") };
        let conditions = after.since(&before, 1.0);
        assert_eq!((conditions.others, conditions.stolen), (0.2, 0.1));
        assert!(!conditions.quiet());
        assert!(conditions.to_string().starts_with("not quiet: other processes took 20 %"), "{conditions}");
    }

    #[test]
    fn our_own_work_does_not_make_a_run_loud() {
        let before = Ticks::default();
        let after = Ticks { ours: 90, ..Ticks::parse("cpu 90 0 3 7 0 0 0 0") };
        assert!(after.since(&before, 9.0).quiet());
    }

    #[test]
    fn a_process_with_a_space_in_its_name_is_read_all_the_same() {
        assert_eq!(own_ticks("7 (a b) c) S 1 1 1 0 -1 4194560 1 1 0 0 3 4 5 6 20 0 1"), 18);
    }

    #[test]
    fn this_machine_can_be_read() {
        let now = Ticks::now().unwrap();
        assert!(now.all > now.busy);
        assert!(load().unwrap() >= 0.0);
        assert!(machine().contains("Linux"));
    }
}
