//! A limit of what goes on at once that is found by trying.

use std::{sync::Arc, time::Duration};

use ratelimit::{
    Adaptive, Limits, Observation, Permit, RateLimiter, limiters::Local, test_util::ManualTimer,
};

use crate::{SECOND, key, requests};

fn adaptive(start: u32) -> Local {
    Local::listening().adaptive(Adaptive::starting_at(start)).build(ManualTimer::new())
}

/// As many permits as there are at this moment, three hundred at the most.
async fn all(limiter: &Local) -> Vec<Permit> {
    let mut permits = Vec::new();
    while permits.len() < 300
        && let Ok(permit) = limiter.acquire(key(), requests(1), Duration::ZERO).await
    {
        permits.push(permit);
    }
    permits
}

fn reply(limiter: &Local, permit: Permit, is_refused: bool, took: Option<Duration>) {
    let seen = Observation::default().with_permit(permit.number());
    limiter.observe(&key(), &seen.with_refusal(is_refused).with_time_taken(took));
    permit.settle(requests(1));
}

/// Has every permit there is replied to, and returns how many there were.
async fn round(limiter: &Local, is_refused: bool, took: Duration) -> usize {
    let permits = all(limiter).await;
    let count = permits.len();
    permits.into_iter().for_each(|permit| reply(limiter, permit, is_refused, Some(took)));
    count
}

#[tokio::test]
async fn nothing_adapts_unless_it_is_asked_for() {
    let limiter = Local::listening().build(ManualTimer::new());
    assert_eq!(round(&limiter, true, SECOND).await, 300);
    assert_eq!(round(&limiter, true, SECOND).await, 300);
}

#[tokio::test]
async fn each_round_of_good_replies_makes_room_for_one_more() {
    let limiter = adaptive(4);
    let mut rounds = Vec::new();
    for _ in 0..5 {
        rounds.push(round(&limiter, false, SECOND).await);
    }
    assert_eq!(rounds, [4, 4, 5, 6, 7]);
}

#[tokio::test]
async fn whoever_does_not_use_it_gets_no_more() {
    let limiter = adaptive(4);
    for _ in 0..100 {
        let permit = limiter.acquire(key(), requests(1), Duration::ZERO).await.unwrap();
        reply(&limiter, permit, false, Some(SECOND));
    }
    assert_eq!(all(&limiter).await.len(), 4);
}

#[tokio::test]
async fn a_round_of_refusals_halves_it_once_and_one_always_goes() {
    let limiter = adaptive(20);
    let mut rounds = Vec::new();
    for _ in 0..6 {
        rounds.push(round(&limiter, true, SECOND).await);
    }
    assert_eq!(rounds, [20, 10, 5, 2, 1, 1]);
}

#[tokio::test]
async fn replies_that_take_twice_as_long_as_usual_lower_it_by_a_tenth() {
    let limiter = adaptive(20);
    assert_eq!(round(&limiter, false, SECOND).await, 20);
    let before = round(&limiter, false, SECOND).await;
    assert!(round(&limiter, false, 5 * SECOND).await >= before);
    let after = all(&limiter).await.len();
    assert!(after < before && after >= before * 8 / 10, "{after} after {before}");
}

#[tokio::test]
async fn it_stays_below_what_was_set_and_keys_have_each_their_own() {
    let adaptive = Adaptive::starting_at(50).up_to(8);
    let limits = Limits::default().with_concurrency(5);
    let capped = Local::limited_to(limits).adaptive(adaptive).build(ManualTimer::new());
    assert_eq!(all(&capped).await.len(), 5);
    let limiter = Local::listening().adaptive(adaptive).build(ManualTimer::new());
    for _ in 0..100 {
        assert_eq!(round(&limiter, false, SECOND).await, 8);
    }
    let held = all(&limiter).await;
    assert!(limiter.acquire("another".into(), requests(1), Duration::ZERO).await.is_ok());
    drop(held);
}

/// A server whose use may grow by a quarter and four from one second to the next, up to what it can do.
#[derive(Debug, Default)]
struct Accelerating {
    before: usize,
    now: usize,
    most: usize,
    refused: usize,
    served: usize,
}

impl Accelerating {
    fn second(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    fn serves(&mut self) -> bool {
        let serves = self.now < (self.before + self.before / 4 + 4).min(self.most);
        self.now += usize::from(serves);
        self.served += usize::from(serves);
        self.refused += usize::from(!serves);
        serves
    }
}

/// A minute and a half of more work than there is room for, with replies after a second.
async fn minutes(limiter: &Local, timer: &ManualTimer, most: usize) -> Accelerating {
    let mut server = Accelerating { most, ..Accelerating::default() };
    for _ in 0..90 {
        let permits = all(limiter).await;
        let served: Vec<bool> = permits.iter().map(|_| server.serves()).collect();
        timer.advance(SECOND);
        server.second();
        for (permit, served) in permits.into_iter().zip(served) {
            reply(limiter, permit, !served, Some(SECOND));
        }
    }
    server
}

#[tokio::test]
async fn a_ramp_does_not_trip_a_limit_on_acceleration() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Local::listening().adaptive(Adaptive::starting_at(4)).build(Arc::clone(&timer));
    let server = minutes(&limiter, &timer, 1_000).await;
    assert_eq!(server.refused, 0);
    assert!(server.before > 80, "it grew to {} a second", server.before);

    let everything_at_once = Local::listening().build(Arc::clone(&timer));
    assert!(minutes(&everything_at_once, &timer, 1_000).await.refused > 1_000);
}

#[tokio::test]
async fn it_settles_around_what_the_server_can_do() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Local::listening().adaptive(Adaptive::starting_at(4)).build(Arc::clone(&timer));
    let Accelerating { served, refused, .. } = minutes(&limiter, &timer, 20).await;
    assert!(served >= 90 * 20 * 65 / 100, "{served} of {}", 90 * 20);
    assert!(refused * 50 < served, "{refused} refused, {served} served");
}
