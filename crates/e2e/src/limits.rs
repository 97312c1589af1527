//! Real processes that share limits in a real Redis: what they are admitted, and when.
//!
//! The tests run them for some seconds, `cargo xtask soak limits` for a minute; both through the functions here, which give
//! figures and leave the judgement to their caller.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ratelimit::{Limits, Rate};
use tokio::process::Command;

use crate::fleet::Member;

/// What processes share, and how.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// How many processes there are.
    pub processes: u32,
    /// Whether they take blocks.
    pub is_leased: bool,
    /// How many requests there may be in a minute, and at once.
    pub per_minute: u64,
    /// How many requests there may be at once.
    pub burst: u64,
    /// How long they go on asking.
    pub seconds: u32,
}

/// When each request was admitted in any of the processes.
#[derive(Debug)]
pub struct Admitted {
    shared: Shared,
    /// In microseconds of the system's monotonic clock, in order.
    times: Vec<i64>,
    began: i64,
}

impl Shared {
    /// The limits: requests bind, and the tokens of each are counted, too.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let times = |by| Rate::per_minute(self.per_minute * by).with_burst(self.burst * by);
        Limits::default().with_requests(times(1)).with_input_tokens(times(20)).with_output_tokens(times(10))
    }

    /// Has `program`, which is the binary `limited`, ask as often as it can in all processes at once.
    ///
    /// # Errors
    ///
    /// When a process fails.
    pub async fn run(self, program: &Path, urls: &[String]) -> Result<Admitted> {
        let mut members = Vec::new();
        for _ in 0..self.processes {
            members.push(Member::start(self.command(program, urls), "limited")?);
        }
        for member in &mut members {
            member.ready().await?;
        }
        let began = now();
        for member in &mut members {
            member.go().await?;
        }
        let mut times: Vec<i64> = Vec::new();
        for mut member in members {
            let line = member.said().await?;
            for word in line.split_whitespace() {
                times.push(word.parse().with_context(|| format!("a process says {line:?}"))?);
            }
            member.leave().await?;
        }
        times.sort_unstable();
        Ok(Admitted { shared: self, times, began })
    }

    /// The command of one process.
    #[must_use]
    pub fn command(&self, program: &Path, urls: &[String]) -> Command {
        let mut command = Command::new(program);
        command.arg(urls.join(",")).arg(if self.is_leased { "leased" } else { "direct" });
        let numbers = [u64::from(self.processes), self.per_minute, self.burst, u64::from(self.seconds)];
        command.args(numbers.map(|number| number.to_string()));
        command
    }
}

impl Admitted {
    /// How many were admitted.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.times.len()
    }

    /// How much of what the limits allow was admitted, from the first admission to the last.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn utilisation(&self) -> f64 {
        let span = self.times.last().unwrap_or(&0) - self.times.first().unwrap_or(&0);
        self.times.len() as f64 / self.allowed(span) as f64
    }

    /// By how many more than the limits allow were admitted, in any stretch of time that is longer than `slack`, which is
    /// what an answer may take on its way.
    #[must_use]
    pub fn excess(&self, slack: Duration) -> i64 {
        let slack = i64::try_from(slack.as_micros()).unwrap_or(i64::MAX);
        // The excess of a stretch from one admission to another is a difference of two sums: so the least one before is kept.
        let per_minute = i128::from(self.shared.per_minute);
        let level = |index: usize, time: i64| {
            i128::try_from(index).unwrap_or(0) * 60_000_000 - per_minute * i128::from(time - self.began)
        };
        let (mut least, mut most) = (i128::MAX, i128::MIN);
        for (index, &time) in self.times.iter().enumerate() {
            least = least.min(level(index, time));
            most = most.max(level(index + 1, time) - least);
        }
        let allowed = i128::from(self.shared.burst) * 60_000_000 + per_minute * i128::from(slack);
        i64::try_from((most - allowed).max(0).div_euclid(60_000_000)).unwrap_or(i64::MAX)
    }

    /// By how many more than the limits allow were admitted from the first moment to the last one.
    #[must_use]
    pub fn excess_of_all(&self) -> i64 {
        let last = self.times.last().copied().unwrap_or(self.began);
        (i64::try_from(self.times.len()).unwrap_or(i64::MAX) - self.allowed(last - self.began)).max(0)
    }

    fn allowed(&self, micros: i64) -> i64 {
        let earned = i128::from(self.shared.per_minute) * i128::from(micros) / 60_000_000;
        self.shared.burst.cast_signed() + i64::try_from(earned).unwrap_or(i64::MAX)
    }
}

/// The system's monotonic clock, which all processes share, in microseconds.
#[must_use]
pub fn now() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
}
