//! The same bytes read by the official SDKs and by ours add up to the same message. Ours reads them in pieces of several sizes.

use std::path::PathBuf;

use claude_sdk::stream::{Accumulator, CutString, DecodeErrorKind, Event, decode, partial_json};
use claude_sdk::types::Message;
use serde_json::{Value, json};
use transport::sse::Decoder;

use crate::{script, tools};

/// How many bytes come at once.
const PIECES: [usize; 4] = [1, 7, 64, 1_000_000];

#[tokio::test]
async fn streams_add_up_to_what_the_official_sdks_make_of_them() {
    let mut python = tools().python(script("official_streams.py")).unwrap();
    let mut node = tools().node(script("official_streams.mjs")).unwrap();
    python.arg(captures());
    node.arg(captures());
    let (python, node) = tokio::join!(e2e::report(python.into()), e2e::report(node.into()));
    for theirs in [python.unwrap(), node.unwrap()] {
        let theirs = theirs.as_object().unwrap();
        assert_eq!(theirs.len(), 21, "{:?}", theirs.keys());
        for (name, theirs) in theirs {
            let capture = std::fs::read(captures().join(format!("{name}.sse"))).unwrap();
            for size in PIECES {
                compare(name, &capture, size, theirs);
            }
        }
    }
}

/// Compares a capture's message with theirs, or with the name of the error that they make of it.
fn compare(name: &str, capture: &[u8], size: usize, theirs: &Value) {
    let ours = accumulated(capture, size);
    match name {
        // Python takes half an answer for a whole one, ours and TypeScript do not; what there is of it is the same.
        "cut" => {
            let error = decode(capture).unwrap_err();
            assert!(matches!(error.kind, DecodeErrorKind::Truncated), "{error}");
            let partial = shown(*error.partial.unwrap());
            assert!(theirs == "AnthropicError" || partial == without_nulls(theirs.clone()), "{theirs}");
        }
        // Theirs has the status 200 or none, and no class of its own.
        "overloaded" => {
            assert!(theirs == "APIStatusError" || theirs == "APIError", "{theirs}");
            let error = decode(capture).unwrap_err();
            let DecodeErrorKind::Api(body) = error.kind else { panic!("{error}") };
            assert_eq!(body.error.kind.status(), 529);
        }
        // Theirs throws the message away; ours keeps it, and the arguments as the text they are.
        "tool_use_invalid_json" => {
            assert!(theirs == "ValueError" || theirs == "AnthropicError", "{theirs}");
            let message = ours.finish().unwrap();
            let text = message.tool_uses().next().unwrap().incomplete_input().unwrap();
            partial_json::parse(text, CutString::Keep).unwrap_err();
        }
        // Theirs has what is complete of the arguments, which looks like a call; ours has it on demand.
        "incomplete_partial_json" => {
            let arguments = ours.partial_input(1, CutString::Drop).unwrap().unwrap();
            assert_eq!(theirs["content"][1]["input"], arguments);
            let mut message = serde_json::to_value(ours.finish().unwrap()).unwrap();
            message["content"][1]["input"] = arguments;
            assert_eq!(without_nulls(message), without_nulls(theirs.clone()));
        }
        _ => {
            assert_eq!(shown(ours.finish().unwrap()), without_nulls(theirs.clone()), "{name}, {size}");
        }
    }
}

/// Arguments that are still under way look the same in the middle of a stream, too, but for a number at its end.
#[test]
fn a_snapshot_has_the_arguments_as_far_as_they_have_come() {
    let capture = std::fs::read(captures().join("tool_use.sse")).unwrap();
    let mut accumulator = Accumulator::new();
    let (mut decoder, mut rest) = (Decoder::new(), &capture[..]);
    let mut seen = Vec::new();
    while let Some(event) = decoder.next_event(&mut rest).unwrap() {
        accumulator.push(&Event::parse(event.name, event.data).unwrap()).unwrap();
        seen.extend(accumulator.partial_input(1, CutString::Keep).unwrap());
        seen.dedup();
    }
    let whole = json!({"city": "Ghent", "days": [1, 2.5, -300.0], "deep": {"a": {"b": [true, null]}}});
    assert_eq!(seen, [json!({}), json!({"city": "Gh"}), whole]);
}

fn captures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/streams")
}

/// What there is before the first thing that goes wrong.
fn accumulated(capture: &[u8], size: usize) -> Accumulator {
    let (mut decoder, mut accumulator) = (Decoder::new(), Accumulator::new());
    for mut piece in capture.chunks(size) {
        while let Some(event) = decoder.next_event(&mut piece).unwrap() {
            accumulator.push(&Event::parse(event.name, event.data).unwrap()).unwrap();
        }
    }
    accumulator
}

fn shown(message: Message) -> Value {
    without_nulls(serde_json::to_value(message).unwrap())
}

/// They write `null` for what was never said, and leave out what was said to be `null`; and to JavaScript 3.0 is 3.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Number(number) => match number.to_string().strip_suffix(".0") {
            Some(whole) => whole.parse().map_or(Value::Number(number), Value::Number),
            None => Value::Number(number),
        },
        value => value,
    }
}
