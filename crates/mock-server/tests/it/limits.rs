use std::time::Duration;

use mock_server::MockServer;
use serde_json::json;

use crate::client::{Reply, get, held, message, url};

async fn models(server: &MockServer) -> Reply {
    get(url(server, "/v1/models")).key(server.api_key()).send().await
}

#[tokio::test]
async fn the_limit_is_enforced_told_and_over_when_it_says() {
    let server = held().requests_per_minute(2).start().await.unwrap();
    assert_eq!(models(&server).await.header("anthropic-ratelimit-requests-remaining"), "1");
    assert_eq!(models(&server).await.header("anthropic-ratelimit-requests-remaining"), "0");
    let refused = models(&server).await;
    refused.error(429, "rate_limit_error");
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(refused.header("anthropic-ratelimit-requests-limit"), "2");
    assert_eq!(refused.header("anthropic-ratelimit-requests-reset"), "2027-01-15T08:01:00Z");
    server.advance(Duration::from_secs(29));
    assert_eq!(models(&server).await.header("retry-after"), "1");
    server.advance(Duration::from_secs(1));
    assert_eq!(models(&server).await.status, 200);
}

#[tokio::test]
async fn tokens_count_in_and_out() {
    let server = held().input_tokens_per_minute(60).output_tokens_per_minute(6).start().await.unwrap();
    let say = || message(&server, &json!({})).key(server.api_key()).send();
    let first = say().await;
    let told = |reply: &Reply, name: &str| reply.header(&format!("anthropic-ratelimit-{name}")).to_owned();
    assert_eq!(
        (told(&first, "input-tokens-limit"), told(&first, "input-tokens-remaining")),
        ("60".into(), "54".into())
    );
    assert_eq!(
        (told(&first, "output-tokens-limit"), told(&first, "output-tokens-remaining")),
        ("6".into(), "2".into())
    );
    // The tightest of the two is told as `tokens`.
    assert_eq!((told(&first, "tokens-limit"), told(&first, "tokens-remaining")), ("6".into(), "2".into()));
    assert_eq!(say().await.status, 200);
    let refused = say().await;
    assert!(refused.error(429, "rate_limit_error").contains("output tokens"));
    assert_eq!(refused.header("retry-after"), "30");
}

#[tokio::test]
async fn what_is_refused_for_its_credential_or_form_costs_nothing() {
    let server = held().requests_per_minute(1).start().await.unwrap();
    for _ in 0..3 {
        assert_eq!(get(url(&server, "/v1/models")).key("wrong").send().await.status, 401);
        assert_eq!(
            message(&server, &json!({"max_tokens": -1})).key(server.api_key()).send().await.status,
            400
        );
    }
    assert_eq!(models(&server).await.status, 200);
}

#[tokio::test]
async fn limits_for_a_class_that_no_model_is_of_are_no_limits() {
    let wrong = held().limits("sonet:requests=1".parse().unwrap());
    let told = wrong.clone().start().await.unwrap_err().to_string();
    assert!(told.contains("`opus`, `sonnet`") && !told.contains("sonet"), "{told}");
    wrong.models(["claude-sonet-1"]).start().await.unwrap();
}

#[tokio::test]
async fn a_class_of_models_has_limits_of_its_own() {
    let limits = "opus:requests=1".parse().unwrap();
    let server = held().requests_per_minute(2).limits(limits).start().await.unwrap();
    let say = |model: &str| message(&server, &json!({"model": model})).key(server.api_key()).send();
    let first = say("claude-opus-5").await;
    assert_eq!(first.header("anthropic-ratelimit-requests-limit"), "1");
    assert_eq!(say("claude-opus-4-8").await.header("retry-after"), "60");
    let other = say("claude-haiku-5-5").await;
    assert_eq!(other.header("anthropic-ratelimit-requests-remaining"), "1");
    assert_eq!(models(&server).await.header("anthropic-ratelimit-requests-remaining"), "1");
}

#[tokio::test]
async fn headers_tell_the_limit_that_is_nearest() {
    let server = held().limits("workspace:requests=5,input=100".parse().unwrap()).start().await.unwrap();
    let said = message(&server, &json!({})).key(server.api_key()).send().await;
    let told = |name: &str| said.header(&format!("anthropic-ratelimit-{name}-limit")).to_owned();
    assert_eq!(
        (told("requests"), told("input-tokens"), told("output-tokens")),
        ("5".into(), "100".into(), "400000".into())
    );
}

#[tokio::test]
async fn a_spend_limit_names_its_code_and_no_wait() {
    let server = held().limits("spend=0.0001".parse().unwrap()).start().await.unwrap();
    let say = || message(&server, &json!({})).key(server.api_key()).send();
    // Six tokens in and four out come to 78 millionths of a dollar.
    assert_eq!((say().await.status, say().await.status), (http::StatusCode::OK, http::StatusCode::OK));
    let refused = say().await;
    assert!(refused.error(429, "rate_limit_error").contains("spend limit of the organization"));
    assert_eq!(refused.json()["error"]["details"]["error_code"], "enforced_spend_limit_reached");
    assert!(refused.headers.get("retry-after").is_none());
    server.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(say().await.status, 200);
}

#[tokio::test]
async fn an_acceleration_limit_ends_with_its_span() {
    let server = held().limits("acceleration=1".parse().unwrap()).start().await.unwrap();
    assert_eq!(models(&server).await.status, 200);
    let refused = models(&server).await;
    assert_eq!(refused.json()["error"]["details"]["error_code"], "ramp_limit_exceeded");
    assert_eq!(refused.header("retry-after"), "10");
    server.advance(Duration::from_secs(10));
    assert_eq!(models(&server).await.status, 200);
}
