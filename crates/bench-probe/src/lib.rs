//! How a contender of the benchmarks is told what to do, and how it measures itself.
//!
//! A contender is a program that reads a [`Task`] from its last argument, does the work through the client it stands
//! for, and prints a [`Report`] as one line. It is no part of the workspace where its client is somebody else's, so that
//! this crate is all they share: the same work, counted the same way.
//!
//! ```no_run
//! use bench_probe::{Client, Outcome, Task};
//!
//! struct Mine;
//!
//! impl Client for Mine {
//!     type Stream = ();
//!     async fn call(&self) -> Outcome<u64> { Ok(12) }
//!     async fn open(&self) -> Outcome<()> { Ok(()) }
//!     async fn next(&self, _: &mut ()) -> Outcome<Option<u64>> { Ok(None) }
//! }
//!
//! fn main() -> Outcome<()> {
//!     let task = Task::from_arguments()?;
//!     bench_probe::answer(bench_probe::run(&task, Mine))
//! }
//! ```

mod limited;
mod meter;
mod task;
mod work;

pub use meter::{Meter, resident};
pub use task::{KEY, Limited, Report, Task, Work};
pub use work::{Client, decode, run};

/// What a contender's functions give; any error ends it.
pub type Outcome<T> = anyhow::Result<T>;

/// Prints a report as one line of JSON.
///
/// # Errors
///
/// The error of the work, if it failed.
#[expect(clippy::print_stdout, reason = "the line is what the program is for")]
pub fn answer(report: Outcome<Report>) -> Outcome<()> {
    println!("{}", serde_json::to_string(&report?)?);
    Ok(())
}
