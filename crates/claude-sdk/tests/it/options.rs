//! Calls that carry something of their own, and calls of routes without a type.

use std::time::Duration;

use claude_sdk::{ConfigError, Error, RequestOptions};
use http::{HeaderName, HeaderValue, StatusCode};
use mock_server::{Entry, MockServer, Reply};
use serde_json::{Value, json};

use crate::rig::{client, held, hello, told};

fn last(server: &MockServer) -> (Entry, Value) {
    let entry = server.journal().pop().unwrap();
    let body = serde_json::from_slice(&entry.body).unwrap_or_default();
    (entry, body)
}

#[tokio::test]
async fn options_go_with_the_calls_of_their_client_and_with_no_others() {
    let server = held().start().await.unwrap();
    let plain = client(&server).0.beta("b1").build().unwrap();
    let options = RequestOptions::new()
        .header("X-Job", "nightly")
        .header("user-agent", "mine/1")
        .header("anthropic-beta", "b2")
        .query("q", "a&b")
        .extra("service_tier", "auto")
        .extra("max_tokens", 7);
    let client = plain.with_options(options).unwrap();

    client.messages().create(&hello()).await.unwrap();
    let (entry, body) = last(&server);
    assert_eq!(entry.header("x-job"), Some("nightly"));
    assert_eq!(entry.header("user-agent"), Some("mine/1"));
    assert_eq!(entry.query_value("q"), Some("a&b"));
    assert_eq!((&body["service_tier"], &body["max_tokens"]), (&json!("auto"), &json!(7)));
    let betas = |entry: &Entry| {
        let values = entry.headers.get_all("anthropic-beta").iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(betas(&entry), "b1,b2");

    client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    assert_eq!(last(&server).1["service_tier"], "auto");
    client.messages().count_tokens(&hello()).await.unwrap();
    let (entry, body) = last(&server);
    assert_eq!(
        (entry.header("x-job"), body.get("service_tier")),
        (Some("nightly"), None),
        "it does not count"
    );
    client.raw().get("/v1/models").query("limit", "1").send().await.unwrap();
    let (entry, _) = last(&server);
    assert_eq!((entry.query_value("q"), entry.query_value("limit")), (Some("a&b"), Some("1")));

    plain.messages().create(&hello()).await.unwrap();
    let (entry, body) = last(&server);
    assert_eq!((entry.header("x-job"), entry.query_value("q"), body.get("service_tier")), (None, None, None));
    assert_eq!(betas(&entry), "b1");
    assert_eq!(plain.limits(), client.limits(), "they are one client in everything else");
}

#[tokio::test]
async fn an_option_that_would_set_what_the_client_sets_is_refused_before_anything_is_sent() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for name in ["Authorization", "x-api-key", "host", "Content-Length", "anthropic-version"] {
        let error = client.with_options(RequestOptions::new().header(name, "canary")).unwrap_err();
        assert!(matches!(error, ConfigError::Reserved { .. }) && !told(&error).contains("canary"), "{error}");
    }
    assert_eq!(server.journal_len(), 0);
}

/// No text of a caller's becomes a second header or a second request.
#[tokio::test]
async fn a_line_break_in_what_becomes_a_header_or_a_route_is_refused_before_anything_is_sent() {
    let server = held().start().await.unwrap();
    for end in ["\r\nx-evil: 1", "\nx-evil: 1", "\rx-evil: 1", "\0", "\r\n\r\nGET /evil HTTP/1.1\r\n"] {
        let evil = format!("a{end}");
        for builder in [
            client(&server).0.api_key(evil.clone()),
            client(&server).0.auth_token(evil.clone()),
            client(&server).0.beta(evil.clone()),
        ] {
            let error = builder.build().map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::Config(_)), "{evil:?}: {error:?}");
        }
        let client = client(&server).0.build().unwrap();
        for options in [
            RequestOptions::new().header("x-job", evil.clone()),
            RequestOptions::new().header(evil.clone(), "1"),
        ] {
            assert!(client.with_options(options).is_err(), "{evil:?}");
        }
        let asked = client.with_options(RequestOptions::new().query("q", evil.clone())).unwrap();
        asked.models().list().await.unwrap();
        let (entry, _) = last(&server);
        assert_eq!((entry.query_value("q"), entry.header("x-evil")), (Some(evil.as_str()), None));
        let _ = client.models().get(&evil.clone().into()).await.unwrap_err();
        let clean = |entry: &Entry| entry.header("x-evil").is_none() && entry.path.starts_with("/v1/models");
        assert!(server.journal().iter().all(clean), "{evil:?}");
    }
}

#[tokio::test]
async fn a_call_can_have_retries_and_limits_of_its_own() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.build().unwrap();
    let overloaded = Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "no");

    server.set_script([overloaded.clone()]);
    let once = client.with_options(RequestOptions::new().max_retries(0)).unwrap();
    assert_eq!(once.messages().create(&hello()).await.unwrap_err().attempts(), 1);
    assert!(waits.slept().is_empty());

    let slow = overloaded.header(HeaderName::from_static("retry-after"), HeaderValue::from_static("50"));
    server.set_script([slow]);
    let hasty = client.with_options(RequestOptions::new().deadline(Duration::from_secs(40))).unwrap();
    let error = hasty.messages().create(&hello()).await.unwrap_err();
    assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(50))));
    assert!(waits.slept().is_empty(), "a wait that does not fit is not begun");
}

#[tokio::test]
async fn a_route_without_a_type_goes_the_way_of_all_calls() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();

    let reply = client.raw().get("/v1/models").query("limit", "2").send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["content-type"], "application/json");
    assert!(reply.request_id().unwrap().starts_with("req_"));
    let models: Value = reply.json().unwrap();
    assert_eq!(models["data"].as_array().unwrap().len(), 2);
    assert!(matches!(reply.json::<Vec<u8>>(), Err(Error::Answer(_))));
    let typed = client.models().list().await.unwrap();
    assert_eq!(
        (typed.status(), typed.headers()["content-type"].as_bytes()),
        (StatusCode::OK, &b"application/json"[..])
    );

    let body = json!({"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    let overloaded = Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "no");
    server.set_script([overloaded]);
    let reply = client.raw().post("v1/messages").json(&body).send().await.unwrap();
    assert_eq!(reply.retries_taken(), 1);
    assert_eq!(last(&server).1, body);

    let error = client.raw().get("/v1/models/claude-nobody").send().await.unwrap_err();
    assert!(matches!(&error, Error::Api(error) if error.status() == 404), "{error:?}");
    let sent = server.journal_len();
    let error = client.raw().get("/v1/../models").send().await.unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::Route { .. })), "{error:?}");
    assert_eq!(server.journal_len(), sent);
}
