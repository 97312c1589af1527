//! Work on many things at once, as many as there are processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result};

/// How many workers there are for so many things.
pub(crate) fn count(things: usize) -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(things)
}

/// Does `work` for every thing, and returns what came of each, in the order of the things.
///
/// The work is told which worker does it, from 0 on. A worker ends with the first error; the others go on.
pub(crate) fn each<T: Sync, R: Send>(
    things: &[T],
    work: impl Fn(usize, &T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let run = |worker: usize| -> Result<Vec<(usize, R)>> {
        let mine = std::iter::from_fn(|| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            things.get(place).map(|thing| (place, thing))
        });
        mine.map(|(place, thing)| Ok((place, work(worker, thing)?))).collect()
    };
    let run = &run;
    let done: Result<Vec<_>> = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..count(things.len())).map(|worker| scope.spawn(move || run(worker))).collect();
        workers.into_iter().map(|worker| worker.join().ok().context("a worker panicked")?).collect()
    });
    let mut done: Vec<_> = done?.into_iter().flatten().collect();
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn every_thing_is_done_once_and_told_in_its_place() {
        let things: Vec<usize> = (0..100).collect();
        assert_eq!(each(&things, |_, thing| Ok(thing * 2)).unwrap(), (0..200).step_by(2).collect::<Vec<_>>());
        assert_eq!(each(&[] as &[usize], |_, _| Ok(())).unwrap(), []);
    }

    #[test]
    fn an_error_of_one_is_an_error_of_all() {
        let outcome = each(&[1, 2, 3], |_, thing| {
            ensure!(*thing != 2, "two is bad");
            Ok(())
        });
        assert_eq!(outcome.unwrap_err().to_string(), "two is bad");
    }
}
