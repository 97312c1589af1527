//! What the server says: content blocks, and the two forms a message takes.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};

use super::ask::Ask;
use super::count;
use crate::answer::Answer;
use crate::body::Body;
use crate::mint::Mint;

/// A message that is ready to be said.
#[derive(Debug)]
pub(super) struct Speech {
    id: String,
    blocks: Vec<Value>,
    stop_reason: String,
    stop_sequence: Option<String>,
    stop_details: Value,
    pub(super) output_tokens: u64,
}

impl Speech {
    /// Takes the blocks as far as `stop_sequences` and `max_tokens` let it.
    pub(super) fn new(
        ask: &Ask,
        blocks: Vec<Value>,
        (stop_reason, stop_details): (Option<String>, Value),
        mint: &mut Mint,
    ) -> Self {
        let mut speech = Self {
            id: mint.name("msg_", 24),
            blocks: Vec::with_capacity(blocks.len()),
            stop_reason: "end_turn".to_owned(),
            stop_sequence: None,
            stop_details,
            output_tokens: 0,
        };
        for block in blocks {
            if !speech.add(ask, block, mint) {
                break;
            }
        }
        if let Some(reason) = stop_reason {
            speech.stop_reason = reason;
        }
        speech
    }

    /// Adds a block, or what may be said of it; false if that was the end.
    fn add(&mut self, ask: &Ask, mut block: Value, mint: &mut Mint) -> bool {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind != "text" {
            if kind == "tool_use" {
                self.stop_reason = "tool_use".to_owned();
                if block.get("id").is_none() {
                    set(&mut block, "id", Value::String(mint.name("toolu_", 24)));
                }
                self.output_tokens += count::weigh(&block).max(1);
                complete(&mut block, "caller", || json!({"type": "direct"}));
            } else {
                self.output_tokens += count::weigh(&block).max(1);
            }
            self.blocks.push(block);
            return true;
        }
        let text = block.get("text").and_then(Value::as_str).unwrap_or_default();
        let stops = ask.stop_sequences.iter().filter_map(|stop| Some((text.find(stop.as_str())?, stop)));
        let stop = stops.min_by_key(|(index, _)| *index);
        let before = stop.and_then(|(index, _)| text.get(..index)).unwrap_or(text);
        let (said, tokens) = count::cut(before, ask.max_tokens.saturating_sub(self.output_tokens));
        let reason = if said.len() < before.len() {
            Some("max_tokens")
        } else {
            self.stop_sequence = stop.map(|(_, sequence)| sequence.clone());
            stop.map(|_| "stop_sequence")
        };
        let said = said.to_owned();
        self.output_tokens += tokens;
        set(&mut block, "text", Value::String(said));
        complete(&mut block, "citations", || Value::Null);
        self.blocks.push(block);
        if let Some(reason) = reason {
            self.stop_reason = reason.to_owned();
        }
        reason.is_none()
    }

    /// The message as one JSON object.
    pub(super) fn whole(self, ask: &Ask) -> Value {
        let (reason, sequence) = (json!(self.stop_reason), json!(self.stop_sequence));
        let mut message = message(&self.id, ask, &self.blocks, &reason, &sequence, self.output_tokens);
        set(&mut message, "stop_details", self.stop_details);
        message
    }

    /// The message as a stream of events, text token by token.
    pub(super) fn stream(self, ask: &Ask) -> Answer {
        let start = message(&self.id, ask, &[], &Value::Null, &Value::Null, 1);
        let mut events = vec![event("message_start", json!({"message": start}))];
        for (index, block) in self.blocks.into_iter().enumerate() {
            let (start, deltas) = unfold(block);
            events.push(event("content_block_start", json!({"index": index, "content_block": start})));
            if index == 0 {
                events.push(event("ping", json!({})));
            }
            for delta in deltas {
                events.push(event("content_block_delta", json!({"index": index, "delta": delta})));
            }
            events.push(event("content_block_stop", json!({"index": index})));
        }
        let delta = json!({
            "container": null,
            "stop_details": self.stop_details,
            "stop_reason": self.stop_reason,
            "stop_sequence": self.stop_sequence,
        });
        let usage = json!({
            "input_tokens": ask.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens_details": null,
            "server_tool_use": null,
        });
        events.push(event("message_delta", json!({"delta": delta, "usage": usage})));
        events.push(event("message_stop", json!({})));
        Answer::new(StatusCode::OK, Body::pieces(events))
            .header(CONTENT_TYPE, "text/event-stream; charset=utf-8")
            .header(CACHE_CONTROL, "no-cache")
    }
}

/// A message with all members that the API's reference has, those that are always null here too.
fn message(
    id: &str,
    ask: &Ask,
    content: &[Value],
    stop_reason: &Value,
    stop_sequence: &Value,
    output_tokens: u64,
) -> Value {
    json!({
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": content,
        "container": null,
        "diagnostics": null,
        "stop_details": null,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": {
            "input_tokens": ask.input_tokens,
            "output_tokens": output_tokens,
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "inference_geo": null,
            "output_tokens_details": null,
            "server_tool_use": null,
            "service_tier": "standard",
            "speed": null,
        },
    })
}

/// Takes a block apart: how it starts, and what is then added to it bit by bit.
///
/// A block of a kind that has no deltas starts complete.
fn unfold(mut block: Value) -> (Value, Vec<Value>) {
    let taken = |block: &mut Value, name: &str, empty: Value| {
        block.get_mut(name).map(|member| std::mem::replace(member, empty)).unwrap_or_default()
    };
    let bits = |text: &str, kind: &str, name: &str| -> Vec<Value> {
        count::tokens(text).map(|token| json!({"type": kind, name: token})).collect()
    };
    match block.get("type").and_then(Value::as_str) {
        Some("text") => {
            let text = taken(&mut block, "text", json!(""));
            let citations = match block.get("citations") {
                Some(Value::Array(_)) => taken(&mut block, "citations", json!([])),
                _ => Value::Null,
            };
            let mut deltas = bits(text.as_str().unwrap_or_default(), "text_delta", "text");
            let cited = citations.as_array().into_iter().flatten();
            deltas.extend(cited.map(|citation| json!({"type": "citations_delta", "citation": citation})));
            (block, deltas)
        }
        Some("thinking") => {
            let thinking = taken(&mut block, "thinking", json!(""));
            let signature = taken(&mut block, "signature", json!(""));
            let mut deltas = bits(thinking.as_str().unwrap_or_default(), "thinking_delta", "thinking");
            if !signature.is_null() {
                deltas.push(json!({"type": "signature_delta", "signature": signature}));
            }
            (block, deltas)
        }
        Some("tool_use" | "server_tool_use" | "mcp_tool_use") => {
            let input = taken(&mut block, "input", json!({}));
            // The service begins with an empty piece.
            let mut deltas = vec![json!({"type": "input_json_delta", "partial_json": ""})];
            deltas.extend(bits(&input.to_string(), "input_json_delta", "partial_json"));
            (block, deltas)
        }
        _ => (block, Vec::new()),
    }
}

/// One event; its data carries its name as `type` too.
fn event(name: &str, mut data: Value) -> Bytes {
    set(&mut data, "type", json!(name));
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// Sets a member that is not there.
fn complete(object: &mut Value, name: &str, value: impl FnOnce() -> Value) {
    if let Some(members) = object.as_object_mut() {
        members.entry(name).or_insert_with(value);
    }
}

/// Sets a member of an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
