//! The limiter against integers, on schedules aimed at the edges.

use std::{sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};
use ratelimit::{Decision, Key, limiters::Governor, test_util::ManualTimer};

use super::non_zero;
use crate::requests;

const MINUTE: u128 = 60_000_000_000; // ns

/// How far time moves before the next request.
#[derive(Clone, Debug)]
enum Move {
    Not,
    /// By this many intervals, and a few nanoseconds more or less.
    Intervals(u32, i64),
    /// To the time the last refusal named, and a few nanoseconds more or less.
    AsTold(i64),
    By(u64),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => Just(Move::Not),
        3 => (0..5_u32, -2..=2_i64).prop_map(|(count, off)| Move::Intervals(count, off)),
        3 => (-2..=2_i64).prop_map(Move::AsTold),
        1 => (0..u64::from(u32::MAX) * 100).prop_map(Move::By),
    ]
}

fn rates() -> impl Strategy<Value = u32> {
    prop_oneof![
        1..=100_u32,
        1..=100_000_u32,
        Just(7),
        Just(40_000_007),
        any::<u32>().prop_map(|rate| rate.max(1))
    ]
}

/// A token bucket that counts in nanoseconds of earned time.
struct Bucket {
    level: u128,
    size: u128,
    interval: u128,
}

impl Bucket {
    fn decide(&mut self, passed: u64, count: u32) -> Decision {
        self.level = self.size.min(self.level + u128::from(passed));
        let price = self.interval * u128::from(count);
        if price > self.size {
            let capacity = u64::try_from(self.size / self.interval).unwrap();
            return Decision::TooLarge { dimension: ratelimit::Dimension::Requests, capacity };
        }
        if price > self.level {
            return Decision::Wait(Duration::from_nanos(u64::try_from(price - self.level).unwrap()));
        }
        self.level -= price;
        Decision::Admit
    }
}

/// Returns when and how much was admitted.
fn run(rate: u32, burst: u32, schedule: &[(Move, u32)]) -> Vec<(u64, u32)> {
    let timer = Arc::new(ManualTimer::new());
    let limiter =
        Governor::per_minute(non_zero(rate)).burst(non_zero(burst)).build(Arc::clone(&timer)).unwrap();
    let interval = MINUTE.div_ceil(u128::from(rate));
    let size = interval * u128::from(burst);
    let mut oracle = Bucket { level: size, size, interval };
    let (mut now, mut told, mut admitted) = (0_u64, 0_u64, Vec::new());

    for (step, count) in schedule {
        let interval = u64::try_from(interval).unwrap();
        let passed = match *step {
            Move::Not => 0,
            Move::Intervals(count, off) => (interval * u64::from(count)).saturating_add_signed(off),
            Move::AsTold(off) => told.saturating_add_signed(off),
            Move::By(nanos) => nanos,
        };
        now += passed;
        timer.advance(Duration::from_nanos(passed));
        let decision = limiter.try_acquire(&Key::from("k"), requests(*count));
        assert_eq!(decision, oracle.decide(passed, *count), "{count} at {now} ns");
        match decision {
            Decision::Admit => admitted.push((now, *count)),
            Decision::Wait(wait) => told = u64::try_from(wait.as_nanos()).unwrap(),
            Decision::TooLarge { .. } => {}
        }
    }
    admitted
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// The rate is the one asked for, not the rounded one: the bound is exact.
    #[test]
    fn no_stretch_of_time_sees_more_than_the_burst_and_the_rate(
        rate in rates(), burst in 1..20_u32, schedule in vec((moves(), 0..24_u32), 1..80),
    ) {
        let admitted = run(rate, burst, &schedule);
        for (first, (start, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for (end, count) in &admitted[first..] {
                sum += u128::from(*count);
                let over = sum.saturating_sub(u128::from(burst));
                prop_assert!(
                    over * MINUTE <= u128::from(rate) * u128::from(end - start),
                    "{sum} between {start} and {end} ns"
                );
            }
        }
    }

    #[test]
    fn a_minute_of_eager_asking_is_worth_the_rate_within_one_in_a_million(rate in 1..=60_000_u32) {
        let timer = Arc::new(ManualTimer::new());
        let limiter =
            Governor::per_minute(non_zero(rate)).burst(non_zero(1)).build(Arc::clone(&timer)).unwrap();
        let key = Key::from("k");
        prop_assert_eq!(limiter.try_acquire(&key, requests(1)), Decision::Admit);
        let Decision::Wait(interval) = limiter.try_acquire(&key, requests(1)) else { panic!("admitted twice") };
        let minute = interval.as_nanos() * u128::from(rate);
        prop_assert!(minute >= MINUTE && (minute - MINUTE) * 1_000_000 <= MINUTE);
    }
}
