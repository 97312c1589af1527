//! Calls that a limit holds back: how many come through, and how many fail.
#![expect(clippy::disallowed_methods, reason = "this file owns the pace at which calls are offered")]

use std::cell::Cell;
use std::io::{BufRead as _, stdin};
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{Client, Limited, Meter, Outcome, Report, Task};

/// Says that this process is ready, waits to be told that all are, and makes the calls.
pub(crate) async fn work<C: Client>(task: &Task, limited: Limited, client: Rc<C>) -> Outcome<Report> {
    wait_for_the_others()?;
    match limited.over_ms {
        0 => batch(task, &client).await,
        over => offered(task, Duration::from_millis(over), &client).await,
    }
}

#[expect(clippy::print_stdout, reason = "the line tells whoever started this")]
fn wait_for_the_others() -> Outcome<()> {
    println!("ready");
    stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Some callers make all calls, each one after the other.
async fn batch<C: Client>(task: &Task, client: &Rc<C>) -> Outcome<Report> {
    let meter = Meter::start();
    let left = Rc::new(Cell::new(task.count));
    let mut callers = JoinSet::new();
    for _ in 0..task.in_flight {
        let (client, left) = (Rc::clone(client), Rc::clone(&left));
        callers.spawn_local(async move {
            let mut ended = Ended::default();
            while let Some(rest) = left.get().checked_sub(1) {
                left.set(rest);
                ended.count(client.call().await.is_ok());
            }
            ended
        });
    }
    let ended = callers.join_all().await;
    Ok(Ended::sum(&ended).report(meter))
}

/// Calls come evenly, whatever becomes of the earlier ones, and at the end of the time nobody waits any longer.
async fn offered<C: Client>(task: &Task, over: Duration, client: &Rc<C>) -> Outcome<Report> {
    let (meter, start) = (Meter::start(), Instant::now());
    let mut calls = JoinSet::new();
    let mut ended = Ended::default();
    let count = u32::try_from(task.count)?.max(1);
    for number in 0..count {
        sleep_until(start + over * number / count).await;
        let client = Rc::clone(client);
        calls.spawn_local(async move { client.call().await.is_ok() });
    }
    while let Ok(Some(call)) = timeout_at(start + over, calls.join_next()).await {
        ended.count(call?);
    }
    Ok(ended.report(meter))
}

/// How many calls came to an end, and how.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    done: u64,
    failed: u64,
}

impl Ended {
    fn count(&mut self, is_ok: bool) {
        if is_ok {
            self.done += 1;
        } else {
            self.failed += 1;
        }
    }

    fn sum(all: &[Self]) -> Self {
        Self { done: all.iter().map(|one| one.done).sum(), failed: all.iter().map(|one| one.failed).sum() }
    }

    fn report(self, meter: Meter) -> Report {
        Report { failed: self.failed, ..meter.report(self.done) }
    }
}
