//! What is asked, and what is answered.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The API key that every contender sends, as long as real ones are. In two pieces, since a key in one is what a search for
/// leaked ones finds.
pub const KEY: &str = concat!(
    "sk-ant-api03-",
    "bench-bench-bench-bench-bench-bench-bench-bench-bench-bench-bench-bench-bench-bench-bench-bench"
);

/// What a contender has to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The kind of work.
    pub work: Work,
    /// Where the server is, without a path; empty where there is none.
    #[serde(default)]
    pub url: String,
    /// How often it is done, and counted.
    pub count: usize,
    /// How often it is done before that, and not counted.
    #[serde(default)]
    pub warm_up: usize,
    /// How many calls are under way at once.
    #[serde(default)]
    pub in_flight: usize,
    /// The file with the bytes to decode.
    #[serde(default)]
    pub input: String,
    /// The size of the pieces the input comes in.
    #[serde(default)]
    pub chunk: usize,
}

/// The kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Calls, one after the other.
    Calls,
    /// Calls, many at once, each with its time.
    Crowd,
    /// Streams, read to their end one after the other.
    Streams,
    /// Streams, opened and left open.
    Idle,
    /// The input, decoded piece by piece.
    Decode,
    /// Calls, more than a limit lets through; those that fail are counted.
    Limited(Limited),
}

/// A limit, and how calls come that are too many for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limited {
    /// The calls come evenly over this time, in milliseconds, and its end is the end. With 0, as many callers as there are
    /// in flight make all of them, each one after the other.
    pub over_ms: u64,
    /// What this process may use of the limit, in requests a minute.
    pub requests_per_minute: u64,
    /// How many of them at once.
    pub burst: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was got, in the unit of the work: bytes of text, or events. The same for every contender that did it all.
    pub done: u64,
    /// The time that processors spent for this process, in the kernel too.
    pub cpu_ns: u64,
    /// The time that went by.
    pub wall_ns: u64,
    /// The 99th percentile of the time of one call.
    #[serde(default)]
    pub p99_ns: u64,
    /// How much memory came to be in use, in bytes.
    #[serde(default)]
    pub resident: u64,
    /// How many calls failed, where that does not end the work.
    #[serde(default)]
    pub failed: u64,
}

impl Task {
    /// Reads the last argument of this process.
    ///
    /// # Errors
    ///
    /// There is none, or it is no task.
    pub fn from_arguments() -> Outcome<Self> {
        let text = std::env::args().skip(1).last().context("give a task as the last argument, in JSON")?;
        serde_json::from_str(&text).with_context(|| format!("this is no task: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_may_leave_out_what_its_work_does_not_need() {
        let task: Task = serde_json::from_str(r#"{"work":"calls","url":"http://a","count":3}"#).unwrap();
        assert_eq!((task.work, task.count, task.warm_up), (Work::Calls, 3, 0));
        let written = serde_json::to_string(&task).unwrap();
        assert_eq!(serde_json::from_str::<Task>(&written).unwrap(), task);
    }
}
