//! Batches, from their creation to their results.

use std::{collections::BTreeMap, time::Duration};

use claude_sdk::{
    Client, Error,
    types::{BatchRequest, BatchResult, BatchStatus, MessageRequest},
};
use futures_util::StreamExt as _;
use mock_server::{At, Fault, MockServer, Reply};
use serde_json::json;

use crate::rig::{client, held, hello};

const TIME: Duration = Duration::from_secs(10);

async fn place() -> (MockServer, Client) {
    let server = held().batch_time(TIME).start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    (server, client)
}

fn requests(count: usize) -> Vec<BatchRequest> {
    (0..count).map(|number| BatchRequest::new(format!("r-{number}"), hello())).collect()
}

/// A batch of so many messages, which has ended.
async fn ended(server: &MockServer, client: &Client, count: usize) -> String {
    let id = client.batches().create(&requests(count)).await.unwrap().id.clone();
    server.advance(TIME);
    id
}

#[tokio::test]
async fn a_batch_runs_to_its_end_and_tells_what_became_of_each_message() {
    let (server, client) = place().await;
    let mut requests = requests(1);
    requests.push(BatchRequest::new("refused", MessageRequest::new("claude-of-nobody", 10).user("hi")));
    let batch = client.batches().create(&requests).await.unwrap();
    assert_eq!(batch.processing_status, BatchStatus::InProgress);
    assert_eq!((batch.request_counts.processing, batch.request_counts.total()), (2, 2));
    assert!(batch.request_id().is_some() && !batch.has_ended());
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&server.journal()[0].body).unwrap(),
        json!({"requests": [
            {"custom_id": "r-0", "params": hello()},
            {"custom_id": "refused", "params": {
                "model": "claude-of-nobody", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]
            }},
        ]})
    );
    let error = client.batches().results(&batch.id).await.unwrap_err();
    assert!(error.to_string().contains("its status is in_progress"), "{error}");

    server.advance(TIME);
    let batch = client.batches().get(&batch.id).await.unwrap();
    assert!(batch.has_ended() && batch.ended_at.is_some());
    let counts = &batch.request_counts;
    assert_eq!((counts.succeeded, counts.errored, counts.processing), (1, 1, 0));

    let results = client.batches().results(&batch.id).await.unwrap();
    assert_eq!(results.total(), 2);
    let results: BTreeMap<String, BatchResult> = results
        .map(|result| result.unwrap())
        .map(|result| (result.custom_id.clone(), result))
        .collect()
        .await;
    assert_eq!(results["r-0"].result.message().unwrap().text(), "You said: hello there");
    let error = results["refused"].result.error().unwrap();
    assert_eq!(error.error.message, "model: claude-of-nobody is unknown");
    assert_eq!(server.journal().pop().unwrap().header("accept"), Some("application/binary"));

    let deleted = client.batches().delete(&batch.id).await.unwrap();
    assert_eq!(deleted.id, batch.id);
    assert_eq!(client.batches().get(&batch.id).await.unwrap_err().status().unwrap(), 404);
}

#[tokio::test]
async fn a_cancelled_batch_keeps_what_was_done() {
    let (server, client) = place().await;
    let id = client.batches().create(&requests(4)).await.unwrap().id.clone();
    assert_eq!(client.batches().delete(&id).await.unwrap_err().status().unwrap(), 400);
    server.advance(TIME / 2);
    let batch = client.batches().cancel(&id).await.unwrap();
    assert_eq!(batch.processing_status, BatchStatus::Canceling);
    assert!(batch.cancel_initiated_at.is_some());
    server.advance(TIME);
    let batch = client.batches().get(&id).await.unwrap();
    assert_eq!((batch.request_counts.succeeded, batch.request_counts.canceled), (2, 2));
    let results: Vec<BatchResult> =
        client.batches().results(&id).await.unwrap().map(Result::unwrap).collect().await;
    let kinds: Vec<&str> = results.iter().map(|result| result.result.type_name()).collect();
    assert_eq!(kinds, ["succeeded", "succeeded", "canceled", "canceled"]);
}

#[tokio::test]
async fn batches_are_listed_newest_first() {
    let (server, client) = place().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(client.batches().create(&requests(1)).await.unwrap().id.clone());
        server.advance(Duration::from_secs(1));
    }
    made.reverse();
    let listed: Vec<String> =
        client.batches().list().limit(2).items().map(|batch| batch.unwrap().id).collect().await;
    assert_eq!(listed, made);
}

#[tokio::test]
async fn results_go_on_after_a_break_and_none_comes_twice() {
    let (server, client) = place().await;
    let id = ended(&server, &client, 20).await;
    let path = format!("/v1/messages/batches/{id}/results");
    // At once, in the middle of lines, and after most of them.
    for bytes in [0, 700, 3000, 5000] {
        server.inject(Fault::reset(At::Body(bytes)).on(&path));
    }
    let mut names = Vec::new();
    let mut results = client.batches().results(&id).await.unwrap();
    while let Some(result) = results.next().await {
        names.push(result.unwrap().custom_id);
    }
    assert_eq!(names, (0..20).map(|number| format!("r-{number}")).collect::<Vec<_>>());
    assert_eq!(server.journal().iter().filter(|entry| entry.path == path).count(), 5);
}

#[tokio::test]
async fn results_that_never_get_further_are_given_up() {
    let (server, client) = place().await;
    let id = ended(&server, &client, 5).await;
    let path = format!("/v1/messages/batches/{id}/results");
    server.inject(Fault::reset(At::Body(900)).on(&path).times(100));
    let mut results = client.batches().results(&id).await.unwrap();
    results.next().await.unwrap().unwrap();
    let error = results.next().await.unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(results.next().await.is_none());
    assert_eq!(server.journal().iter().filter(|entry| entry.path == path).count(), 3);
}

#[tokio::test]
async fn an_end_that_comes_too_early_is_none() {
    let (server, client) = place().await;
    let id = ended(&server, &client, 2).await;
    let path = format!("/v1/messages/batches/{id}/results");
    let line = json!({"custom_id": "r-0", "result": {"type": "expired"}}).to_string() + "\n";
    for half in [line.clone(), format!("{line}{{\"custom_id\": \"r"), line.clone()] {
        server.push_reply(Reply::bytes("application/x-jsonl", half).on(&path));
    }
    let mut results = client.batches().results(&id).await.unwrap();
    results.next().await.unwrap().unwrap();
    let error = results.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Answer(_)), "{error}");
    assert!(error.to_string().contains("1 of 2 results"), "{error}");
}

#[tokio::test]
async fn results_that_are_others_after_a_break_are_an_error() {
    let (server, client) = place().await;
    let id = ended(&server, &client, 2).await;
    let path = format!("/v1/messages/batches/{id}/results");
    let line = |name: &str| json!({"custom_id": name, "result": {"type": "expired"}}).to_string() + "\n";
    server.push_reply(Reply::bytes("application/x-jsonl", line("r-0")).on(&path));
    server.push_reply(Reply::bytes("application/x-jsonl", line("r-1") + &line("r-0")).on(&path));
    let mut results = client.batches().results(&id).await.unwrap();
    results.next().await.unwrap().unwrap();
    let error = results.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("other results than before"), "{error}");
}

#[tokio::test]
async fn a_result_of_a_kind_that_is_not_known_is_kept() {
    let (server, client) = place().await;
    let id = ended(&server, &client, 1).await;
    let line = json!({"custom_id": "r-0", "result": {"type": "deferred", "until": 7}, "cost": 3});
    let path = format!("/v1/messages/batches/{id}/results");
    server.push_reply(Reply::bytes("application/x-jsonl", line.to_string()).on(&path));
    let result = client.batches().results(&id).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(result.result.type_name(), "deferred");
    assert_eq!(serde_json::to_value(&result).unwrap(), line);
}
