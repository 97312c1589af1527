//! Waits that follow one another, on a held clock.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use transport::{Patience, SimClock};

use crate::clock;

const LIMIT: Duration = Duration::from_secs(60);

fn patience(clock: &SimClock) -> Patience {
    Patience::new(Arc::new(clock.clone()), LIMIT)
}

fn is_over(patience: &mut Patience) -> bool {
    patience.poll_end(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_wait_ends_at_the_limit_whenever_it_began() {
    for began in [0, 1, 30, 59, 60, 61, 90] {
        let clock = clock();
        let mut patience = patience(&clock);
        assert!(!is_over(&mut patience));
        clock.advance(seconds(began));
        patience.rest();
        for second in 0..LIMIT.as_secs() {
            assert!(!is_over(&mut patience), "after {second} s of a wait that began at {began} s");
            clock.advance(seconds(1));
        }
        assert!(is_over(&mut patience), "a wait that began at {began} s");
    }
}

#[test]
fn many_short_waits_share_one_sleep() {
    let clock = clock();
    let mut patience = patience(&clock);
    for _ in 0..1_000 {
        assert!(!is_over(&mut patience));
        assert_eq!(clock.sleepers(), 1);
        clock.advance(seconds(7));
        patience.rest();
    }
    drop(patience);
    assert_eq!(clock.sleepers(), 0);
}

#[test]
fn time_that_nobody_waits_does_not_count() {
    let clock = clock();
    let mut patience = patience(&clock);
    assert!(!is_over(&mut patience));
    patience.rest();
    clock.advance(seconds(3_600));
    assert!(!is_over(&mut patience));
    clock.advance(seconds(59));
    assert!(!is_over(&mut patience));
    clock.advance(seconds(1));
    assert!(is_over(&mut patience));
}

#[test]
fn a_clock_that_is_set_forward_ends_no_wait() {
    let clock = clock();
    let mut patience = patience(&clock);
    assert!(!is_over(&mut patience));
    clock.advance(seconds(1));
    patience.rest();
    assert!(!is_over(&mut patience));
    clock.advance(seconds(24 * 60 * 60));
    assert!(!is_over(&mut patience), "no wait can have been that long");
    clock.advance(LIMIT);
    assert!(is_over(&mut patience));
}

#[tokio::test]
async fn whoever_waits_is_woken_at_the_limit() {
    let clock = clock();
    let mut patience = patience(&clock);
    assert_eq!(poll_fn(|cx| Poll::Ready(patience.poll_end(cx))).await, Poll::Pending);
    clock.advance(seconds(30));
    patience.rest();
    let wait = tokio::spawn(async move { poll_fn(|cx| patience.poll_end(cx)).await });
    crate::settle().await;
    for _ in 0..2 {
        assert!(!wait.is_finished());
        clock.advance(seconds(30));
        crate::settle().await;
    }
    assert!(wait.is_finished());
}
