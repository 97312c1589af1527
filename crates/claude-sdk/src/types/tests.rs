//! The law of the module, and the shapes the API documents.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, from_str, from_value, json, to_string, to_value};

use super::{wire::Nulls, *};

/// Whether the text is accepted; if so, it must come back value for value, in its own text and as a value.
fn accepts<T: DeserializeOwned + Serialize>(text: &str) -> bool {
    let Ok(typed) = from_str::<T>(text) else { return false };
    let sent: Value = from_str(text).unwrap();
    assert_eq!(to_value(&typed).unwrap(), sent);
    assert_eq!(from_str::<Value>(&to_string(&typed).unwrap()).unwrap(), sent);
    true
}

/// Any JSON, with names and strings that the types know among the others.
fn any_json() -> impl Strategy<Value = Value> {
    let known = prop::sample::select(vec![
        "type",
        "text",
        "tool_use",
        "thinking",
        "id",
        "name",
        "input",
        "content",
        "role",
        "user",
        "model",
        "usage",
        "source",
        "base64",
        "data",
        "stop_reason",
        "end_turn",
        "input_tokens",
        "signature",
        "extra",
        "max_tokens",
    ]);
    let string = prop_oneof![known.prop_map(str::to_owned), any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        string.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(string.clone(), inner, 0..5)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(any::<String>(), any_json(), 0..6).prop_map(|map| map.into_iter().collect())
}

/// Puts members into every object of a document, but over none that is there.
fn graft(document: &mut Value, members: &Map<String, Value>) {
    match document {
        Value::Object(object) => {
            object.values_mut().for_each(|value| graft(value, members));
            for (name, value) in members {
                object.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| graft(item, members)),
        _ => {}
    }
}

/// A document like `like` in which some members have been replaced by any JSON, and some taken away.
fn distorted(like: Value) -> impl Strategy<Value = Value> {
    prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any_json())), 0..4).prop_map(
        move |changes| {
            let mut document = like.clone();
            for (place, new) in changes {
                let object = document.as_object_mut().unwrap();
                let Some(name) = object.keys().nth(place.index(object.len().max(1))).cloned() else {
                    continue;
                };
                match new {
                    Some(value) => object.insert(name, value),
                    None => object.remove(&name),
                };
            }
            document
        },
    )
}

fn message() -> Value {
    json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "ZGF0YQ=="},
            {"type": "text", "text": "Let me look.", "citations": null},
            {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Ghent", "days": 1.5}},
            {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "x"}},
        ],
        "container": null, "stop_reason": "tool_use", "stop_sequence": null, "stop_details": null,
        "usage": {
            "input_tokens": 10, "output_tokens": 20, "cache_creation_input_tokens": null,
            "cache_read_input_tokens": 3, "service_tier": "standard",
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        },
    })
}

fn request() -> Value {
    json!({
        "model": "claude-opus-5-5", "max_tokens": 1024, "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Ghent"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_01", "content": [{"type": "text", "text": "Rain"}]},
                {"type": "tool_result", "tool_use_id": "toolu_02", "content": "no such city", "is_error": true},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "T", "context": "C"},
                {"type": "search_result", "source": "https://example.com", "title": "S", "content": []},
            ]},
            {"role": "system", "content": "From here on in French."},
        ],
        "tools": [
            {"name": "weather", "description": "The weather", "input_schema": {"type": "object"}, "strict": true},
            {"type": "web_search_20260318", "name": "web_search", "max_uses": 5},
        ],
        "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
        "stop_sequences": ["END"], "metadata": {"user_id": "u-1"},
        "output_config": {"effort": "low"}, "service_tier": "auto",
    })
}

fn error() -> Value {
    json!({
        "type": "error",
        "error": {
            "type": "rate_limit_error", "message": "Slow down.",
            "details": {"error_code": "ramp_limit_exceeded", "limit": 3},
        },
        "request_id": "req_01",
    })
}

fn model() -> Value {
    json!({
        "type": "model", "id": "claude-opus-5-5", "display_name": "Claude Opus 5.5",
        "created_at": "2026-09-01T00:00:00Z", "lifecycle": "active", "line": "opus", "retires_at": null,
        "max_input_tokens": 1_000_000, "max_tokens": 128_000, "capabilities": {"thinking": true},
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_block_of_any_json_comes_back_as_it_was(members in any_object()) {
        let text = to_string(&members).unwrap();
        prop_assert!(accepts::<ContentBlock>(&text));
        prop_assert!(accepts::<ContentBlockParam>(&text));
    }

    #[test]
    fn members_grafted_everywhere_come_back(members in any_object()) {
        for (document, accepts) in [
            (message(), accepts::<Message> as fn(&str) -> bool),
            (request(), accepts::<MessageRequest>),
            (error(), accepts::<ErrorBody>),
            (model(), accepts::<ModelInfo>),
        ] {
            let mut grafted = document;
            graft(&mut grafted, &members);
            prop_assert!(accepts(&grafted.to_string()));
        }
    }

    #[test]
    fn members_of_any_shape_come_back_or_are_refused(
        message in distorted(message()), request in distorted(request()), error in distorted(error()),
        block in distorted(message()["content"][3].clone()), usage in distorted(message()["usage"].clone()),
        source in distorted(json!({"type": "base64", "media_type": "image/png", "data": "iVBOR"})),
    ) {
        accepts::<Message>(&message.to_string());
        prop_assert_eq!(Message::fit(message.clone()), from_str(&message.to_string()).ok(), "the two ways to read");
        prop_assert_eq!(Usage::fit(usage.clone()), from_str(&usage.to_string()).ok(), "the two ways to read");
        accepts::<MessageRequest>(&request.to_string());
        accepts::<ErrorBody>(&error.to_string());
        accepts::<Usage>(&usage.to_string());
        accepts::<Source>(&source.to_string());
        prop_assert!(accepts::<ContentBlock>(&block.to_string()));
    }

    #[test]
    fn a_reply_goes_into_the_next_request_as_it_came(members in any_object()) {
        let mut document = message();
        graft(&mut document["content"], &members);
        let reply: Message = from_value(document.clone()).unwrap();
        prop_assert_eq!(&to_value(reply.to_param()).unwrap()["content"], &document["content"]);
        prop_assert_eq!(reply.to_param(), MessageParam::from(reply));
    }
}

#[test]
fn the_documented_shapes_are_read_into_their_fields() {
    let reply: Message = from_value(message()).unwrap();
    assert_eq!(reply.text(), "Let me look.");
    assert_eq!(reply.model, Model::CLAUDE_OPUS_5_5);
    assert_eq!(reply.role, Role::Assistant);
    assert_eq!(reply.stop_reason, Some(StopReason::ToolUse));
    assert_eq!(reply.usage.cache_read_input_tokens, Some(3));
    let calls: Vec<_> = reply.tool_uses().map(|call| (call.id.as_str(), call.name.as_str())).collect();
    assert_eq!(calls, [("toolu_01", "weather")]);
    assert_eq!(reply.content.iter().map(ContentBlock::type_name).next_back(), Some("server_tool_use"));

    let error: ErrorBody = from_value(error()).unwrap();
    assert_eq!(error.error.kind, ErrorType::RateLimit);
    assert_eq!(error.error.error_code(), Some("ramp_limit_exceeded"));

    let page: Page<ModelInfo> =
        from_value(json!({"data": [model()], "has_more": true, "first_id": "a", "last_id": "b"})).unwrap();
    assert_eq!(page.data[0].lifecycle, Some(Lifecycle::Active));
    assert_eq!((page.has_more, page.last_id.as_deref()), (Some(true), Some("b")));

    assert_eq!(from_str::<TokenCount>(r#"{"input_tokens": 7}"#).unwrap().input_tokens, 7);
}

#[test]
fn a_built_request_is_the_documented_json() {
    let built = MessageRequest::new("claude-opus-5-5", 1024)
        .system("Be brief.")
        .user("Hello")
        .message(MessageParam::new(
            Role::Assistant,
            ContentBlockParam::from(ContentBlock::from(
                json!({"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Ghent"}})
                    .as_object()
                    .unwrap()
                    .clone(),
            )),
        ))
        .user(vec![
            ContentBlockParam::tool_result("toolu_01", ContentBlockParam::text("Rain")),
            ContentBlockParam::tool_error("toolu_02", "no such city"),
            ContentBlockParam::image(Source::base64("image/png", "iVBOR")),
            ContentBlockParam::Document(DocumentBlock {
                title: Some("T".into()),
                context: Some("C".into()),
                source: Source::file("file_1"),
                extra: Map::new(), nulls: Nulls::default(),
            }),
            ContentBlockParam::from(
                json!({"type": "search_result", "source": "https://example.com", "title": "S", "content": []})
                    .as_object()
                    .unwrap()
                    .clone(),
            ),
        ])
        .message(MessageParam::system("From here on in French."))
        .tool(
            Tool::new("weather", json!({"type": "object"})).description("The weather").extra("strict", true),
        )
        .tool(Tool::predefined("web_search_20260318", "web_search").extra("max_uses", 5))
        .tool_choice(ToolChoice::tool("weather").disable_parallel_tool_use(true))
        .thinking(Thinking::enabled(2048).extra("display", "omitted"))
        .stop_sequence("END")
        .metadata_user_id("u-1")
        .extra("output_config", json!({"effort": "low"}))
        .extra("service_tier", "auto");
    assert_eq!(to_value(&built).unwrap(), request());
    assert_eq!(from_value::<MessageRequest>(request()).unwrap(), built);
}

#[test]
fn only_the_client_decides_whether_to_stream() {
    let request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1).user("Hi").extra("stream", true);
    let body = |stream| to_value(request.body(stream)).unwrap();
    assert_eq!(body(true)["stream"], json!(true));
    assert_eq!(body(false).get("stream"), None);
    assert_eq!(body(false)["messages"], json!([{"role": "user", "content": "Hi"}]));
}

#[test]
fn a_count_of_tokens_leaves_out_what_does_not_count() {
    let request: MessageRequest = from_value(request()).unwrap();
    let body = to_value(CountTokensRequest::from(&request)).unwrap();
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["messages", "model", "output_config", "system", "thinking", "tool_choice", "tools"]);
}

#[test]
fn a_member_is_never_written_twice() {
    let request =
        MessageRequest::new("m", 1).extra("model", "other").extra("system", "kept: the field is not set");
    assert_eq!(
        to_string(&request).unwrap(),
        r#"{"model":"m","max_tokens":1,"messages":[],"system":"kept: the field is not set"}"#
    );

    let mut block = TextBlock { text: "t".into(), extra: Map::new(), nulls: Nulls::default() };
    block.extra.insert("type".into(), json!("image"));
    assert_eq!(to_string(&ContentBlock::Text(block)).unwrap(), r#"{"type":"text","text":"t"}"#);
}

#[test]
fn unknown_values_of_open_enums_are_kept() {
    assert_eq!(from_str::<StopReason>(r#""bored""#).unwrap(), StopReason::Other("bored".into()));
    assert_eq!(to_string(&StopReason::from("bored")).unwrap(), r#""bored""#);
    assert_eq!(Role::from(String::from("user")), Role::User);
    assert_eq!(Model::from("claude-next").to_string(), "claude-next");
}

#[test]
fn a_known_block_of_an_unexpected_shape_is_unknown() {
    let block: ContentBlock = from_value(json!({"type": "text", "text": 3})).unwrap();
    assert!(matches!(block, ContentBlock::Unknown(_)));
    assert_eq!(block.type_name(), "text");
}

#[test]
fn a_message_without_what_it_needs_is_refused_by_the_name_of_it() {
    let mut document = message();
    document.as_object_mut().unwrap().remove("usage");
    let error = from_value::<Message>(document).unwrap_err();
    assert_eq!(error.to_string(), "`usage` is missing or not of the expected shape");
}

#[test]
fn a_value_that_does_not_fit_its_field_stays_beside_it() {
    let odd = json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 1.5});
    let usage: Usage = from_value(odd.clone()).unwrap();
    assert_eq!(usage.cache_read_input_tokens, None);
    assert_eq!(to_value(usage).unwrap(), odd);

    let odd = json!({"type": "enabled", "budget_tokens": 1_u64 << 40});
    let thinking: Thinking = from_value(odd.clone()).unwrap();
    assert_eq!(thinking.budget_tokens, None);
    assert_eq!(to_value(thinking).unwrap(), odd);

    let mut odd = message();
    odd["stop_reason"] = json!(["end_turn"]);
    let reply: Message = from_value(odd.clone()).unwrap();
    assert_eq!(reply.stop_reason, None);
    assert_eq!(to_value(reply).unwrap(), odd);
}
