//! What messages are charged before they are sent, and what becomes of it.

use std::time::Duration;

use claude_sdk::{
    Client,
    estimates::{Learned, Shortest},
    ratelimit::{
        Cost, Decision, Key, Limits, Rate, RateLimiter, TokioTimer, limiters::Local, test_util::Recorder,
    },
};

use crate::rig::{client, held, hello};

/// A client of a server that answers everything, with this limiter.
async fn place(limiter: impl RateLimiter) -> (claude_sdk::ClientBuilder, mock_server::MockServer) {
    let server = held().start().await.unwrap();
    (client(&server).0.rate_limiter(limiter), server)
}

async fn send(client: &Client) {
    client.messages().create(&hello()).await.unwrap();
}

#[tokio::test]
async fn whole_messages_and_streams_teach_an_estimate_once_each() {
    let limiter = Recorder::new();
    let (builder, _server) = place(limiter.clone()).await;
    let client = builder.estimate(Learned::percentile(90)).build().unwrap();
    for _ in 0..10 {
        send(&client).await;
    }
    for number in 0..10 {
        assert_eq!(limiter.acquired().last().unwrap().cost.output_tokens, 200, "all it may have");
        let mut stream = client.messages().stream(&hello()).await.unwrap();
        stream.next().await.unwrap().unwrap();
        drop(stream); // it is not whole, so it teaches nothing
        if number < 9 {
            client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
        }
    }
    send(&client).await;
    assert_eq!(limiter.acquired().last().unwrap().cost.output_tokens, 200, "nineteen before it are too few");
    send(&client).await;
    let charged = limiter.acquired().last().unwrap().cost.output_tokens;
    let cost = limiter.settled().last().unwrap().1.unwrap().output_tokens;
    assert!((cost..=cost + cost / 8).contains(&charged), "{charged} for {cost}");
}

#[tokio::test]
async fn what_an_answer_did_not_use_is_there_for_the_next_call() {
    let still = Rate::per_minute(0).with_burst(300);
    let limiter = Local::limited_to(Limits::default().with_output_tokens(still)).build(TokioTimer::new());
    let (builder, _server) = place(limiter.clone()).await;
    let client = builder.rate_limiter_max_wait(Duration::ZERO).build().unwrap();
    let cost = client.messages().create(&hello()).await.unwrap().usage.output_tokens;
    send(&client).await; // 200 are charged each time, which would not fit twice
    let (key, left) = (Key::from("claude-haiku-4"), Cost::default().with_output_tokens(300 - 2 * cost));
    assert!(matches!(limiter.try_acquire(&key, left.with_output_tokens(300)), Decision::Wait(_)));
    assert_eq!(limiter.try_acquire(&key, left), Decision::Admit);
}

#[tokio::test]
async fn a_short_estimate_lets_calls_go_until_there_is_a_debt() {
    let limits = Limits::default().with_output_tokens(Rate::per_minute(1).with_burst(2));
    let limiter = Local::limited_to(limits).build(TokioTimer::new());
    let (builder, server) = place(limiter).await;
    let client = builder.estimate(Shortest).rate_limiter_max_wait(Duration::ZERO).build().unwrap();
    send(&client).await;
    let error = client.messages().create(&hello()).await.unwrap_err();
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_mins(1)), "{error}");
    assert_eq!(server.journal_len(), 1);
}

#[tokio::test]
async fn more_than_a_limit_can_ever_admit_is_not_sent_and_says_which_limit() {
    let limiter = Local::limited_to(Limits::default().with_output_tokens(100)).build(TokioTimer::new());
    let (builder, server) = place(limiter).await;
    let error = builder.build().unwrap().messages().create(&hello()).await.unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("200 output tokens"), "{error}");
    assert_eq!(server.journal_len(), 0);
}
