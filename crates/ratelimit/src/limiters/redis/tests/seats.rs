//! How much goes on at once, over several processes.

use super::*;

/// So many requests at once, without any other limit.
fn at_once(most: u32, processes: u32) -> RedisBuilder {
    Redis::at("redis://127.0.0.1", Limits::default().with_concurrency(most), processes)
}

#[tokio::test]
async fn a_process_that_gives_back_and_asks_again_does_not_keep_another_one_waiting() {
    let twins = Twins::start();
    let served = Arc::new([(); 2].map(|()| AtomicUsize::new(0)));
    for (process, callers) in [1, 20].into_iter().enumerate() {
        let limiter = twins.process(at_once(1, 2));
        for _ in 0..callers {
            let (limiter, served, timer) = (limiter.clone(), Arc::clone(&served), Arc::clone(&twins.timer));
            tokio::spawn(async move {
                loop {
                    let permit = limiter.acquire(key(), Cost::requests(1), 600 * SECOND).await.unwrap();
                    timer.sleep(Duration::from_millis(40)).await;
                    permit.settle(Cost::requests(1));
                    served[process].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
    twins.pass(20 * SECOND).await;
    let [one, other] = [0, 1].map(|process| served[process].load(Ordering::Relaxed));
    assert!(one + other > 200, "{one} and {other}");
    assert!(one.min(other) * 2 > one.max(other), "{one} and {other}");
}

#[tokio::test]
async fn fewer_seats_than_processes_are_counted_by_the_server_even_with_blocks_and_shared_by_nobody() {
    let twins = Twins::start();
    let processes: Vec<_> = (0..8).map(|_| twins.process(at_once(2, 8).leased())).collect();
    let mut held = Vec::new();
    for process in &processes {
        held.extend(try_one(process).await);
    }
    assert_eq!(held.len(), 2);
    drop(held);
    twins.pass(SECOND).await;

    twins.behave(REFUSES);
    for process in &processes {
        let error = try_one(process).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_emptied_gives_no_seat_before_it_has_heard_of_those_who_have_one() {
    let twins = Twins::start();
    let (one, other) = (twins.process(at_once(3, 2)), twins.process(at_once(3, 2)));
    drop(try_one(&other).await.unwrap());
    other.give_back().await.unwrap();
    let held = [try_one(&one).await.unwrap(), try_one(&one).await.unwrap(), try_one(&one).await.unwrap()];
    twins.keys.lock().unwrap().values_mut().for_each(Twin::empty);
    for _ in 0..8 {
        assert!(try_one(&other).await.is_err());
        twins.pass(SECOND).await;
    }
    drop(held);
    twins.pass(SECOND).await;
    assert!(try_one(&other).await.is_ok());
}

#[tokio::test]
async fn no_seat_at_all_counts_as_one() {
    let none = Limits { concurrency: Some(0), ..Limits::default() };
    let limiter = Twins::start().process(Redis::at("redis://127.0.0.1", none, 1));
    let held = try_one(&limiter).await.unwrap();
    let error = try_one(&limiter).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(SECOND / 10), "nobody knows: {error}");
    drop(held);
    assert!(try_one(&limiter).await.is_ok());
}
