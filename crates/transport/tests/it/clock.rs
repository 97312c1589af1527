use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use transport::{Clock, SystemClock};

use crate::{clock, settle, start};

#[tokio::test]
async fn sleepers_wake_when_their_time_has_come_and_not_before() {
    let clock = clock();
    let woken = Arc::new(Mutex::new(Vec::new()));
    for seconds in [3, 1, 2, 1] {
        let (clock, woken) = (clock.clone(), Arc::clone(&woken));
        tokio::spawn(async move {
            clock.sleep(Duration::from_secs(seconds)).await;
            woken.lock().unwrap().push(seconds);
        });
    }
    settle().await;
    assert_eq!(clock.sleepers(), 4);

    clock.advance(Duration::from_millis(999));
    settle().await;
    assert!(woken.lock().unwrap().is_empty());

    clock.advance(Duration::from_millis(1_001));
    settle().await;
    assert_eq!(*woken.lock().unwrap(), [1, 1, 2]);
    assert_eq!(clock.sleepers(), 1);
    assert_eq!(clock.slept(), Duration::from_secs(4));
    assert_eq!(clock.now(), start() + Duration::from_secs(2));
}

#[tokio::test]
async fn a_dropped_sleep_leaves_nothing_behind() {
    let clock = clock();
    let sleeper = tokio::spawn({
        let clock = clock.clone();
        async move { clock.sleep(Duration::MAX).await }
    });
    settle().await;
    assert_eq!(clock.sleepers(), 1);
    sleeper.abort();
    settle().await;
    assert_eq!(clock.sleepers(), 0);
    assert_eq!(clock.slept(), Duration::ZERO);
}

#[tokio::test]
async fn an_auto_advancing_clock_is_moved_by_who_sleeps() {
    let clock = clock().auto_advance();
    clock.sleep(Duration::from_secs(5)).await;
    clock.sleep(Duration::from_secs(6)).await;
    assert_eq!(clock.now(), start() + Duration::from_secs(11));
    assert_eq!(clock.slept(), Duration::from_secs(11));
}

#[tokio::test(start_paused = true)]
async fn the_system_clock_waits_on_the_runtimes_timer() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    assert!(clock.now() > SystemTime::UNIX_EPOCH);
    let sleeper = tokio::spawn(async move { clock.sleep(Duration::from_secs(3_600)).await });
    settle().await;
    tokio::time::advance(Duration::from_secs(3_599)).await;
    settle().await;
    assert!(!sleeper.is_finished());
    tokio::time::advance(Duration::from_millis(1_001)).await; // the timer rounds up to a millisecond
    settle().await;
    assert!(sleeper.is_finished());
}
