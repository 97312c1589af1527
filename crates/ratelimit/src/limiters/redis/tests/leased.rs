//! Blocks.

use super::*;

fn thousand() -> RedisBuilder {
    Redis::at("redis://127.0.0.1", Limits::default().with_requests(1_000), 2).leased()
}

#[tokio::test]
async fn a_block_serves_many_and_all_blocks_are_a_fiftieth_of_the_burst() {
    let twins = Twins::start();
    let (one, other) = (twins.process(thousand()), twins.process(thousand()));
    for process in [&one, &other] {
        for _ in 0..11 {
            drop(try_one(process).await.unwrap());
        }
    }
    assert_eq!(twins.asked(), 2, "eleven permits for a question");
    let left =
        drain(&twins.process(Redis::at("redis://127.0.0.1", Limits::default().with_requests(1_000), 2)))
            .await;
    assert_eq!(left, 1_000 - 22);
}

#[tokio::test]
async fn what_is_not_used_of_a_block_goes_back_after_a_second_or_when_the_program_says_so() {
    let twins = Twins::start();
    let (one, other) = (twins.process(thousand()), twins.process(thousand()));
    drop(try_one(&one).await.unwrap());
    one.give_back().await.unwrap();
    assert_eq!(drain(&other).await, 999);

    let twins = Twins::start();
    let (one, other) = (twins.process(thousand()), twins.process(thousand()));
    drop(try_one(&one).await.unwrap());
    settle_down().await;
    twins.pass(Duration::from_millis(2_500)).await;
    assert_eq!(drain(&other).await, 1_000, "2.5 seconds have filled it up again");
}

#[tokio::test]
async fn a_refund_is_spent_here_and_a_debt_is_paid_before_anything_else() {
    let twins = Twins::start();
    let limits = Limits::default().with_input_tokens(6_000);
    let limiter = twins.process(Redis::at("redis://127.0.0.1", limits, 1).leased());
    let ask = |tokens| limiter.acquire(key(), Cost::default().with_input_tokens(tokens), Duration::ZERO);
    ask(1_000).await.unwrap().settle(Cost::default());
    assert_eq!(twins.asked(), 1);
    drop(ask(100).await.unwrap());
    assert_eq!(twins.asked(), 0, "a hundred and twenty are kept");

    let permit = ask(0).await.unwrap();
    permit.settle(Cost::default().with_input_tokens(7_000));
    let error = ask(100).await.unwrap_err();
    assert!(error.retry_after() > Some(8 * SECOND), "{error:?}");
}

#[tokio::test]
async fn seats_are_divided_by_the_processes() {
    let twins = Twins::start();
    let limits = Limits::default().with_requests(1_000).with_concurrency(4);
    let limiter = twins.process(Redis::at("redis://127.0.0.1", limits, 2).leased());
    let held = (try_one(&limiter).await.unwrap(), try_one(&limiter).await.unwrap());
    assert!(try_one(&limiter).await.is_err());
    drop(held);
    assert!(try_one(&limiter).await.is_ok());
}
