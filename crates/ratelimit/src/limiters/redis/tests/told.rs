//! Limits that the service tells, and whom the first place in a process goes to.

use super::*;
use crate::{Dimension, Observation, Priority, Window};

/// What the reply to a permit says of the limit of requests.
fn tell(limiter: &Redis, permit: &Permit, limit: u64) {
    let window = Window::default().with_limit(limit);
    limiter.observe(&key(), &Observation::default().with_requests(window).with_permit(permit.number()));
}

#[tokio::test]
async fn a_lower_limit_is_adopted_by_every_process_and_a_higher_one_up_to_what_was_set() {
    let twins = Twins::start();
    let (one, other) = (twins.process(sixty()), twins.process(sixty()));
    let permit = try_one(&one).await.unwrap();
    tell(&one, &permit, 30);
    permit.settle(Cost::requests(1));
    one.give_back().await.unwrap();
    assert_eq!(drain(&other).await, 29, "a hundredth is left for what is on its way");
    twins.pass(4 * SECOND).await;
    assert_eq!(drain(&other).await, 2, "thirty a minute");

    twins.pass(2 * SECOND).await;
    let permit = try_one(&other).await.unwrap();
    tell(&other, &permit, 1_000);
    other.give_back().await.unwrap();
    twins.pass(4 * SECOND).await;
    assert_eq!(drain(&one).await, 4, "sixty a minute, and not a thousand");
}

#[tokio::test]
async fn the_word_of_an_older_request_changes_nothing_whoever_heard_it() {
    let twins = Twins::start();
    let (one, other) = (twins.process(sixty()), twins.process(sixty()));
    let old = try_one(&one).await.unwrap();
    twins.pass(SECOND).await;
    let new = try_one(&other).await.unwrap();
    tell(&other, &new, 30);
    other.give_back().await.unwrap();
    tell(&one, &old, 60);
    one.give_back().await.unwrap();
    twins.pass(60 * SECOND).await;
    assert_eq!(drain(&one).await, 29);
}

#[tokio::test]
async fn what_does_not_fit_a_lowered_limit_is_told_at_once_in_both_modes() {
    for is_leased in [false, true] {
        let twins = Twins::start();
        let builder = || if is_leased { sixty().leased() } else { sixty() };
        let (one, other) = (twins.process(builder()), twins.process(builder()));
        let permit = try_one(&one).await.unwrap();
        tell(&one, &permit, 30);
        drop(permit);
        one.give_back().await.unwrap();
        let error = other.acquire(key(), Cost::requests(40), 600 * SECOND).await.unwrap_err();
        let Error::TooLarge { dimension, asked, capacity } = error else { panic!("{error:?}") };
        assert_eq!((dimension, asked, capacity), (Dimension::Requests, 40, 29));
    }
}

#[tokio::test]
async fn the_share_of_a_process_without_a_server_is_one_of_the_lowered_limit() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    let permit = try_one(&limiter).await.unwrap();
    tell(&limiter, &permit, 30);
    drop(permit);
    twins.behave(REFUSES);
    assert!(try_one(&limiter).await.is_err(), "a share begins with nothing");
    assert!(!limiter.is_shared());
    twins.pass(60 * SECOND).await;
    assert_eq!(drain(&limiter).await, 14, "half of it");
}

/// Who is admitted in which order. The first is admitted for a later time, and the second is in front before the others come.
async fn order(tenants: &[(&'static str, Priority)]) -> String {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    drain(&limiter).await;
    let order = Arc::new(Mutex::new(String::new()));
    for &(tenant, priority) in tenants {
        let (limiter, order) = (limiter.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            let key = key().with_tenant(tenant).with_priority(priority);
            drop(limiter.acquire(key, Cost::requests(1), 60 * SECOND).await.unwrap());
            order.lock().unwrap().push_str(tenant);
        });
        settle_down().await;
    }
    twins.pass(15 * SECOND).await;
    let order = order.lock().unwrap();
    order.clone()
}

#[tokio::test]
async fn tenants_who_wait_in_one_process_take_turns_and_a_higher_priority_goes_first() {
    let normal = |tenants: &'static [&'static str]| -> Vec<_> {
        tenants.iter().map(|tenant| (*tenant, Priority::Normal)).collect()
    };
    assert_eq!(order(&normal(&["a", "a", "a", "a", "b", "c", "b"])).await, "aaabcab");
    let mut mixed = normal(&["a", "a", "a"]);
    mixed.push(("h", Priority::High));
    assert_eq!(order(&mixed).await, "aaha");
}

#[tokio::test]
async fn whoever_leaves_the_line_holds_up_nobody() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    drain(&limiter).await;
    let wait = |wait| {
        let limiter = limiter.clone();
        tokio::spawn(async move { limiter.acquire(key(), Cost::requests(1), wait).await.map(drop) })
    };
    let (first, second, third) = (wait(60 * SECOND), wait(60 * SECOND), wait(60 * SECOND));
    settle_down().await;
    second.abort();
    first.abort();
    twins.pass(2 * SECOND).await;
    assert!(third.is_finished());
    third.await.unwrap().unwrap();
}
