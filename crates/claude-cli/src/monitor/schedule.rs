//! When a probe is due. Randomness comes in as a seed, and times as values.

use std::time::Duration;

use claude_sdk::ratelimit::Timer;

/// The times of one probe: an interval, and a tenth more or less, so that many monitors do not come all at once.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    random: fastrand::Rng,
}

impl Schedule {
    pub(super) fn new(interval: Duration, seed: u64) -> Self {
        Self { interval, random: fastrand::Rng::with_seed(seed) }
    }

    /// Runs again and again, until that fails. What a run takes to be kept is part of it: a slow disk makes no interval longer.
    pub(super) async fn follow<E, R>(mut self, timer: &dyn Timer, run: impl Fn() -> R) -> E
    where
        R: Future<Output = Result<(), E>>,
    {
        timer.sleep(self.first()).await;
        loop {
            let began = timer.now();
            if let Err(error) = run().await {
                return error;
            }
            timer.sleep(self.next(timer.now().saturating_sub(began))).await;
        }
    }

    /// How long to wait before the first run: whoever starts a monitor wants to see something.
    fn first(&mut self) -> Duration {
        self.interval.min(Duration::from_secs(1)).mul_f64(self.random.f64())
    }

    /// How long to wait after a run that took this long. A run that took longer than the interval is followed by a pause of a
    /// tenth of it.
    fn next(&mut self, took: Duration) -> Duration {
        let interval = self.interval.mul_f64(0.9 + 0.2 * self.random.f64());
        interval.saturating_sub(took).max(self.interval / 10)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Time that passes as it is waited for.
    #[derive(Debug, Default)]
    struct Passing(Mutex<Duration>);

    #[async_trait::async_trait]
    impl Timer for Passing {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        async fn sleep(&self, duration: Duration) {
            *self.0.lock().unwrap() += duration;
        }
    }

    #[tokio::test]
    async fn what_a_run_takes_until_it_is_kept_makes_no_interval_longer() {
        let (timer, begun) = (Passing::default(), Mutex::new(Vec::new()));
        let run = || async {
            begun.lock().unwrap().push(timer.now());
            timer.sleep(MINUTE / 2).await;
            if begun.lock().unwrap().len() < 100 { Ok(()) } else { Err("over") }
        };
        assert_eq!(Schedule::new(MINUTE, 7).follow(&timer, run).await, "over");
        let begun = begun.into_inner().unwrap();
        let apart: Vec<_> = begun.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        assert!(apart.iter().all(|apart| (54.0..=66.0).contains(apart)), "{apart:?}");
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn runs_begin_an_interval_apart_and_a_tenth_more_or_less() {
        let mut schedule = Schedule::new(MINUTE, 7);
        assert!(schedule.first() <= Duration::from_secs(1));
        let took = Duration::from_secs(5);
        let apart: Vec<_> = (0..1_000).map(|_| (schedule.next(took) + took).as_secs_f64()).collect();
        let (least, most) = apart.iter().fold((f64::MAX, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
        assert!((54.0..55.0).contains(&least) && (65.0..=66.0).contains(&most), "{least} to {most}");
    }

    #[test]
    fn another_seed_gives_other_times() {
        let times = |seed| {
            let mut schedule = Schedule::new(MINUTE, seed);
            [schedule.first(), schedule.next(Duration::ZERO), schedule.next(Duration::ZERO)]
        };
        assert_eq!(times(1), times(1));
        assert_ne!(times(1), times(2));
    }

    #[test]
    fn a_run_that_took_too_long_is_not_followed_at_once() {
        assert_eq!(Schedule::new(MINUTE, 7).next(MINUTE * 5), MINUTE / 10);
    }
}
