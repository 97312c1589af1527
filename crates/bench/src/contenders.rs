//! The contenders that are built with this workspace: our client, and what a client is measured against.

mod bare_hyper;
mod bare_reqwest;
mod decoders;
mod framer;
mod ours;
mod wire;

use anyhow::{Context as _, Result, bail};
use bench_probe::{Report, Task, Work};

/// What each of them is called on the command line of the program `contender`.
pub const NAMES: [&str; 6] = ["ours", "ours-hyper", "reqwest", "hyper", "lines", "framer"];

/// Does the work of a task as one of them.
///
/// # Errors
///
/// There is no such contender, it does no such work, or the work fails.
pub fn run(name: &str, task: &Task) -> Result<Report> {
    match (name, task.work) {
        ("ours", Work::Decode) => bench_probe::decode(task, decoders::ours),
        ("lines", Work::Decode) => bench_probe::decode(task, decoders::lines),
        ("framer", Work::Decode) => bench_probe::decode(task, decoders::framer),
        ("ours", Work::Limited(limited)) => bench_probe::run(task, ours::Ours::limited(&task.url, limited)?),
        ("ours", _) => bench_probe::run(task, ours::Ours::new(&task.url)?),
        ("ours-hyper", _) => bench_probe::run(task, ours::Ours::on_hyper(&task.url)?),
        ("reqwest", _) => bench_probe::run(task, bare_reqwest::BareReqwest::new(&task.url)?),
        ("hyper", _) => bench_probe::run(task, bare_hyper::BareHyper::new(&task.url)),
        _ => bail!("{name} does no such work; the names are {}", NAMES.join(", ")),
    }
}

/// The name and the task on this process's command line.
///
/// # Errors
///
/// They are not there.
pub fn from_arguments() -> Result<(String, Task)> {
    let name = std::env::args().nth(1).context("give the name of a contender, and a task")?;
    Ok((name, Task::from_arguments()?))
}
