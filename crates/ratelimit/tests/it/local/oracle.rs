//! The limiter against GCRA as the books have it, in fractions of whole numbers.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use ratelimit::{Cost, Decision, Limits, Rate, limiters::Local, test_util::ManualTimer};

use crate::key;

const MINUTE: u128 = 60_000_000_000; // ns

/// One dimension: a theoretical arrival time, in nanoseconds times the rate, so that it is a whole number.
#[derive(Clone, Copy)]
struct Arrival {
    rate: u128,
    burst: u128,
    at: u128,
}

impl Arrival {
    /// What the arrival time would be after so many, and how many nanoseconds too early that is.
    fn after(&self, now: u128, amount: u128) -> (u128, u128) {
        let next = self.at.max(now * self.rate) + amount * MINUTE;
        let limit = now * self.rate + self.burst * MINUTE;
        (next, next.saturating_sub(limit).div_ceil(self.rate))
    }
}

/// Runs random schedules of random limits, and returns how many decisions were compared.
pub(crate) fn schedules(count: u32, seed: u64) -> u64 {
    let mut random = Rng::with_seed(seed);
    let mut decisions = 0;
    for number in 0..count {
        let mut arrivals = [(); 3].map(|()| random_limit(&mut random));
        let rate = |arrival: &Arrival| {
            let [rate, burst] = [arrival.rate, arrival.burst].map(|part| u64::try_from(part).unwrap());
            Rate::per_minute(rate).with_burst(burst)
        };
        let [requests, input, output] = &arrivals;
        let limits = Limits::default()
            .with_requests(rate(requests))
            .with_input_tokens(rate(input))
            .with_output_tokens(rate(output));
        let timer = Arc::new(ManualTimer::new());
        let limiter = Local::limited_to(limits).build(Arc::clone(&timer));
        let (mut now, mut told, mut admitted) = (0_u128, 0_u128, Vec::new());
        for _ in 0..random.u32(1..30) {
            let passed = random_step(&mut random, &arrivals, told);
            now += u128::from(passed);
            timer.advance(Duration::from_nanos(passed));
            let amounts = arrivals.map(|arrival| random.u128(0..=arrival.burst + arrival.burst / 8));
            let cost = Cost::requests(u32::try_from(amounts[0]).unwrap())
                .with_input_tokens(u64::try_from(amounts[1]).unwrap())
                .with_output_tokens(u64::try_from(amounts[2]).unwrap());

            let decision = limiter.try_acquire(&key(), cost);
            decisions += 1;
            let fits = arrivals.iter().zip(amounts).all(|(arrival, amount)| amount <= arrival.burst);
            let after = [0, 1, 2].map(|one| arrivals[one].after(now, amounts[one]));
            let wait = after.iter().map(|(_, wait)| *wait).max().unwrap();
            match decision {
                Decision::TooLarge { .. } => assert!(!fits, "schedule {number}: {amounts:?} fits"),
                Decision::Wait(told_wait) => {
                    assert!(
                        fits && told_wait.as_nanos() == wait,
                        "schedule {number}: {told_wait:?}, not {wait} ns"
                    );
                    told = wait;
                }
                Decision::Admit => {
                    assert!(fits && wait == 0, "schedule {number}: {wait} ns too early");
                    for (arrival, (next, _)) in arrivals.iter_mut().zip(after) {
                        arrival.at = next;
                    }
                    admitted.push((now, amounts));
                }
            }
        }
        no_window_sees_more(&arrivals, &admitted, number);
    }
    decisions
}

/// The bound itself, for every stretch of time that begins and ends with something admitted.
fn no_window_sees_more(limits: &[Arrival; 3], admitted: &[(u128, [u128; 3])], number: u32) {
    for (first, (start, _)) in admitted.iter().enumerate() {
        let mut sums = [0; 3];
        for (end, amounts) in &admitted[first..] {
            for ((sum, amount), limit) in sums.iter_mut().zip(amounts).zip(limits) {
                *sum += amount;
                let bound = limit.burst * MINUTE + limit.rate * (end - start);
                assert!(*sum * MINUTE <= bound, "schedule {number}: {sum} between {start} and {end} ns");
            }
        }
    }
}

fn random_limit(random: &mut Rng) -> Arrival {
    let rate = match random.u8(0..4) {
        0 => random.u128(1..100),
        1 => random.u128(1..100_000),
        2 => [7, 59, 40_000_007, 999_999_999_989][random.usize(0..4)],
        _ => random.u128(1..u128::from(u32::MAX)),
    };
    let burst = if random.bool() { random.u128(1..20) } else { random.u128(1..=rate.min(1_000_000)) };
    Arrival { rate, burst, at: 0 }
}

/// How far time moves: not at all, to the time of the last refusal and a little off it, by some tokens' worth, or far.
fn random_step(random: &mut Rng, limits: &[Arrival; 3], told: u128) -> u64 {
    let worth =
        |limit: &Arrival, amount: u64| u64::try_from(MINUTE * u128::from(amount) / limit.rate).unwrap();
    let off = random.i64(-2..=2);
    match random.u8(0..10) {
        0..3 => 0,
        3..6 => u64::try_from(told).unwrap().saturating_add_signed(off),
        6..9 => worth(&limits[random.usize(0..3)], random.u64(0..5)).saturating_add_signed(off),
        _ => random.u64(0..500_000_000_000),
    }
}

#[test]
fn decisions_and_waits_are_those_of_gcra_and_no_window_sees_more_than_burst_and_rate() {
    let count = if cfg!(debug_assertions) { 10_000 } else { 1_000_000 };
    assert!(schedules(count, 29) > u64::from(count));
}

#[test]
fn a_minute_of_eager_asking_is_worth_the_rate_exactly() {
    let mut random = Rng::with_seed(6);
    for rate in [1, 7, 60, 59_999, random.u64(1..60_000), random.u64(1..60_000)] {
        let timer = Arc::new(ManualTimer::new());
        let limits = Limits::default().with_input_tokens(Rate::per_minute(rate).with_burst(2));
        let limiter = Local::limited_to(limits).build(Arc::clone(&timer));
        let (mut admitted, mut at) = (0, 0);
        while at <= MINUTE {
            match limiter.try_acquire(&key(), Cost::default().with_input_tokens(1)) {
                Decision::Admit => admitted += 1,
                Decision::Wait(wait) => {
                    timer.advance(wait);
                    at += wait.as_nanos();
                }
                Decision::TooLarge { .. } => panic!("one never fits"),
            }
        }
        assert_eq!(admitted, rate + 2, "the burst of two, and the rate");
    }
}
