//! Calls that succeed, and what the server saw of them.

use std::{collections::HashMap, ffi::OsString, sync::Arc};

use claude_sdk::{
    ApiVersion, Client, ConfigError, Error,
    secrets::{ErrorKind, providers::Env},
    stream::Event,
    types::{ContentBlockParam, MessageParam, Model, StopReason},
};
use mock_server::{Credential, Entry, MockServer, Reply};
use serde_json::{Value, json};

use crate::rig::{backend, client, held, hello};

fn last(server: &MockServer) -> Entry {
    server.journal().pop().unwrap()
}

#[tokio::test]
async fn a_message_comes_back_with_its_request_id_and_its_cost() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    assert!(client.limits().is_empty(), "nothing was reported before the first answer");

    let message = client.messages().create(&hello()).await.unwrap();

    assert_eq!(message.text(), "You said: hello there");
    assert_eq!(message.stop_reason, Some(StopReason::EndTurn));
    assert!(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
    assert!(message.request_id().unwrap().starts_with("req_"));
    assert_eq!(message.retries_taken(), 0);
    assert_eq!(client.limits().requests.limit, Some(1000));
    assert_eq!(client.limits().requests.remaining, Some(999));

    let entry = last(&server);
    assert_eq!((entry.method.as_str(), entry.path.as_str()), ("POST", "/v1/messages"));
    assert_eq!(entry.header("content-type"), Some("application/json"));
    assert!(entry.header("user-agent").unwrap().starts_with("claude-sdk-rust/"));
    let body: Value = serde_json::from_slice(&entry.body).unwrap();
    assert_eq!(
        body,
        json!({
            "model": "claude-haiku-4-5", "max_tokens": 200, "messages": [{"role": "user", "content": "hello there"}]
        })
    );
}

#[tokio::test]
async fn a_stream_gives_its_text_in_pieces_and_then_the_whole_message() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();

    let mut stream = client.messages().stream(&hello()).await.unwrap();
    assert!(stream.request_id().unwrap().starts_with("req_"));
    let mut pieces = Vec::new();
    while let Some(piece) = stream.text_stream().next().await {
        pieces.push(piece.unwrap());
    }
    let message = stream.final_message().await.unwrap();

    assert!(pieces.len() > 1, "{pieces:?}");
    assert_eq!(pieces.concat(), "You said: hello there");
    assert_eq!(message.text(), pieces.concat());
    assert_eq!(message.stop_reason, Some(StopReason::EndTurn));
    assert!(message.request_id().is_some());
    let body: Value = serde_json::from_slice(&last(&server).body).unwrap();
    assert_eq!(body["stream"], true);
}

#[tokio::test]
async fn a_streams_events_add_up_on_the_way_and_it_ends_once() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();

    let mut stream = client.messages().stream(&hello()).await.unwrap();
    assert!(stream.snapshot().is_none());
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event.unwrap());
        assert!(stream.snapshot().is_some());
    }

    assert!(matches!(events.first(), Some(Event::MessageStart { .. })));
    assert!(matches!(events.last(), Some(Event::MessageStop { .. })));
    assert!(stream.next().await.is_none(), "an end stays an end");
    assert_eq!(stream.snapshot().unwrap().text(), "You said: hello there");
}

#[tokio::test]
async fn a_tool_call_is_answered_with_the_blocks_as_they_came() {
    let call = Reply::tool_use("get_weather", json!({"city": "Oslo"}));
    let server = held().script([call.clone(), call]).start().await.unwrap();
    let client = client(&server).0.build().unwrap();

    let whole = client.messages().create(&hello()).await.unwrap();
    let streamed = client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();

    for message in [&whole, &streamed] {
        assert_eq!(message.stop_reason, Some(StopReason::ToolUse));
        let call = message.tool_uses().next().unwrap();
        assert_eq!((call.name.as_str(), &call.input), ("get_weather", &json!({"city": "Oslo"})));
    }
    let mut request = hello();
    request.messages.push(whole.to_param());
    let call = whole.tool_uses().next().unwrap();
    request.messages.push(MessageParam::user(vec![ContentBlockParam::tool_result(call.id.clone(), "sunny")]));
    client.messages().create(&request).await.unwrap();
    let body: Value = serde_json::from_slice(&last(&server).body).unwrap();
    assert_eq!(body["messages"][1]["content"][0]["type"], "tool_use");
}

#[tokio::test]
async fn tokens_are_counted_without_what_does_not_count() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();

    let count = client.messages().count_tokens(&hello()).await.unwrap();
    let message = client.messages().create(&hello()).await.unwrap();

    assert_eq!(count.input_tokens, message.usage.input_tokens);
    assert!(count.request_id().is_some());
    let entry = server.journal().remove(0);
    assert_eq!(entry.path, "/v1/messages/count_tokens");
    let body: Value = serde_json::from_slice(&entry.body).unwrap();
    assert!(body.get("max_tokens").is_none(), "{body}");
}

#[tokio::test]
async fn models_are_listed_page_by_page_and_one_by_one() {
    let names: Vec<String> = (0..25).map(|number| format!("claude-test-{number}")).collect();
    let server = held().models(names.clone()).start().await.unwrap();
    let client = client(&server).0.build().unwrap();

    let first = client.models().list().await.unwrap();
    assert_eq!(first.has_more, Some(true));
    let second = client.models().list().after_id(first.last_id.as_deref().unwrap()).await.unwrap();
    assert_eq!(second.has_more, Some(false));
    let listed: Vec<&str> = first.data.iter().chain(&second.data).map(|model| model.id.as_str()).collect();
    assert_eq!(listed, names);

    let one = client.models().get(&Model::from("claude-test-7")).await.unwrap();
    assert_eq!(one.id.as_str(), "claude-test-7");
    assert!(one.request_id().is_some());
    assert_eq!(last(&server).path, "/v1/models/claude-test-7");
}

#[tokio::test]
async fn the_version_decides_the_header_a_key_travels_in() {
    let server = held().start().await.unwrap();
    let key = server.api_key().to_owned();
    let bearer = format!("Bearer {key}");
    for (version, name, authorization, x_api_key) in [
        (ApiVersion::default(), "2026-10-21", Some(bearer.as_str()), None),
        (ApiVersion::V2023_06_01, "2023-06-01", None, Some(key.as_str())),
    ] {
        let client = client(&server).0.api_version(version).build().unwrap();
        client.messages().create(&hello()).await.unwrap();
        client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
        for entry in server.journal().split_off(server.journal_len() - 2) {
            assert_eq!(entry.header("anthropic-version"), Some(name));
            assert_eq!(entry.header("authorization"), authorization);
            assert_eq!(entry.header("x-api-key"), x_api_key);
            assert_eq!(entry.header("anthropic-beta"), None);
            assert_eq!(entry.credential, Credential::ApiKey);
        }
    }
}

#[tokio::test]
async fn every_beta_is_sent_with_every_request() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.beta("files-2026-01-01").beta("skills-2026-02-02").build().unwrap();
    client.models().list().await.unwrap();
    let sent: Vec<_> = last(&server).headers.get_all("anthropic-beta").iter().cloned().collect();
    assert_eq!(sent, ["files-2026-01-01,skills-2026-02-02"]);

    let error = self::client(&server).0.beta("line\nbreak").build().unwrap_err();
    assert!(matches!(&error, Error::Config(ConfigError::Header { name }) if name == "beta"), "{error:?}");
}

#[tokio::test]
async fn a_gateways_path_prefix_is_kept_on_every_route() {
    let server = held().path_prefix("/team/claude").start().await.unwrap();
    for base in [server.base_url().to_string(), format!("{}/", server.base_url())] {
        let client = client(&server).0.base_url(base).build().unwrap();
        client.messages().create(&hello()).await.unwrap();
        client.models().get(&Model::CLAUDE_OPUS_5).await.unwrap();
        client.models().list().after_id("claude-opus-5").await.unwrap();
    }
    let paths: Vec<String> = server.journal().into_iter().map(|entry| entry.path).collect();
    let once = ["/team/claude/v1/messages", "/team/claude/v1/models/claude-opus-5", "/team/claude/v1/models"];
    assert_eq!(paths, [once, once].concat());
}

fn env(pairs: &[(&'static str, &str)]) -> Env {
    let pairs: HashMap<_, _> = pairs.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
    Env::new(Arc::new(move |name| pairs.get(name).cloned()))
}

#[tokio::test]
async fn the_environment_gives_a_key_before_a_token_and_what_is_empty_is_unset() {
    let server = held().start().await.unwrap();
    let (url, key) = (server.base_url().to_string(), server.api_key().to_owned());
    let padded = format!("{key}\n");
    for (pairs, sent, beta) in [
        (vec![("ANTHROPIC_API_KEY", key.as_str())], key.as_str(), None),
        (vec![("ANTHROPIC_API_KEY", padded.as_str())], key.as_str(), None),
        (vec![("ANTHROPIC_API_KEY", key.as_str()), ("ANTHROPIC_AUTH_TOKEN", "token")], key.as_str(), None),
        (
            vec![("ANTHROPIC_API_KEY", ""), ("ANTHROPIC_AUTH_TOKEN", "token")],
            "token",
            Some("oauth-2025-04-20"),
        ),
    ] {
        let env = env(&[pairs.as_slice(), &[("ANTHROPIC_BASE_URL", url.as_str())]].concat());
        let client = Client::builder().environment(&env).unwrap().backend(backend()).build().unwrap();
        // The server knows the key only; what counts here is what was sent.
        let _ = client.models().list().await;
        let entry = last(&server);
        assert_eq!(entry.header("authorization"), Some(format!("Bearer {sent}").as_str()), "{pairs:?}");
        assert_eq!(entry.header("anthropic-beta"), beta);
    }
}

#[tokio::test]
async fn what_the_program_says_is_not_overruled_by_the_environment() {
    let server = held().start().await.unwrap();
    let env =
        env(&[("ANTHROPIC_API_KEY", "not this one"), ("ANTHROPIC_BASE_URL", "https://elsewhere.example")]);
    let client = client(&server).0.environment(&env).unwrap().build().unwrap();
    client.models().list().await.unwrap();
}

#[test]
fn an_environment_that_cannot_be_used_is_told_by_name() {
    let build = |pairs: &[(&'static str, &str)]| -> Error {
        match Client::builder().environment(&env(pairs)) {
            Ok(builder) => builder.build().unwrap_err(),
            Err(error) => error.into(),
        }
    };
    for nothing in [vec![], vec![("ANTHROPIC_API_KEY", ""), ("ANTHROPIC_AUTH_TOKEN", "")]] {
        let error = build(&nothing);
        assert!(matches!(error, Error::Config(ConfigError::MissingCredential { .. })), "{error:?}");
        assert!(error.to_string().contains("set ANTHROPIC_API_KEY"), "{error}");
    }
    let error = build(&[("ANTHROPIC_API_KEY", "sk-canary\nX-Evil: 1")]);
    let Error::Config(ConfigError::Secret(secret)) = &error else { panic!("{error:?}") };
    assert_eq!(secret.kind(), ErrorKind::Newline);
    assert!(error.to_string().contains("ANTHROPIC_API_KEY"), "{error}");

    let error = build(&[("ANTHROPIC_AUTH_TOKEN", "two words")]);
    assert!(
        matches!(&error, Error::Config(ConfigError::MalformedSecret { name }) if name == "ANTHROPIC_AUTH_TOKEN")
    );

    for (url, says) in [
        ("http://api.example", "https://"),
        ("https://user:hunter2@api.example", "user name or password"),
        ("https://api.example/?key=hunter2", "query"),
        ("no url", "not a URL"),
    ] {
        let error = build(&[("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", url)]);
        assert!(matches!(error, Error::Config(_)), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
