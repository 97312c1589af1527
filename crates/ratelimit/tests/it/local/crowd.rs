//! A hundred thousand who wait (G36).

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use ratelimit::{Error, Limits, Permit, Rate, RateLimiter as _, Timer, limiters::Local};

use crate::{key, requests};

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Permit, Error>> + Send + 'a>>;

/// Counts how often somebody is woken, for all who wait together.
#[derive(Debug, Default)]
struct Wakes(std::sync::atomic::AtomicUsize);

impl std::task::Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// A timer that wakes nobody: whether a sleep is over is seen by whoever polls it.
#[derive(Debug, Default)]
struct Hand(std::sync::atomic::AtomicU64);

#[async_trait]
impl Timer for Hand {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        let end = self.now().saturating_add(duration);
        poll_fn(|_| if self.now() >= end { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

#[test]
fn a_hundred_thousand_wait_and_whoever_is_served_wakes_one_other() {
    const MANY: usize = 100_000;
    let hand = Arc::new(Hand::default());
    let limits = Limits::default().with_requests(Rate::per_minute(60).with_burst(1));
    let limiter = Local::limited_to(limits).build(Arc::clone(&hand));
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut context = Context::from_waker(&waker);
    let mut waiting: Vec<Option<Waiting<'_>>> = (0..MANY)
        .map(|number| {
            let key = key().with_tenant(format!("tenant-{}", number % 1_000));
            let mut waiter: Waiting<'_> = limiter.acquire(key, requests(1), Duration::MAX);
            match waiter.as_mut().poll(&mut context) {
                Poll::Ready(permit) => {
                    assert_eq!(number, 0, "only the first finds something");
                    permit.unwrap().settle(requests(1));
                    None
                }
                Poll::Pending => Some(waiter),
            }
        })
        .collect();
    // Everyone else leaves, so that the line is shortened in the middle, too.
    for place in (2..MANY).step_by(2) {
        waiting[place] = None;
    }
    wakes.0.store(0, std::sync::atomic::Ordering::Relaxed);

    // Tenants take turns, and of each the first to come is first: of a thousand tenants, every second has somebody.
    for turn in 0..1_000 {
        hand.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let place = turn * 2 + 1;
        let poll = waiting[place].as_mut().unwrap().as_mut().poll(&mut context);
        let Poll::Ready(Ok(permit)) = poll else { panic!("{place} was next, not {poll:?}") };
        permit.settle(requests(1));
        waiting[place] = None;
        // Whoever is in front now looks how long it takes.
        assert!(waiting[place + 2].as_mut().unwrap().as_mut().poll(&mut context).is_pending());
    }
    let woken = wakes.0.load(std::sync::atomic::Ordering::Relaxed);
    assert!(woken <= 3_000, "each who is served wakes one other, twice at most: {woken}");
    drop(waiting);
    assert!(limiter.acquire(key(), requests(1), Duration::MAX).as_mut().poll(&mut context).is_pending());
}
