//! What a message request asks for, checked as the API's reference says.

mod betas;
mod blocks;
mod members;
mod rules;
mod shape;
mod tools;

use serde_json::{Map, Value};

use self::shape::Place;
use super::access::Version;
use super::{Refusal, count, models};
use crate::answer::Received;
use crate::state::State;

/// Fields that went away with the current version.
const GONE: [&str; 4] = ["temperature", "top_p", "top_k", "output_format"];
/// What each message counts besides its text.
const MESSAGE_OVERHEAD: u64 = 3;

/// A request in order.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) model: String,
    pub(super) max_tokens: u64,
    pub(super) stream: bool,
    pub(super) stop_sequences: Vec<String>,
    pub(super) input_tokens: u64,
    pub(super) last_user_text: String,
}

/// What besides its body decides about a request.
#[derive(Debug)]
pub(super) struct Terms<'a> {
    pub(super) version: Version,
    pub(super) call: Call,
    pub(super) betas: Vec<&'a str>,
    /// Whether the examples of documentation are taken, which combine what nobody would.
    pub(super) examples: bool,
    pub(super) models: &'a [String],
}

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Message,
    Batched,
    Count,
}

impl Default for Ask {
    /// Stands in where no message was asked for.
    fn default() -> Self {
        Self {
            model: "mock".to_owned(),
            max_tokens: models::MAX_TOKENS,
            stream: false,
            stop_sequences: Vec::new(),
            input_tokens: 1,
            last_user_text: String::new(),
        }
    }
}

impl Ask {
    /// Reads the body of `POST /v1/messages`.
    pub(super) fn message(body: &[u8], terms: &Terms<'_>) -> Result<Self, Refusal> {
        Self::of(&object(body)?, terms)
    }

    /// Reads the same members as one request of a batch.
    pub(super) fn of(members: &Map<String, Value>, terms: &Terms<'_>) -> Result<Self, Refusal> {
        let ask = Self::read(members, terms)?;
        let max_tokens = members.get("max_tokens").and_then(Value::as_u64).unwrap_or_default();
        if max_tokens > models::MAX_TOKENS {
            let most = models::MAX_TOKENS;
            return Err(Refusal::invalid(format!("max_tokens: must be at most {most} for this model")));
        }
        let stop_sequences = members.get("stop_sequences").and_then(Value::as_array).into_iter().flatten();
        let stop_sequences: Vec<String> =
            stop_sequences.filter_map(|sequence| sequence.as_str().map(str::to_owned)).collect();
        if stop_sequences.iter().any(|sequence| sequence.trim().is_empty()) {
            return Err(Refusal::invalid("stop_sequences: each must hold more than blanks"));
        }
        let stream = members.get("stream") == Some(&Value::Bool(true));
        Ok(Self { max_tokens, stream, stop_sequences, ..ask })
    }

    /// Whether it only fills the cache: nothing is said.
    pub(super) fn is_warming(&self) -> bool {
        self.max_tokens == 0
    }

    /// Reads the body of `POST /v1/messages/count_tokens`.
    pub(super) fn count(body: &[u8], terms: &Terms<'_>) -> Result<Self, Refusal> {
        Self::read(&object(body)?, terms)
    }

    /// Reads what both endpoints share.
    fn read(members: &Map<String, Value>, terms: &Terms<'_>) -> Result<Self, Refusal> {
        let gone = GONE.into_iter().find(|name| members.contains_key(*name));
        if let (Version::Current, Some(name)) = (terms.version, gone) {
            return Err(Refusal::invalid(format!(
                "{name}: not supported since anthropic-version 2026-10-21"
            )));
        }
        shape(members, terms)?;
        rules::check(members, terms)?;
        let model = members.get("model").and_then(Value::as_str).unwrap_or_default();
        if !terms.models.iter().any(|known| known == model) {
            return Err(Refusal::not_found(format!("model: {model} is unknown")));
        }
        let messages =
            members.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let heavy = ["system", "messages", "tools"].into_iter().filter_map(|name| members.get(name));
        let overhead = u64::try_from(messages.len()).unwrap_or(u64::MAX).saturating_mul(MESSAGE_OVERHEAD);
        let last_user =
            messages.iter().rev().find(|message| message.get("role").and_then(Value::as_str) == Some("user"));
        let mut last_user_text = String::new();
        if let Some(content) = last_user.and_then(|message| message.get("content")) {
            gather_text(content, &mut last_user_text);
        }
        Ok(Self {
            model: model.to_owned(),
            input_tokens: heavy.map(count::weigh).sum::<u64>().saturating_add(overhead),
            last_user_text,
            ..Self::default()
        })
    }
}

impl<'a> Terms<'a> {
    pub(super) fn new(state: &'a State, received: &'a Received, version: Version, call: Call) -> Self {
        let betas = received.headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
        let betas = betas.flat_map(|value| value.split(',')).map(str::trim).collect();
        Self { version, call, betas, examples: state.examples, models: &state.models }
    }
}

/// Checks each member by itself.
fn shape(members: &Map<String, Value>, terms: &Terms<'_>) -> Result<(), Refusal> {
    let shape = if terms.call == Call::Count { &members::COUNT } else { &members::MESSAGE };
    match terms.version {
        Version::Current => shape.check(Place::Top, members, &[]),
        Version::Older => shape.check(Place::Top, members, members::OLDER),
    }
}

pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::invalid("the request body has to be a JSON object")),
        Err(error) => Err(Refusal::invalid(format!("the request body is not valid JSON: {error}"))),
    }
}

/// Collects the text of a message, block by block, tool results included.
fn gather_text(content: &Value, text: &mut String) {
    match content {
        Value::String(part) => {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(part);
        }
        Value::Array(blocks) => {
            for block in blocks {
                for name in ["text", "content"] {
                    if let Some(part) = block.get(name) {
                        gather_text(part, text);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(body: &Value, version: Version, betas: &str) -> Result<Ask, Refusal> {
        read(body.to_string().as_bytes(), version, betas, Call::Message)
    }

    fn read(body: &[u8], version: Version, betas: &str, call: Call) -> Result<Ask, Refusal> {
        let models = ["m".to_owned()];
        let betas = betas.split(',').collect();
        Ask::message(body, &Terms { version, call, betas, examples: false, models: &models })
    }

    fn hello(change: &Value) -> Value {
        let mut body =
            json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    fn refusal(change: &Value) -> String {
        ask(&hello(change), Version::Current, "").unwrap_err().message
    }

    #[test]
    fn each_mistake_is_named_by_its_place() {
        let blocks = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
        let cases = [
            (json!({"max_tokens": -1}), "max_tokens: must be a whole number, 0 or more"),
            (json!({"max_tokens": 128_001}), "max_tokens: must be at most 128000 for this model"),
            (json!({"model": 7}), "model: must be a string"),
            (json!({"model": "other"}), "model: other is unknown"),
            (json!({"messages": []}), "messages: must not be empty"),
            (
                json!({"messages": [{"role": "robot"}]}),
                "messages.0.role: must be one of user, assistant, system",
            ),
            (json!({"messages": [{"role": "user"}]}), "messages.0.content: field required"),
            (
                json!({"messages": [{"role": "user", "content": ""}]}),
                "messages.0.content: must be a string that is not empty",
            ),
            (
                json!({"messages": [{"role": "user", "content": "hi", "name": "x"}]}),
                "messages.0.name: the API knows no such member here",
            ),
            (json!({"messages": [{"role": "system"}]}), "messages.0.content: field required"),
            (blocks(json!({})), "messages.0.content.0.type: field required"),
            (blocks(json!({"type": "text"})), "messages.0.content.0.text: field required"),
            (blocks(json!({"type": "tool_result"})), "messages.0.content.0.tool_use_id: field required"),
            (
                blocks(
                    json!({"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": ""}}),
                ),
                "messages.0.content.0.source.media_type: must be one of image/jpeg, image/png, image/gif, image/webp",
            ),
            (json!({"stream": "yes"}), "stream: must be true or false"),
            (json!({"temperature": 1}), "temperature: not supported since anthropic-version 2026-10-21"),
            (json!({"tools": [{"name": "t"}]}), "tools.0.input_schema: field required"),
            (json!({"tools": [{"type": "bash_20250124", "name": "shell"}]}), "tools.0.name: must be bash"),
            (json!({"stop_sequences": "x"}), "stop_sequences: must be a list"),
            (json!({"stop_sequences": [" "]}), "stop_sequences: each must hold more than blanks"),
            (json!({"system": 3}), "system: must be a string or a list"),
            (json!({"seed": 3}), "seed: the API knows no such member here"),
            (json!({"service_tier": "free"}), "service_tier: must be one of auto, standard_only"),
            (json!({"speed": "faster"}), "speed: must be one of standard, fast"),
            (
                json!({"output_config": {"effort": "extreme"}}),
                "output_config.effort: must be one of low, medium, high, xhigh, max",
            ),
            (
                json!({"output_config": {"format": {"type": "json_schema"}}}),
                "output_config.format.schema: field required",
            ),
            (
                json!({"cache_control": {"type": "ephemeral", "ttl": "2h"}}),
                "cache_control.ttl: must be one of 5m, 1h",
            ),
            (json!({"metadata": {"email": "x"}}), "metadata.email: the API knows no such member here"),
            (json!({"user_profile_id": "x"}), "user_profile_id: the API knows no such member here"),
        ];
        for (change, message) in cases {
            assert_eq!(refusal(&change), message);
        }
    }

    #[test]
    fn the_older_version_keeps_its_fields_and_roles() {
        let body = |role| {
            json!({"model": "m", "max_tokens": 1, "temperature": 1,
                "messages": [{"role": role, "content": "hi"}]})
        };
        ask(&body("user"), Version::Older, "").unwrap();
        let refused = ask(&body("system"), Version::Older, "").unwrap_err().message;
        assert_eq!(refused, "messages.0.role: must be one of user, assistant");
        let hot = ask(&hello(&json!({"temperature": 1.5})), Version::Older, "").unwrap_err().message;
        assert_eq!(hot, "temperature: must be a number from 0 to 1");
    }

    #[test]
    fn the_echo_takes_text_and_tool_results() {
        let content = json!([
            {"type": "text", "text": "one"},
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "two"}]},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        ]);
        let call = json!([{"type": "tool_use", "id": "t", "name": "t", "input": {}}]);
        let messages = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": call},
            {"role": "user", "content": content}]);
        let asked = ask(&hello(&json!({"messages": messages})), Version::Current, "").unwrap();
        assert_eq!(asked.last_user_text, "one\ntwo");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let refused =
            |body: &[u8]| read(body, Version::Current, "", Call::Message).unwrap_err().status.as_u16();
        assert_eq!((refused(b"{"), refused(b"[]"), refused(b"\xff")), (400, 400, 400));
    }
}
