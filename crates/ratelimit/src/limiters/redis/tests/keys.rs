//! Many keys, and one that cannot be asked about.

use super::*;

async fn ask(limiter: &Redis, key: impl Into<Key>) -> Result<Permit, Error> {
    limiter.acquire(key.into(), Cost::requests(1), Duration::ZERO).await
}

#[tokio::test]
async fn an_idle_key_makes_room_for_a_new_one() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    for number in 0..1_100 {
        let permit = ask(&limiter, format!("key {number}")).await.unwrap();
        permit.settle(Cost::requests(1));
    }
    // Nothing is forgotten by it: the server counts.
    for _ in 0..59 {
        ask(&limiter, "key 0").await.unwrap().settle(Cost::requests(1));
    }
    assert!(ask(&limiter, "key 0").await.is_err());
}

#[tokio::test]
async fn while_every_key_is_in_use_a_new_one_waits_for_one() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    let mut held = Vec::new();
    for number in 0..1_024 {
        // What is lent is told the server, so that the key is in use.
        held.push(ask(&limiter, format!("key {number}")).await.unwrap());
    }
    assert!(ask(&limiter, "new").await.is_err());
    let waiting = {
        let limiter = limiter.clone();
        tokio::spawn(
            async move { limiter.acquire(Key::from("new"), Cost::requests(1), SECOND).await.is_ok() },
        )
    };
    settle_down().await;
    held.pop().unwrap().settle(Cost::requests(1));
    twins.pass(SECOND / 2).await;
    assert!(waiting.is_finished() && waiting.await.unwrap());
}

#[tokio::test]
async fn an_outage_ends_although_the_key_it_began_with_was_forgotten() {
    let twins = Twins::start();
    let limiter = twins.process(sixty().when_gone(WhenGone::Open));
    twins.behave(REFUSES);
    drop(ask(&limiter, "first").await.unwrap());
    for number in 0..1_100 {
        drop(ask(&limiter, format!("key {number}")).await.unwrap());
    }
    assert!(limiter.outage().is_some_and(|why| why.contains("refused")));
    twins.behave(ANSWERS);
    twins.pass(SECOND).await;
    assert!(limiter.is_shared() && limiter.outage().is_none());
}

#[tokio::test]
async fn a_key_that_holds_something_else_is_told_and_the_others_go_on() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    let error = ask(&limiter, "poisoned").await.unwrap_err();
    let Error::Unavailable(why) = error else { panic!("{error:?}") };
    assert!(why.to_string().contains("poisoned holds something else"), "{why}");
    assert!(limiter.is_shared());
    assert!(ask(&limiter, "good").await.is_ok());
}
