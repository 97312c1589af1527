//! The law of the module, and the shapes the API documents.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, from_str, from_value, json, to_string, to_value};

use super::{wire::Care, *};
use documents::{citations, error, full_request, message, model, request, tools, usage};

mod documents;

/// Whether the text is accepted; if so, it must come back value for value, in its own text and as a value.
fn accepts<T: DeserializeOwned + Serialize>(text: &str) -> bool {
    let Ok(typed) = from_str::<T>(text) else { return false };
    let sent: Value = from_str(text).unwrap();
    assert_eq!(to_value(&typed).unwrap(), sent);
    assert_eq!(from_str::<Value>(&to_string(&typed).unwrap()).unwrap(), sent);
    true
}

/// A chain of `user()` and `assistant()` moves the request with each message: `benches/types.rs` has what that costs.
#[test]
fn a_request_and_its_messages_are_small_enough_to_be_handed_on() {
    assert!(size_of::<MessageRequest>() <= 16, "{}", size_of::<MessageRequest>());
    assert!(size_of::<MessageParam>() <= 128, "{}", size_of::<MessageParam>());
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

/// One of the objects of a list, distorted.
fn any_of(list: &Value) -> impl Strategy<Value = Value> + use<> {
    prop::sample::select(list.as_array().unwrap().clone()).prop_flat_map(distorted)
}

fn any_block() -> impl Strategy<Value = Value> {
    any_of(&message()["content"])
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
            (full_request(), accepts::<MessageRequest>),
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
        block in any_block(), usage in distorted(usage()),
        full in distorted(full_request()), tool in any_of(&tools()), citation in any_of(&citations()),
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
        prop_assert!(accepts::<ContentBlockParam>(&block.to_string()));
        prop_assert!(accepts::<Citation>(&citation.to_string()));
        accepts::<MessageRequest>(&full.to_string());
        prop_assert!(accepts::<Tool>(&tool.to_string()));
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
    assert_eq!(reply.text(), "Let me look.It says so.");
    assert_eq!(reply.model, Model::CLAUDE_OPUS_5_5);
    assert_eq!(reply.role, Role::Assistant);
    assert_eq!(reply.stop_reason, Some(StopReason::ToolUse));
    assert_eq!(reply.usage.cache_read_input_tokens, Some(3));
    let calls: Vec<_> = reply.tool_uses().map(|call| (call.id.as_str(), call.name.as_str())).collect();
    assert_eq!(calls, [("toolu_01", "weather")]);

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
fn every_documented_block_and_field_has_a_place_of_its_own() {
    let reply: Message = from_value(message()).unwrap();
    let kinds: BTreeSet<_> = reply.content.iter().map(ContentBlock::type_name).collect();
    assert_eq!(kinds.len(), 18);
    let request: MessageRequest = from_value(full_request()).unwrap();
    let blocks = request.messages.iter().map(|message| match &message.content {
        Content::Blocks(blocks) => &blocks[..],
        Content::Text(_) => &[],
    });
    let kinds: BTreeSet<_> = blocks.flatten().map(ContentBlockParam::type_name).collect();
    assert!(
        kinds.is_superset(&["tool_addition", "tool_removal", "fallback", "document", "tool_result"].into())
    );
    let tools: BTreeSet<_> =
        request.tools.iter().flatten().map(|tool| tool.kind.clone().unwrap().to_string()).collect();
    assert_eq!(tools.len(), 28);

    let texts = [
        format!("{reply:?}"),
        format!("{request:?}"),
        format!("{:?}", from_value::<MessageRequest>(self::request()).unwrap()),
        format!("{:?}", model_without_type()),
    ];
    for text in texts {
        assert!(!text.contains("Unknown(") && !text.contains("Other("), "{text}");
        let extras = text.matches("extra: {").count();
        assert_eq!(text.matches("extra: {}").count(), extras, "{text}");
    }
}

/// The one member of a model that says nothing of it has no field.
fn model_without_type() -> ModelInfo {
    let mut document = model();
    document.as_object_mut().unwrap().remove("type");
    from_value(document).unwrap()
}

#[test]
fn what_a_model_can_do_is_typed() {
    let model: ModelInfo = from_value(model()).unwrap();
    assert_eq!((&model.line, model.lifecycle), (&Some(ModelLine::Opus), Some(Lifecycle::Active)));
    assert_eq!(model.allowed_fallback_models, Some(vec![Model::CLAUDE_SONNET_5_5]));
    let can = model.capabilities.unwrap();
    let tools = can.server_tools.unwrap();
    assert!(tools.supported && !tools.web_search.unwrap().supported);
    assert!(can.thinking.unwrap().types.unwrap().adaptive.unwrap().supported);
    assert_eq!(can.effort.unwrap().xhigh, None);
}

#[test]
fn a_built_request_is_the_documented_json() {
    let built = MessageRequest::new("claude-opus-5-5", 1024)
        .system("Be brief.")
        .user("Hello")
        .assistant(ContentBlockParam::from(ToolUseBlock::new(
            "toolu_01",
            "weather",
            json!({"city": "Ghent"}),
        )))
        .user(vec![
            ContentBlockParam::tool_result("toolu_01", ContentBlockParam::text("Rain")),
            ContentBlockParam::tool_error("toolu_02", "no such city"),
            ImageBlock::new(Source::base64("image/png", "iVBOR"))
                .transformations(ImageTransformations::default().oversized_image(OversizedImage::Downsize))
                .into(),
            DocumentBlock::new(Source::file("file_1"))
                .title("T")
                .context("C")
                .citations(Citations::enabled())
                .cache_control(CacheControl::ephemeral().ttl(Ttl::OneHour))
                .into(),
            SearchResultBlock::new("https://example.com", "S", Vec::new()).into(),
        ])
        .message(MessageParam::system("From here on in French.").clear_at(ClearAt::NextUserMessage))
        .tool(Tool::new("weather", json!({"type": "object"})).description("The weather").strict(true))
        .tool(Tool::web_search().max_uses(5))
        .tool_choice(ToolChoice::tool("weather").disable_parallel_tool_use(true))
        .thinking(Thinking::enabled(2048).display(ThinkingDisplay::Omitted))
        .stop_sequence("END")
        .metadata_user_id("u-1")
        .effort(Effort::Low)
        .service_tier(RequestedTier::Auto);
    assert_eq!(to_value(&built).unwrap(), request());
    assert_eq!(from_value::<MessageRequest>(request()).unwrap(), built);
}

#[test]
fn every_block_that_takes_a_mark_for_the_cache_gets_one() {
    let blocks = [message()["content"].take(), full_request()["messages"][2]["content"].take()];
    for block in blocks.iter().flat_map(|blocks| blocks.as_array().unwrap()) {
        let marked =
            from_value::<ContentBlockParam>(block.clone()).unwrap().cache_control(CacheControl::ephemeral());
        let kind = marked.type_name().to_owned();
        let takes_none =
            ["thinking", "redacted_thinking", "mcp_tool_listing", "fallback"].contains(&kind.as_str());
        assert_eq!(to_value(marked).unwrap().get("cache_control").is_none(), takes_none, "{kind}");
    }
}

#[test]
fn the_tools_of_the_service_have_the_names_they_need() {
    for tool in tools().as_array().unwrap() {
        let kind = ToolKind::from(tool["type"].as_str().unwrap());
        let name = tool.get("name").and_then(Value::as_str).filter(|_| kind != ToolKind::Custom);
        assert_eq!(kind.tool_name(), name, "{kind}");
        assert_eq!(Tool::of(kind).name.as_deref(), name);
    }
    assert_eq!(
        to_value(Tool::computer_toolset().config("zoom", MemberConfig::default().enabled(false))).unwrap(),
        json!({"type": "computer_toolset_20260801", "configs": {"zoom": {"enabled": false}}})
    );
}

#[test]
fn the_token_of_an_mcp_server_is_sent_and_not_shown() {
    let request = MessageRequest::new("m", 1)
        .mcp_server(McpServer::url("a", "https://a").authorization_token("canary"));
    assert_eq!(to_value(&request).unwrap()["mcp_servers"][0]["authorization_token"], "canary");
    let read: MessageRequest = from_value(to_value(&request).unwrap()).unwrap();
    assert!(!format!("{request:?}{read:?}").contains("canary"));
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

    let request: MessageRequest = from_value(full_request()).unwrap();
    let body = CountTokensRequest::body(
        &request,
        from_value::<Map<_, _>>(json!({"x": 1, "service_tier": 2})).as_ref().unwrap(),
    );
    let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "billing_policy",
            "cache_control",
            "compaction",
            "context_management",
            "mcp_servers",
            "messages",
            "model",
            "output_config",
            "speed",
            "system",
            "thinking",
            "tool_choice",
            "tools",
            "x",
        ]
    );
}

#[test]
fn a_member_is_never_written_twice() {
    let request =
        MessageRequest::new("m", 1).extra("model", "other").extra("system", "kept: the field is not set");
    assert_eq!(
        to_string(&request).unwrap(),
        r#"{"model":"m","max_tokens":1,"messages":[],"system":"kept: the field is not set"}"#
    );

    let mut block = TextBlock::new("t");
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
    assert_eq!(refusal::<Message>(document), "`usage` is missing");
}

fn refusal<T: DeserializeOwned + std::fmt::Debug>(document: Value) -> String {
    from_value::<T>(document).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_read_is_named_by_its_whole_path() {
    let with = |pointer: &str, value: Value| {
        let mut document = full_request();
        *document.pointer_mut(pointer).unwrap() = value;
        document
    };
    let cases = [
        ("/model", "`model` is a number, not a string"),
        ("/messages", "`messages` is a number, not a list"),
        ("/messages/0", "`messages[0]` is a number, not an object"),
        ("/messages/1/role", "`messages[1].role` is a number, not a string"),
        ("/messages/0/content", "`messages[0].content` is a number, not a string or a list"),
        ("/messages/0/content/1", "`messages[0].content[1]` is a number, not an object"),
    ];
    for (pointer, expected) in cases {
        assert_eq!(refusal::<MessageRequest>(with(pointer, json!(7))), expected);
    }
    let mut reply = message();
    reply["usage"]["output_tokens"] = json!("many");
    assert_eq!(refusal::<Message>(reply), "`usage.output_tokens` is a string, not a whole number");
    let page = json!({"data": [model(), {"display_name": "nameless"}]});
    assert_eq!(refusal::<Page<ModelInfo>>(page), "`data[1].id` is missing");
    assert_eq!(refusal::<Page<ModelInfo>>(json!({"data": [7]})), "`data[0]` is a number, not an object");
    for (data, found) in
        [(json!({}), "an object"), (json!(null), "null"), (json!("x"), "a string"), (json!(7), "a number")]
    {
        assert_eq!(
            refusal::<Page<ModelInfo>>(json!({"data": data})),
            format!("`data` is {found}, not a list")
        );
    }
    let cut = from_str::<Page<ModelInfo>>(r#"{"data": [{"id": "a"}, {"id": "#).unwrap_err();
    assert!(cut.is_eof(), "{cut}");
    assert_eq!(refusal::<ContentBlock>(json!([])), "it is a list, not an object");
}

/// Wherever a member of a documented request is replaced by a value of another kind, that member is named.
#[test]
fn what_a_person_writes_wrongly_is_named_by_its_whole_path_at_any_depth() {
    assert_eq!(
        to_value(MessageRequest::from_json(full_request().to_string().as_bytes()).unwrap()).unwrap(),
        full_request()
    );
    let mut named = 0;
    for (pointer, path) in typed_places() {
        let mut document = full_request();
        *document.pointer_mut(&pointer).unwrap() = json!(1.5);
        let misfit = <MessageRequest as Fit>::misfit(&document, Care::Known);
        let told = misfit.map_or_else(|| "it is taken".to_owned(), |misfit| misfit.to_string());
        assert!(told.starts_with(&format!("`{path}` is a number, not ")), "{path}: {told}");
        named += 1;
    }
    assert!(named > 200, "{named}");
    let request = json!({"custom_id": "a", "params": {"model": "m", "max_tokens": 1, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image", "source": {"type": 7}}]}]}});
    let error = refusal::<BatchRequest>(request);
    assert_eq!(error, "`params.messages[0].content[1].source.type` is a number, not a string");
    let image = |data: &str| {
        format!(
            r#"{{"model": "m", "max_tokens": 1, "messages": [{{"role": "user", "content": [
                {{"type": "image", "source": {{"type": "base64", "media_type": "image/png", {data}}}}}]}}]}}"#
        )
    };
    let refusal = |data: &str| MessageRequest::from_json(image(data).as_bytes()).unwrap_err().to_string();
    assert_eq!(refusal(r#""data": 5"#), "`messages[0].content[0].source.data` is a number, not a string");
    assert!(refusal(r#""data": "a", "data": "b""#).starts_with("its member `data` is there twice"));
    assert!(MessageRequest::from_json((image(r#""data": "a""#) + "x").as_bytes()).is_err());
}

/// Every place of a full request that has a type, as a pointer and as a path.
fn typed_places() -> Vec<(String, String)> {
    fn walk(value: &Value, pointer: &str, path: &str, places: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if ["input", "schema", "input_schema"].contains(&name.as_str()) {
                        continue;
                    }
                    let dot = if path.is_empty() { "" } else { "." };
                    let (pointer, path) = (format!("{pointer}/{name}"), format!("{path}{dot}{name}"));
                    if !["configs", "input_examples"].contains(&name.as_str()) {
                        walk(value, &pointer, &path, places);
                    }
                    places.push((pointer, path));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let (pointer, path) = (format!("{pointer}/{index}"), format!("{path}[{index}]"));
                    if path.contains(".client_tool_results.tools[") {
                        continue;
                    }
                    walk(item, &pointer, &path, places);
                    places.push((pointer, path));
                }
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    walk(&full_request(), "", "", &mut places);
    places
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
