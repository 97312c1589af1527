//! What the limiter makes of what the server says (F67).

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use ratelimit::{
    Cost, Decision, Error, Observation, Permit, RateLimiter, Timer as _, TokioTimer, Window, limiters::Local,
    test_util::ManualTimer,
};
use tokio::task::yield_now;

use super::{cost, one_per_second, three};
use crate::{SECOND, key, requests};

async fn take(limiter: &Local, cost: Cost) -> Permit {
    limiter.acquire(key(), cost, Duration::ZERO).await.unwrap()
}

/// The reply to `permit`, which says how many requests are allowed and left.
fn hear(limiter: &Local, permit: &Permit, limit: u64, remaining: u64) {
    let window = Window::default().with_limit(limit).with_remaining(remaining);
    limiter.observe(&key(), &Observation::default().with_requests(window).with_permit(permit.number()));
}

/// How many requests are left.
fn left(limiter: &Local) -> u32 {
    let mut left = 0;
    while limiter.try_acquire(&key(), requests(1)) == Decision::Admit {
        left += 1;
    }
    left
}

#[tokio::test]
async fn a_limit_that_nobody_has_set_is_adopted_and_so_are_its_changes() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Local::listening().build(Arc::clone(&timer));
    assert_eq!(limiter.try_acquire(&key(), requests(1_000)), Decision::Admit, "nobody has said anything");
    let told = |limit, remaining| {
        let limiter = limiter.clone();
        async move { hear(&limiter, &take(&limiter, requests(1)).await, limit, remaining) }
    };
    told(60, 20).await;
    assert_eq!(left(&limiter), 20);
    timer.advance(SECOND);
    told(120, 100).await;
    assert_eq!(left(&limiter), 100, "a higher tier");
    timer.advance(SECOND);
    told(10, 9).await;
    assert_eq!(left(&limiter), 9, "a lower one");
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(6 * SECOND));
}

#[tokio::test]
async fn what_the_server_has_left_is_the_most_that_is_left() {
    let limiter = one_per_second(50, &Arc::new(ManualTimer::new()));
    let permit = take(&limiter, requests(1)).await;
    hear(&limiter, &permit, 60, 7);
    assert_eq!(left(&limiter), 7);
}

#[tokio::test]
async fn a_request_as_large_as_the_servers_whole_limit_is_admitted() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Local::listening().build(Arc::clone(&timer));
    hear(&limiter, &take(&limiter, requests(1)).await, 1_000, 999);
    timer.advance(60 * SECOND);
    assert_eq!(limiter.try_acquire(&key(), requests(1_000)), Decision::Admit);
    assert!(matches!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(_)));
    assert!(matches!(
        limiter.try_acquire(&key(), requests(1_001)),
        Decision::TooLarge { capacity: 1_000, .. }
    ));
}

#[tokio::test]
async fn one_of_many_takes_its_part_of_what_the_server_tells() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Local::listening().one_of(NonZeroU32::new(10).unwrap()).build(Arc::clone(&timer));
    hear(&limiter, &take(&limiter, requests(1)).await, 600, 599);
    assert_eq!(left(&limiter), 59);
    timer.advance(2 * SECOND);
    hear(&limiter, &take(&limiter, requests(1)).await, 300, 209);
    assert_eq!(left(&limiter), 1, "what the others have not used is theirs");
    timer.advance(2 * SECOND);
    assert_eq!(left(&limiter), 1, "thirty a minute");
    timer.advance(60 * SECOND);
    hear(&limiter, &take(&limiter, requests(1)).await, 300, 4);
    assert_eq!(left(&limiter), 1, "something is left, so each may have one");
}

#[tokio::test]
async fn an_older_reply_may_lower_and_never_raises() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = Local::listening().build(Arc::clone(&timer));
    let (first, second) = (take(&limiter, requests(1)).await, take(&limiter, requests(1)).await);
    hear(&limiter, &second, 60, 30);
    hear(&limiter, &first, 60, 59);
    hear(&limiter, &first, 600, 599);
    limiter.observe(
        &key(),
        &Observation::default().with_requests(Window::default().with_limit(600).with_remaining(599)),
    );
    assert_eq!(left(&limiter), 30);
    timer.advance(SECOND);
    assert_eq!(left(&limiter), 1, "the rate is the newer one");
    timer.advance(60 * SECOND);
    hear(&limiter, &first, 60, 3);
    assert_eq!(left(&limiter), 3, "lower it may");
}

#[tokio::test]
async fn the_newest_reply_gives_back_what_was_spent_for_nothing() {
    let limiter = Local::listening().build(ManualTimer::new());
    hear(&limiter, &take(&limiter, requests(1)).await, 60, 59);
    // Forty are believed to be spent, and ten are under way.
    assert_eq!(limiter.try_acquire(&key(), requests(40)), Decision::Admit);
    let under_way = take(&limiter, requests(10)).await;
    let newest = take(&limiter, requests(1)).await;
    hear(&limiter, &newest, 60, 55);
    assert_eq!(left(&limiter), 45, "the server may not have seen those ten yet");
    drop(under_way);
}

#[tokio::test]
async fn a_ceiling_is_lowered_and_never_raised() {
    let timer = Arc::new(ManualTimer::new());
    let limiter = one_per_second(5, &timer);
    assert_eq!(left(&limiter), 5);
    timer.advance(SECOND);
    let permit = take(&limiter, requests(1)).await;
    hear(&limiter, &permit, 1_000, 999);
    hear(&limiter, &permit, 60, 59);
    assert_eq!(left(&limiter), 0, "the server has plenty, but the burst was set to five");
    hear(&limiter, &permit, 6, 6);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(10 * SECOND), "a tenth of the rate");
    hear(&limiter, &permit, 600, 600);
    assert_eq!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(SECOND), "and back, but no further");
}

#[tokio::test]
async fn a_word_without_sense_changes_nothing() {
    let limiter = one_per_second(5, &Arc::new(ManualTimer::new()));
    let permit = take(&limiter, requests(1)).await;
    hear(&limiter, &permit, 0, u64::MAX);
    limiter.observe(&key(), &Observation::default().with_permit(Some(u64::MAX)));
    let past = Window::default().with_reset_after(Duration::ZERO);
    limiter.observe(&key(), &Observation::default().with_requests(past));
    assert_eq!(left(&limiter), 4);
}

#[tokio::test]
async fn whole_numbers_of_a_server_do_not_wear_down_what_is_left() {
    // The server says "none left" while there are nine tenths of a request: believed, that would cost them each time.
    let timer = Arc::new(ManualTimer::new());
    let limiter = one_per_second(2, &timer);
    assert_eq!(left(&limiter), 2);
    let permit = Permit::free();
    for _ in 0..10 {
        timer.advance(SECOND / 10);
        hear(&limiter, &permit, 60, 0);
    }
    assert!(matches!(limiter.try_acquire(&key(), requests(1)), Decision::Wait(wait) if wait.as_nanos() == 1));
}

#[tokio::test]
async fn whoever_waits_for_more_than_a_lowered_limit_is_told_at_once() {
    let limiter = three(&Arc::new(ManualTimer::new()));
    let permit = take(&limiter, cost(60, 600, 0)).await;
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(key(), cost(1, 500, 0), Duration::MAX).await }
    });
    yield_now().await;
    let window = Window::default().with_limit(100).with_remaining(0);
    limiter.observe(&key(), &Observation::default().with_input_tokens(window).with_permit(permit.number()));
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::TooLarge { asked: 500, capacity: 100, .. }), "{error:?}");
}

/// A service with buckets of its own, in milliseconds: what it charges, refuses and tells.
#[derive(Debug)]
struct Service {
    timer: TokioTimer,
    per_minute: [i64; 3],
    /// A token is 60,000, so that a bucket gains its rate each millisecond.
    level: [i64; 3],
    at: Duration,
    served: [i64; 3],
    refused: i64,
}

impl Service {
    fn new(timer: TokioTimer, per_minute: [i64; 3]) -> Self {
        let level = per_minute.map(|rate| rate * 60_000);
        Self { timer, per_minute, level, at: timer.now(), served: [0; 3], refused: 0 }
    }

    fn refill(&mut self) {
        let passed = i64::try_from((self.timer.now() - self.at).as_millis()).unwrap();
        self.at = self.timer.now();
        for (level, rate) in self.level.iter_mut().zip(self.per_minute) {
            *level = (*level + passed * rate).min(rate * 60_000);
        }
    }

    fn spend(&mut self, amounts: [i64; 3]) {
        for ((level, served), amount) in self.level.iter_mut().zip(&mut self.served).zip(amounts) {
            *level -= amount * 60_000;
            *served += amount;
        }
    }

    /// Takes a request and its input, or refuses; tells what is left.
    fn admit(&mut self, input: i64) -> (bool, Observation) {
        self.refill();
        let needs = [1, input, 1].map(|amount| amount * 60_000);
        let admitted = self.level.iter().zip(needs).all(|(level, needed)| *level >= needed);
        if admitted {
            self.spend([1, input, 0]);
        } else {
            self.refused += 1;
        }
        let mut windows = self.per_minute.into_iter().zip(self.level).map(|(limit, level)| {
            let [limit, left] = [limit, level.max(0) / 60_000].map(|part| u64::try_from(part).unwrap());
            Window::default().with_limit(limit).with_remaining(left)
        });
        let mut next = || windows.next().unwrap();
        let seen = Observation::default().with_requests(next()).with_input_tokens(next());
        (admitted, seen.with_output_tokens(next()))
    }
}

/// Sends one call after the other, each as soon as the limiter lets it.
async fn work(limiter: Local, service: Arc<Mutex<Service>>, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let timer = service.lock().unwrap().timer;
    loop {
        let (input, output) = (random.i64(100..400), random.i64(20..200));
        let [sent, received, most] = [input, output, 2 * output].map(|part| u64::try_from(part).unwrap());
        let estimate = cost(1, sent + sent / 10, most);
        let mut permit = limiter.acquire(key(), estimate, Duration::MAX).await.unwrap();
        permit.assume(estimate);
        timer.sleep(Duration::from_millis(random.u64(5..50))).await;
        let (admitted, seen) = service.lock().unwrap().admit(input);
        timer.sleep(Duration::from_millis(random.u64(200..2_000))).await;
        limiter.observe(&key(), &seen.with_permit(permit.number()));
        if !admitted {
            permit.settle(requests(1));
            continue;
        }
        let mut there = service.lock().unwrap();
        there.refill();
        there.spend([0, 0, output]);
        permit.settle(cost(1, sent, received));
    }
}

/// G35 in small, with one process: 64 workers that never rest, ten minutes, and limits that are halved on the way.
#[tokio::test(start_paused = true)]
async fn a_limiter_that_only_listens_uses_what_there_is_and_is_hardly_ever_refused() {
    let timer = TokioTimer::new();
    let limiter = Local::listening().build(timer);
    let per_minute = [120, 60_000, 20_000];
    let service = Arc::new(Mutex::new(Service::new(timer, per_minute)));
    // One call tells the limits.
    let permit = take(&limiter, cost(1, 1, 1)).await;
    let seen = service.lock().unwrap().admit(1).1;
    limiter.observe(&key(), &seen.with_permit(permit.number()));
    permit.settle(cost(1, 1, 1));

    let work = |seed| tokio::spawn(work(limiter.clone(), Arc::clone(&service), seed));
    let workers: Vec<_> = (0..64).map(work).collect();
    timer.sleep(Duration::from_mins(5)).await;
    {
        let mut there = service.lock().unwrap();
        assert_eq!(there.refused, 0, "{there:?}");
        there.refill();
        there.per_minute = there.per_minute.map(|rate| rate / 2);
        there.level = there.level.map(|level| level / 2);
    }
    timer.sleep(Duration::from_mins(5)).await;
    workers.iter().for_each(tokio::task::JoinHandle::abort);

    let there = service.lock().unwrap();
    // The burst at the beginning, five minutes of the whole and five of half of it; requests are the scarcest.
    let most = per_minute[0] * 17 / 2;
    let (served, refused) = (there.served[0], there.refused);
    assert!(served * 100 >= most * 95, "{served} of {most} were served, {refused} refused: {there:?}");
    assert!(refused <= 3, "only those that were under way when the limits changed: {refused}");
}
