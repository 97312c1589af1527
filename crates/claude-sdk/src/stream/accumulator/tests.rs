//! Streams as the API sends them, cut and shuffled.
#![expect(clippy::needless_pass_by_value, reason = "tests read better without borrows of literals")]

use serde_json::{from_value, json};

use super::*;
use crate::types::StopReason;

fn event(data: &Value) -> Event {
    Event::parse(data["type"].as_str().unwrap(), &data.to_string()).unwrap()
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "model": "m", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": null, "service_tier": "standard"}}})
}

fn block(index: usize, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: usize, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text(index: usize, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn input(index: usize, json: &str) -> Value {
    delta(index, json!({"type": "input_json_delta", "partial_json": json}))
}

fn stop(index: usize) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> Vec<Value> {
    vec![
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null},
            "usage": {"output_tokens": 20}}),
        json!({"type": "message_stop"}),
    ]
}

fn tool_block() -> Value {
    json!({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}})
}

/// Text, thinking, a call with arguments and one without, unknown things in between.
fn conversation() -> Vec<Value> {
    let mut events = vec![
        json!({"type": "before_everything"}),
        json!({"type": "ping"}),
        start(),
        block(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(0, json!({"type": "thinking_delta", "thinking": "H", "estimated_tokens": 1})),
        delta(0, json!({"type": "thinking_delta", "thinking": "m."})),
        delta(0, json!({"type": "signature_delta", "signature": "c2ln"})),
        stop(0),
        block(1, json!({"type": "text", "text": ""})),
        json!({"type": "ping"}),
        text(1, "Let me "),
        delta(1, json!({"type": "hologram_delta", "depth": 3})),
        text(1, "look."),
        delta(1, json!({"type": "citations_delta", "citation": {"type": "char_location"}})),
        stop(1),
        json!({"type": "interlude", "index": 1}),
        block(2, tool_block()),
        input(2, ""),
        input(2, "{\"city\": \"Gh"),
        input(2, "ent\"}"),
        stop(2),
        block(3, tool_block()),
        stop(3),
        block(4, json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}})),
        input(4, "{\"query\": 1}"),
        stop(4),
    ];
    events.extend(end("tool_use"));
    events
}

fn accumulate(events: &[Value]) -> Result<Accumulator, ProtocolError> {
    let mut accumulator = Accumulator::new();
    events.iter().try_for_each(|data| accumulator.push(&event(data)))?;
    Ok(accumulator)
}

fn refused(events: &[Value]) -> ProtocolError {
    accumulate(events).unwrap_err()
}

#[test]
fn a_streamed_message_is_the_one_that_would_have_come_whole() {
    let whole: Message = from_value(json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "text", "text": "Let me look.", "citations": [{"type": "char_location"}]},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ghent"}},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": 1}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 20, "cache_read_input_tokens": null, "service_tier": "standard"},
    }))
    .unwrap();
    assert_eq!(accumulate(&conversation()).unwrap().finish().unwrap(), whole);
}

#[test]
fn a_stream_cut_after_any_event_is_truncated_and_keeps_what_arrived() {
    let events = conversation();
    let mut longest = 0;
    for cut in 0..events.len() {
        let accumulator = accumulate(&events[..cut]).unwrap();
        let begun = accumulator.snapshot().is_some();
        let partial = accumulator.finish().unwrap_err().partial;
        assert_eq!(partial.is_some(), begun);
        let text = partial.map(|message| message.text()).unwrap_or_default();
        assert!("Let me look.".starts_with(&text) && text.len() >= longest);
        longest = text.len();
    }
    assert_eq!(longest, "Let me look.".len());
}

#[test]
fn a_truncated_stream_reports_the_usage_so_far() {
    let truncated = accumulate(&[start()]).unwrap().finish().unwrap_err();
    assert!(!format!("{truncated:?}").contains("usage"));
    assert_eq!(truncated.partial.unwrap().usage.input_tokens, 9);
}

#[test]
fn arguments_cut_short_are_kept_as_text() {
    let mut events = vec![start(), block(0, tool_block()), input(0, "{\"city\": \"Gh")];
    let cut = accumulate(&events).unwrap().finish().unwrap_err().partial.unwrap();
    events.push(stop(0));
    events.extend(end("max_tokens"));
    let complete = accumulate(&events).unwrap().finish().unwrap();
    assert_eq!(complete.stop_reason, Some(StopReason::MaxTokens));
    for message in [cut, complete] {
        let call = message.tool_uses().next().unwrap();
        assert_eq!(call.incomplete_input(), Some("{\"city\": \"Gh"));
    }
}

#[test]
fn a_snapshot_grows_with_the_text() {
    let accumulator =
        accumulate(&[start(), block(0, json!({"type": "text", "text": ""})), text(0, "a")]).unwrap();
    assert_eq!(accumulator.snapshot().unwrap().text(), "a");
}

#[test]
fn usage_is_overwritten_only_by_what_is_there() {
    let change = json!({"type": "message_delta",
        "delta": {"stop_reason": "refusal", "stop_details": {"type": "refusal"}, "container": null},
        "usage": {"output_tokens": 7, "input_tokens": null, "cache_read_input_tokens": 4,
            "service_tier": null, "server_tool_use": {"web_search_requests": 1}},
        "context_management": {"applied_edits": []}, "input_transformations": null});
    let events = [start(), change, json!({"type": "message_stop"})];
    let message = serde_json::to_value(accumulate(&events).unwrap().finish().unwrap()).unwrap();
    assert_eq!(
        message["usage"],
        json!({"input_tokens": 9, "output_tokens": 7, "cache_read_input_tokens": 4, "service_tier": "standard",
            "server_tool_use": {"web_search_requests": 1}})
    );
    assert_eq!(message["stop_reason"], "refusal");
    assert_eq!(message["stop_details"], json!({"type": "refusal"}));
    assert_eq!(message["context_management"], json!({"applied_edits": []}));
    assert_eq!(message.get("input_transformations"), None);
}

#[test]
fn blocks_that_are_not_known_grow_too() {
    let mut events = vec![
        start(),
        block(0, json!({"type": "compaction", "content": null})),
        delta(0, json!({"type": "compaction_delta", "content": "short", "encrypted_content": "eA=="})),
        stop(0),
        block(1, json!({"type": "fallback", "to": {"model": "other"}})),
        stop(1),
        block(2, json!({"type": "aside"})),
        text(2, "by "),
        text(2, "the way"),
        stop(2),
    ];
    events.extend(end("end_turn"));
    let message = accumulate(&events).unwrap().finish().unwrap();
    assert_eq!(message.model.as_str(), "other");
    assert_eq!(
        serde_json::to_value(message.content).unwrap(),
        json!([
            {"type": "compaction", "content": "short", "encrypted_content": "eA=="},
            {"type": "fallback", "to": {"model": "other"}},
            {"type": "aside", "text": "by the way"},
        ])
    );
}

#[test]
fn a_block_left_open_ends_with_the_message() {
    let mut events = vec![start(), block(0, tool_block()), input(0, "{\"a\": 1}")];
    events.extend(end("tool_use"));
    let message = accumulate(&events).unwrap().finish().unwrap();
    assert_eq!(message.tool_uses().next().unwrap().input, json!({"a": 1}));
}

#[test]
fn what_follows_the_end_changes_nothing() {
    let mut events = conversation();
    let message = accumulate(&events).unwrap().finish().unwrap();
    events.extend([start(), text(1, "late"), json!({"type": "encore"})]);
    assert_eq!(accumulate(&events).unwrap().finish().unwrap(), message);
}

#[test]
fn an_impossible_order_is_refused() {
    let open = || block(0, json!({"type": "text", "text": ""}));
    assert_eq!(refused(&[start(), start()]), ProtocolError::SecondStart);
    for early in [open(), text(0, "a"), stop(0), json!({"type": "message_stop"}), end("end_turn").remove(0)] {
        assert_eq!(refused(&[early]), ProtocolError::NotStarted);
    }
    let second = block(2, tool_block());
    assert_eq!(refused(&[start(), open(), second]), ProtocolError::OutOfOrder { index: 2, expected: 1 });
    assert_eq!(refused(&[start(), open(), open()]), ProtocolError::OutOfOrder { index: 0, expected: 1 });
    assert_eq!(refused(&[start(), open(), text(1, "a")]), ProtocolError::UnknownBlock { index: 1 });
    assert_eq!(refused(&[start(), open(), stop(0), text(0, "a")]), ProtocolError::ClosedBlock { index: 0 });
    assert_eq!(refused(&[start(), open(), stop(0), stop(0)]), ProtocolError::ClosedBlock { index: 0 });
    let mismatch = ProtocolError::Mismatch { index: 0, delta: "input_json_delta".into() };
    assert_eq!(refused(&[start(), open(), input(0, "{}")]), mismatch);
}

#[test]
fn a_refused_event_leaves_the_message_as_it_was() {
    let mut accumulator = accumulate(&[start(), block(0, json!({"type": "text", "text": "a"}))]).unwrap();
    let before = accumulator.snapshot().cloned();
    accumulator.push(&event(&text(7, "b"))).unwrap_err();
    assert_eq!(accumulator.snapshot(), before.as_ref());
}

#[test]
fn what_is_odd_and_no_failure_is_noted_once() {
    let usage = |usage: Value| json!({"type": "message_delta", "delta": {}, "usage": usage});
    let mut events = vec![
        start(),
        block(0, tool_block()),
        input(0, "{\"city\": Gh"),
        stop(0),
        block(1, tool_block()),
        input(1, "{}"),
        stop(1),
        block(2, tool_block()),
        input(2, "{\"city\": \"Gh"),
        usage(json!({"output_tokens": "many", "input_tokens": null, "new": []})),
        usage(json!({"output_tokens": -1})),
        usage(json!([])),
        usage(Value::Null),
    ];
    events.extend(end("max_tokens"));
    let mut accumulator = Accumulator::new();
    events.iter().for_each(|data| accumulator.push(&event(data)).unwrap());
    let output = Oddity::Usage { member: Some("output_tokens") };
    assert_eq!(
        accumulator.oddities(),
        [Oddity::Input { index: 0 }, output, Oddity::Usage { member: None }, Oddity::Input { index: 2 }]
    );
    assert_eq!(accumulator.finish().unwrap().usage.output_tokens, 20);

    let mut accumulator = Accumulator::new();
    conversation().iter().for_each(|data| accumulator.push(&event(data)).unwrap());
    let hologram = "`delta.type` is \"hologram_delta\", which is not known here".to_owned();
    assert_eq!(accumulator.oddities(), [Oddity::Delta { index: 1, misfit: hologram }]);
}

#[test]
fn what_is_left_out_is_noted_once_for_each_block() {
    let text = |value: Value| json!({"type": "text", "text": value});
    let delta =
        |index: usize, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let mut events = vec![
        start(),
        block(0, text(json!(""))),
        delta(0, json!({"type": "text_delta", "text": 5})),
        delta(0, json!({"type": "fancy_delta"})),
        stop(0),
        block(1, text(json!(5))),
        delta(1, json!({"type": "x".repeat(900)})),
        stop(1),
        block(2, json!({"type": "hologram"})),
        stop(2),
    ];
    events.extend(end("end_turn"));
    let mut accumulator = Accumulator::new();
    events.iter().for_each(|data| accumulator.push(&event(data)).unwrap());
    let told: Vec<String> = accumulator.oddities().iter().map(ToString::to_string).collect();
    assert_eq!(told[0], "something for block 0 was left out: `delta.text` is a number, not a string");
    assert_eq!(told[1], "`content[1].text` is a number, not a string; the block is kept as it came, unread");
    assert!(
        told[2].starts_with("something for block 1 was left out: `delta.type` is \"xxx")
            && told[2].len() < 200
    );
    assert_eq!(told.len(), 3);
}
