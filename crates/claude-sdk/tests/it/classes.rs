//! What calls are counted under: model classes, workspaces, tenants, and the limits of an organization.

use std::time::Duration;

use claude_sdk::{
    Client, Error, ModelClasses, RequestOptions,
    estimates::{Counted, Longest},
    ratelimit::{Cost, Decision, Limits, Priority, Rate, TokioTimer, limiters::Local, test_util::Recorder},
    types::{MessageRequest, Model},
};
use http::StatusCode;
use mock_server::{MockServer, Reply};
use serde_json::json;

use crate::rig::{backend, client, held, hello};

fn to(model: &'static str) -> MessageRequest {
    MessageRequest::new(Model::from(model), 200).user("hello there")
}

/// One request, and none for a long time.
fn one_request() -> Local {
    let one = Rate::per_minute(0).with_burst(1);
    Local::limited_to(Limits::default().with_requests(one)).build(TokioTimer::new())
}

async fn is_sent(client: &Client, model: &'static str) -> bool {
    match client.messages().create(&to(model)).await {
        Ok(_) => true,
        Err(Error::RateLimit(..)) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn models_of_a_class_share_a_limit_and_classes_and_workspaces_have_each_their_own() {
    let server = held().start().await.unwrap();
    let limiter = one_request();
    let with = |classes| {
        let builder = client(&server).0.rate_limiter(limiter.clone()).rate_limiter_max_wait(Duration::ZERO);
        builder.model_classes(classes).build().unwrap()
    };
    let client = with(ModelClasses::new());
    assert!(is_sent(&client, "claude-sonnet-5").await);
    assert!(!is_sent(&client, "claude-sonnet-5-5").await, "another version of the same class");
    assert!(is_sent(&client, "claude-haiku-5-5").await, "another class");
    assert!(client.messages().count_tokens(&to("claude-sonnet-5")).await.is_ok(), "counts have their own");
    let elsewhere = with(ModelClasses::new().workspace("wrkspc_1"));
    assert!(is_sent(&elsewhere, "claude-sonnet-5").await, "another workspace");
    let together = with(ModelClasses::new().class("both", ["claude-opus-5", "claude-fable-5"]));
    assert!(is_sent(&together, "claude-opus-5").await);
    assert!(!is_sent(&together, "claude-fable-5").await);
}

#[tokio::test]
async fn the_limiter_hears_for_whom_a_call_is_and_how_urgent() {
    let server = held().start().await.unwrap();
    let limiter = Recorder::new();
    let client = client(&server).0.rate_limiter(limiter.clone()).build().unwrap();
    let options = RequestOptions::new().tenant("blue").priority(Priority::High);
    client.with_options(options).unwrap().messages().create(&hello()).await.unwrap();
    let key = limiter.acquired().remove(0).key;
    assert_eq!((key.tenant(), key.priority()), (Some("blue"), Priority::High));
    client.messages().create(&hello()).await.unwrap();
    let key = limiter.acquired().remove(1).key;
    assert_eq!((key.tenant(), key.priority()), (None, Priority::Normal));
}

fn entry(kind: &str, id: &str, models: &serde_json::Value, limits: &[(&str, u64)]) -> serde_json::Value {
    let limits: Vec<_> = limits.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect();
    json!({"id": format!("rl_{id}"), "type": "rate_limit", "group": {"id": id, "type": kind, "new": 1},
        "models": models, "limits": limits})
}

#[tokio::test]
async fn the_limits_of_an_organization_are_read_page_by_page_and_make_a_limiter() {
    let limits = [("requests_per_minute", 7), ("input_tokens_per_minute_cache_aware", 300), ("planets", 9)];
    let models = json!(["claude-sonnet-5", "claude-haiku-5-5"]);
    let pages = [
        json!({"data": [entry("model_group", "rlg_1", &models, &limits)], "next_page": "p 2"}),
        json!({"data": [entry("token_count", "rlg_2", &json!(null), &[("requests_per_minute", 3)])], "next_page": null}),
    ];
    let replies = pages.map(|page| Reply::json(page).on("/v1/organizations/rate_limits"));
    let server = held().script(replies).start().await.unwrap();
    let told = client(&server).0.build().unwrap().organization().rate_limits().await.unwrap();
    assert_eq!(server.journal()[1].query_value("page"), Some("p 2"));
    assert_eq!(told.entries[0].group.as_ref().unwrap().extra["new"], 1, "what is not known is kept");

    let classes = told.classes().workspace("wrkspc_1");
    let limiter = told.limiter(&classes).build(TokioTimer::new());
    let key = classes.key_of("claude-haiku-5-5");
    assert_eq!(key.as_str(), "wrkspc_1/rlg_1");
    let asked =
        |requests, input| limiter.try_acquire(&key, Cost::requests(requests).with_input_tokens(input));
    assert!(matches!(asked(8, 0), Decision::TooLarge { capacity: 7, .. }));
    assert!(matches!(asked(1, 301), Decision::TooLarge { capacity: 300, .. }));
    assert_eq!(asked(7, 300), Decision::Admit);
    let counts = limiter.try_acquire(&"wrkspc_1/count_tokens".into(), Cost::requests(4));
    assert!(matches!(counts, Decision::TooLarge { capacity: 3, .. }));
}

/// A client that counts by asking, the limiter that hears it, and the server that counts.
async fn counting(replies: Vec<Reply>) -> (Client, Recorder, MockServer) {
    let server = held().script(replies).start().await.unwrap();
    let limiter = Recorder::new();
    // On the real clock: on the other one, every time limit is over at once.
    let counter = Client::builder().base_url(server.base_url()).backend(backend()).api_key(server.api_key());
    let counter = counter.build().unwrap();
    let client = client(&server).0.rate_limiter(limiter.clone());
    let client = client.estimate(Counted::by(&counter, Longest).unwrap()).build().unwrap();
    (client, limiter, server)
}

fn charged(limiter: &Recorder) -> u64 {
    limiter.acquired().last().unwrap().cost.input_tokens
}

#[tokio::test]
async fn tokens_are_counted_by_the_service_once_for_each_request() {
    let (client, limiter, server) = counting(Vec::new()).await;
    let count = client.messages().count_tokens(&hello()).await.unwrap().input_tokens;
    for _ in 0..3 {
        client.messages().create(&hello()).await.unwrap();
        assert_eq!(charged(&limiter), count);
    }
    let longer = hello().user("and one more thing, which is another request");
    client.messages().create(&longer).await.unwrap();
    assert!(charged(&limiter) > count);
    let counts = server.journal().iter().filter(|entry| entry.path.ends_with("count_tokens")).count();
    assert_eq!(counts, 3, "one here, and one for each of two requests");
}

#[tokio::test]
async fn a_count_that_does_not_come_is_done_without() {
    let refusal = Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "no");
    let (client, limiter, _server) = counting(vec![refusal.on("/v1/messages/count_tokens")]).await;
    client.messages().create(&hello()).await.unwrap();
    let estimated = charged(&limiter);
    client.messages().create(&hello()).await.unwrap();
    assert_ne!(charged(&limiter), estimated, "a failure is not remembered");
    assert!(estimated > 20, "a quarter of its bytes: {estimated}");
}
