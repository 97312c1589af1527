//! The work, the same for every client.

use std::fs;
use std::future::Future;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::LocalSet;

use crate::{Meter, Outcome, Report, Task, Work, limited, resident};

/// A client of the API, as far as the benchmarks need one.
pub trait Client: 'static {
    /// An open stream of events.
    type Stream: 'static;

    /// Makes one call that is no stream, and returns how many bytes of text came back.
    fn call(&self) -> impl Future<Output = Outcome<u64>>;

    /// Opens a stream.
    fn open(&self) -> impl Future<Output = Outcome<Self::Stream>>;

    /// Waits for the next event, and returns how many bytes of text it adds; `None` is the end.
    fn next(&self, stream: &mut Self::Stream) -> impl Future<Output = Outcome<Option<u64>>>;
}

/// Does the work of a task with a client, on one thread.
///
/// # Errors
///
/// The first error of the client.
pub fn run<C: Client>(task: &Task, client: C) -> Outcome<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = Rc::new(client);
    LocalSet::new().block_on(&runtime, async {
        match task.work {
            Work::Calls => calls(task, &*client).await,
            Work::Crowd => crowd(task, &client).await,
            Work::Streams => streams(task, &*client).await,
            Work::Idle => idle(task, &*client).await,
            Work::Decode => bail!("a client decodes no file"),
            Work::Limited(limited) => limited::work(task, limited, client).await,
        }
    })
}

/// Has the input of a task decoded again and again. `pass` gets all of it and the size of its pieces, which are to be slices
/// of it, and returns how many events there were.
///
/// # Errors
///
/// The input cannot be read, or the first error of the decoder.
pub fn decode(task: &Task, mut pass: impl FnMut(&Bytes, usize) -> Outcome<u64>) -> Outcome<Report> {
    let input: Bytes = fs::read(&task.input).with_context(|| format!("cannot read {}", task.input))?.into();
    for _ in 0..task.warm_up {
        pass(&input, task.chunk)?;
    }
    let meter = Meter::start();
    let mut done = 0;
    for _ in 0..task.count {
        done += pass(&input, task.chunk)?;
    }
    Ok(meter.report(done))
}

async fn calls<C: Client>(task: &Task, client: &C) -> Outcome<Report> {
    for _ in 0..task.warm_up {
        client.call().await?;
    }
    let meter = Meter::start();
    let mut done = 0;
    for _ in 0..task.count {
        done += client.call().await?;
    }
    Ok(meter.report(done))
}

/// Each of `in_flight` callers makes its share of the calls, one after the other.
async fn crowd<C: Client>(task: &Task, client: &Rc<C>) -> Outcome<Report> {
    let callers = task.in_flight.max(1);
    let round = |count: usize| {
        let callers: Vec<_> = (0..callers)
            .map(|_| {
                let client = Rc::clone(client);
                tokio::task::spawn_local(async move {
                    let (mut done, mut took) = (0, Vec::with_capacity(count));
                    for _ in 0..count {
                        let meter = Meter::start();
                        done += client.call().await?;
                        took.push(meter.wall());
                    }
                    Outcome::Ok((done, took))
                })
            })
            .collect();
        callers
    };
    for caller in round(task.warm_up.div_ceil(callers)) {
        caller.await??;
    }
    let meter = Meter::start();
    let (mut done, mut took) = (0, Vec::new());
    for caller in round(task.count.div_ceil(callers)) {
        let (more, times) = caller.await??;
        done += more;
        took.extend(times);
    }
    took.sort_unstable();
    let p99_ns = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Report { p99_ns, ..meter.report(done) })
}

async fn streams<C: Client>(task: &Task, client: &C) -> Outcome<Report> {
    for _ in 0..task.warm_up {
        read(client).await?;
    }
    let meter = Meter::start();
    let mut done = 0;
    for _ in 0..task.count {
        done += read(client).await?;
    }
    Ok(meter.report(done))
}

async fn read<C: Client>(client: &C) -> Outcome<u64> {
    let mut stream = client.open().await?;
    let mut done = 0;
    while let Some(text) = client.next(&mut stream).await? {
        done += text;
    }
    Ok(done)
}

/// Opens streams, takes the first event of each, and keeps them all.
async fn idle<C: Client>(task: &Task, client: &C) -> Outcome<Report> {
    allow_files(task.warm_up + task.count + 64)?;
    let mut open = Vec::with_capacity(task.warm_up + task.count);
    for _ in 0..task.warm_up {
        open.push(first(client).await?);
    }
    let (meter, before) = (Meter::start(), resident()?);
    for _ in 0..task.count {
        open.push(first(client).await?);
    }
    let resident = resident()?.saturating_sub(before);
    let report = Report { resident, ..meter.report(task.count as u64) };
    drop(open);
    Ok(report)
}

async fn first<C: Client>(client: &C) -> Outcome<C::Stream> {
    let mut stream = client.open().await?;
    client.next(&mut stream).await?.context("the stream ended before its first event")?;
    Ok(stream)
}

/// Lets this process have as many open files as it is allowed to; an error where those are too few.
fn allow_files(wanted: usize) -> Outcome<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|now| now >= wanted as u64) {
        return Ok(());
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")?;
    if limit.maximum.is_some_and(|most| most < wanted as u64) {
        bail!("{wanted} open files are more than this machine allows; raise `ulimit -Hn`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers at once: three bytes a call, streams of two events.
    struct Instant;

    impl Client for Instant {
        type Stream = u64;

        async fn call(&self) -> Outcome<u64> {
            Ok(3)
        }

        async fn open(&self) -> Outcome<u64> {
            Ok(2)
        }

        async fn next(&self, left: &mut u64) -> Outcome<Option<u64>> {
            *left = left.checked_sub(1).unwrap_or(u64::MAX);
            Ok((*left != u64::MAX).then_some(5))
        }
    }

    fn task(work: Work) -> Task {
        let task = serde_json::json!({"work": work, "count": 10, "warm_up": 4, "in_flight": 5});
        serde_json::from_value(task).unwrap()
    }

    #[test]
    fn what_is_counted_is_the_work_without_the_warm_up() {
        for (work, done) in [(Work::Calls, 30), (Work::Crowd, 30), (Work::Streams, 100), (Work::Idle, 10)] {
            let report = run(&task(work), Instant).unwrap();
            assert_eq!(report.done, done, "{work:?}");
        }
    }

    #[test]
    fn the_time_of_single_calls_is_told_where_many_are_under_way() {
        assert!(run(&task(Work::Crowd), Instant).unwrap().p99_ns > 0);
    }

    #[test]
    fn a_client_is_asked_for_no_work_of_a_decoder() {
        assert!(run(&task(Work::Decode), Instant).is_err());
    }
}
