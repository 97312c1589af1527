//! What this process uses: time of processors, time, memory.

use std::fs;

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};

use crate::{Outcome, Report};

/// Counts from where it was started.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    cpu: u64,
    wall: u64,
}

impl Meter {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        Self { cpu: nanoseconds(ClockId::ProcessCPUTime), wall: nanoseconds(ClockId::Monotonic) }
    }

    /// The time that went by, in nanoseconds.
    #[must_use]
    pub fn wall(&self) -> u64 {
        nanoseconds(ClockId::Monotonic).saturating_sub(self.wall)
    }

    /// Says what was used for what was got.
    #[must_use]
    pub fn report(&self, done: u64) -> Report {
        let cpu_ns = nanoseconds(ClockId::ProcessCPUTime).saturating_sub(self.cpu);
        Report { done, cpu_ns, wall_ns: self.wall(), ..Report::default() }
    }
}

/// How much memory of this process is resident, in bytes.
///
/// # Errors
///
/// The system does not say so where Linux does.
pub fn resident() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status").context("memory is read from /proc, as on Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?.parse()?;
    Ok(kib * 1024)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time_and_memory_is_resident() {
        let meter = Meter::start();
        let mut sum = 0u64;
        while meter.report(sum).cpu_ns == 0 {
            sum = std::hint::black_box(sum + 1);
        }
        let report = meter.report(sum);
        assert!(report.cpu_ns > 0 && report.wall_ns > 0, "{report:?}");
        assert!(resident().unwrap() > 100_000);
    }
}
