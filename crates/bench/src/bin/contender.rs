//! A contender: `contender NAME TASK`.

use anyhow::Result;

fn main() -> Result<()> {
    let (name, task) = bench::contenders::from_arguments()?;
    bench_probe::answer(bench::contenders::run(&name, &task))
}
