use std::time::Duration;

use mock_server::Reply;
use serde_json::json;

use crate::client::{MODEL, code, exchange, get, held, login, message, pair, post, url};

#[tokio::test]
async fn each_credential_opens_where_it_should_and_nowhere_else() {
    let server = held().start().await.unwrap();
    let (token, _) = login(&server).await;
    let key = server.api_key();
    let (bearer_key, bearer_token) = (format!("Bearer {key}"), format!("Bearer {token}"));
    let (new, old) = ("2026-10-21", "2023-06-01");
    let beta = "oauth-2025-04-20";
    let (authorization, x_api_key) = ("authorization", "x-api-key");
    let cases: [(u16, &[(&str, &str)]); 15] = [
        (200, &[("anthropic-version", new), (authorization, &bearer_key)]),
        (200, &[("anthropic-version", old), (authorization, &bearer_key)]),
        (200, &[("anthropic-version", old), (x_api_key, key)]),
        (200, &[("anthropic-version", new), (authorization, &bearer_token), ("anthropic-beta", beta)]),
        (200, &[("anthropic-version", old), (authorization, &bearer_token), ("anthropic-beta", beta)]),
        (401, &[("anthropic-version", new), (x_api_key, key)]),
        (401, &[("anthropic-version", new), (authorization, &bearer_token)]),
        (
            401,
            &[("anthropic-version", new), (authorization, &bearer_token), ("anthropic-beta", "other-beta")],
        ),
        (401, &[("anthropic-version", old), (x_api_key, &token), ("anthropic-beta", beta)]),
        (401, &[("anthropic-version", new)]),
        (401, &[("anthropic-version", new), (authorization, "Bearer sk-ant-api03-wrong")]),
        (401, &[("anthropic-version", new), (authorization, "Basic eDp5")]),
        (401, &[("anthropic-version", new), (authorization, key)]),
        (400, &[(authorization, &bearer_key)]),
        (400, &[("anthropic-version", "2020-01-01"), (authorization, &bearer_key)]),
    ];
    for (status, headers) in cases {
        let mut request = get(url(&server, "/v1/models"));
        for (name, value) in headers {
            request = match *name {
                "authorization" => request.header("authorization", value),
                "x-api-key" => request.header("x-api-key", value),
                "anthropic-beta" => request.header("anthropic-beta", value),
                _ => request.header("anthropic-version", value),
            };
        }
        let reply = request.send().await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
        match status {
            401 => {
                reply.error(401, "authentication_error");
                assert!(reply.header("www-authenticate").starts_with("Bearer"));
            }
            400 => drop(reply.error(400, "invalid_request_error")),
            _ => {}
        }
        assert!(!reply.text().contains("CANARY"), "an error repeats the credential");
    }
}

#[tokio::test]
async fn messages_need_the_scope_for_inference_and_models_do_not() {
    let server = held().start().await.unwrap();
    let code = code(&server, &[("scope", "user:profile")]).await;
    let (token, _) = pair(&exchange(&server, &code).await);
    message(&server, &json!({})).token(&token).send().await.error(403, "permission_error");
    assert_eq!(get(url(&server, "/v1/models")).token(&token).send().await.status, 200);
}

#[tokio::test]
async fn a_message_has_the_shape_of_the_api() {
    let server = held().start().await.unwrap();
    let reply = message(&server, &json!({"system": "be brief"})).key(server.api_key()).send().await;
    let body = reply.json();
    assert_eq!(reply.header("content-type"), "application/json");
    assert!(body["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(
        (&body["type"], &body["role"], &body["model"]),
        (&json!("message"), &json!("assistant"), &json!(MODEL))
    );
    assert_eq!(
        body["content"],
        json!([{"type": "text", "text": "You said: hello there", "citations": null}])
    );
    assert_eq!((&body["stop_reason"], &body["stop_sequence"]), (&json!("end_turn"), &json!(null)));
    // "be brief" 2, "user" 1, "hello there" 2, and 3 for the message.
    assert_eq!((&body["usage"]["input_tokens"], &body["usage"]["output_tokens"]), (&json!(8), &json!(4)));
}

#[tokio::test]
async fn every_reply_carries_its_id_its_organisation_and_the_date() {
    let server = held().start().await.unwrap();
    server.advance(Duration::from_secs(60));
    let replies = [
        get(url(&server, "/v1/models")).key(server.api_key()).send().await,
        get(url(&server, "/v1/models")).send().await,
        get(url(&server, "/nowhere")).send().await,
        post(server.token_url(), "").send().await,
    ];
    let mut ids: Vec<&str> = replies.iter().map(|reply| reply.header("request-id")).collect();
    for reply in &replies {
        assert_eq!(reply.header("date"), "Fri, 15 Jan 2027 08:01:00 GMT");
        assert_eq!(reply.header("anthropic-organization-id").len(), 36);
    }
    assert!(ids.iter().all(|id| id.starts_with("req_")));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), replies.len());
}

#[tokio::test]
async fn output_ends_at_max_tokens_and_at_stop_sequences() {
    let server = held().start().await.unwrap();
    let cut = message(&server, &json!({"max_tokens": 3})).key(server.api_key()).send().await.json();
    assert_eq!(
        (&cut["content"][0]["text"], &cut["stop_reason"]),
        (&json!("You said: hello "), &json!("max_tokens"))
    );
    let fields = json!({"stop_sequences": ["there", "hello"]});
    let stopped = message(&server, &fields).key(server.api_key()).send().await.json();
    assert_eq!(
        (&stopped["content"][0]["text"], &stopped["stop_reason"]),
        (&json!("You said: "), &json!("stop_sequence"))
    );
    assert_eq!(stopped["stop_sequence"], "hello");
}

#[tokio::test]
async fn a_bad_request_says_what_to_change() {
    let server = held().start().await.unwrap();
    let send = |fields| message(&server, &fields).key(server.api_key()).send();
    let text = send(json!({"max_tokens": -1})).await.error(400, "invalid_request_error");
    assert_eq!(text, "max_tokens: must be a whole number, 0 or more");
    let tools = json!([{"name": "t", "input_schema": {}}, {"name": "t", "input_schema": {}}]);
    let twice = send(json!({"tools": tools})).await;
    twice.error(400, "invalid_request_error");
    assert_eq!(twice.json()["error"]["details"]["error_code"], "tool_name_conflict");
    let text = send(json!({"model": "claude-unknown"})).await.error(404, "not_found_error");
    assert_eq!(text, "model: claude-unknown is unknown");
}

#[tokio::test]
async fn what_only_fills_the_cache_gets_no_answer_and_takes_none_of_the_script() {
    let server = held().script([Reply::text("later")]).start().await.unwrap();
    let send = |most: u64| message(&server, &json!({"max_tokens": most})).key(server.api_key()).send();
    let warmed = send(0).await.json();
    assert_eq!((&warmed["content"], &warmed["stop_reason"]), (&json!([]), &json!("max_tokens")));
    assert_eq!((&warmed["usage"]["input_tokens"], &warmed["usage"]["output_tokens"]), (&json!(6), &json!(0)));
    assert_eq!(send(9).await.json()["content"][0]["text"], "later");
}

#[tokio::test]
async fn a_beta_opens_what_is_closed_without_its_header() {
    let server = held().start().await.unwrap();
    let ask = || message(&server, &json!({"thread": {"type": "create"}})).key(server.api_key());
    let text = ask().send().await.error(400, "invalid_request_error");
    assert!(text.starts_with("thread: needs anthropic-beta"), "{text}");
    assert_eq!(ask().header("anthropic-beta", "x, message-threads-2026-08-12").send().await.status, 200);
    // Examples combine what nobody would.
    let server = held().examples().start().await.unwrap();
    let both = json!({"compaction": {"type": "summarize"}, "context_management": {}});
    assert_eq!(message(&server, &both).key(server.api_key()).send().await.status, 200);
}

#[tokio::test]
async fn a_member_that_nobody_knows_is_refused_in_every_request_with_a_body() {
    let server = held().start().await.unwrap();
    let send = |path, body: serde_json::Value| {
        post(url(&server, path), body.to_string()).key(server.api_key()).send()
    };
    let hello = json!({"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1});
    let request = json!({"custom_id": "a", "params": hello, "extra": 1});
    for (path, body, name) in [
        ("/v1/messages/count_tokens", hello.clone(), "max_tokens"),
        ("/v1/messages/batches", json!({"requests": [request]}), "requests.0.extra"),
        (
            "/v1/messages/batches",
            json!({"requests": [{"custom_id": "a", "params": {}}], "extra": 1}),
            "extra",
        ),
    ] {
        let text = send(path, body).await.error(400, "invalid_request_error");
        assert_eq!(text, format!("{name}: the API knows no such member here"));
    }
}

#[tokio::test]
async fn tokens_can_be_counted_beforehand() {
    let server = held().start().await.unwrap();
    let messages = json!([{"role": "user", "content": "hello there"}]);
    let counted = post(
        url(&server, "/v1/messages/count_tokens"),
        json!({"model": MODEL, "messages": messages}).to_string(),
    );
    let counted = counted.key(server.api_key()).send().await.json();
    let said = message(&server, &json!({})).key(server.api_key()).send().await.json();
    assert_eq!(counted, json!({"input_tokens": said["usage"]["input_tokens"]}));
}

#[tokio::test]
async fn models_come_in_pages_and_one_by_one() {
    let server = held().models(["model-a", "model-b", "model-c"]).start().await.unwrap();
    let ask = |path| get(url(&server, path)).key(server.api_key()).send();
    let page = ask("/v1/models?limit=2").await.json();
    assert_eq!((&page["first_id"], &page["last_id"]), (&json!("model-a"), &json!("model-b")));
    assert_eq!((page["data"].as_array().unwrap().len(), &page["has_more"]), (2, &json!(true)));
    let rest = ask("/v1/models?after_id=model-b").await.json();
    assert_eq!((&rest["data"][0]["id"], &rest["has_more"]), (&json!("model-c"), &json!(false)));
    assert_eq!(ask("/v1/models/model-b").await.json()["type"], "model");
    ask("/v1/models/model-x").await.error(404, "not_found_error");
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = held().start().await.unwrap();
    get(url(&server, "/v2/models")).key(server.api_key()).send().await.error(404, "not_found_error");
    let wrong = get(url(&server, "/v1/messages")).key(server.api_key()).send().await;
    wrong.error(405, "invalid_request_error");
    assert_eq!(wrong.header("allow"), "POST");
}

#[tokio::test]
async fn a_body_over_32_mib_is_too_large() {
    let server = held().start().await.unwrap();
    let body = vec![b' '; 32 * 1024 * 1024 + 1];
    let reply = post(url(&server, "/v1/messages"), body).key(server.api_key()).send().await;
    reply.error(413, "request_too_large");
    assert!(server.journal()[0].body.is_empty());
}
