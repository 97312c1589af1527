//! What a message request asks for, checked as the API's reference says.

use serde_json::{Map, Value};

use super::access::Version;
use super::{Refusal, count, models};

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
    pub(super) fn message(body: &[u8], version: Version, models: &[String]) -> Result<Self, Refusal> {
        Self::of(&object(body)?, version, models)
    }

    /// Reads the same members as one request of a batch.
    pub(super) fn of(
        members: &Map<String, Value>,
        version: Version,
        models: &[String],
    ) -> Result<Self, Refusal> {
        let ask = Self::read(members, version, models)?;
        let max_tokens = match members.get("max_tokens") {
            None => return Err(Refusal::invalid("max_tokens: field required")),
            Some(value) => value.as_u64().filter(|tokens| *tokens >= 1),
        };
        let max_tokens = max_tokens.ok_or_else(|| Refusal::invalid("max_tokens: must be at least 1"))?;
        if max_tokens > models::MAX_TOKENS {
            let most = models::MAX_TOKENS;
            return Err(Refusal::invalid(format!("max_tokens: must be at most {most} for this model")));
        }
        let stream = match members.get("stream") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(stream)) => *stream,
            Some(_) => return Err(Refusal::invalid("stream: must be true or false")),
        };
        let stop_sequences = match members.get("stop_sequences") {
            None | Some(Value::Null) => Vec::new(),
            Some(value) => serde_json::from_value(value.clone())
                .map_err(|_| Refusal::invalid("stop_sequences: must be a list of strings"))?,
        };
        if stop_sequences.iter().any(|sequence: &String| sequence.trim().is_empty()) {
            return Err(Refusal::invalid("stop_sequences: each must hold more than blanks"));
        }
        Ok(Self { max_tokens, stream, stop_sequences, ..ask })
    }

    /// Reads the body of `POST /v1/messages/count_tokens`.
    pub(super) fn count(body: &[u8], version: Version, models: &[String]) -> Result<Self, Refusal> {
        Self::read(&object(body)?, version, models)
    }

    /// Reads what both endpoints share.
    fn read(members: &Map<String, Value>, version: Version, models: &[String]) -> Result<Self, Refusal> {
        let model = match members.get("model") {
            None => return Err(Refusal::invalid("model: field required")),
            Some(value) => value.as_str().ok_or_else(|| Refusal::invalid("model: must be a string"))?,
        };
        if !models.iter().any(|known| known == model) {
            return Err(Refusal::not_found(format!("model: {model} is unknown")));
        }
        if version == Version::Current
            && let Some(name) = GONE.into_iter().find(|name| members.contains_key(*name))
        {
            return Err(Refusal::invalid(format!(
                "{name}: not supported since anthropic-version 2026-10-21"
            )));
        }
        let messages = match members.get("messages") {
            None => return Err(Refusal::invalid("messages: field required")),
            Some(Value::Array(messages)) if !messages.is_empty() => messages,
            Some(_) => return Err(Refusal::invalid("messages: must be a list of at least one message")),
        };
        for (index, message) in messages.iter().enumerate() {
            check_message(index, message, version)?;
        }
        check_content("system", members.get("system").unwrap_or(&Value::Null), true)?;
        check_tools(members.get("tools"))?;
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

pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::invalid("the request body has to be a JSON object")),
        Err(error) => Err(Refusal::invalid(format!("the request body is not valid JSON: {error}"))),
    }
}

fn check_message(index: usize, message: &Value, version: Version) -> Result<(), Refusal> {
    match message.get("role").and_then(Value::as_str) {
        Some("user" | "assistant") => {}
        Some("system") if version == Version::Current => {}
        Some(_) => {
            let roles =
                if version == Version::Current { "user, assistant or system" } else { "user or assistant" };
            return Err(Refusal::invalid(format!("messages.{index}.role: must be {roles}")));
        }
        None => return Err(Refusal::invalid(format!("messages.{index}.role: field required"))),
    }
    let Some(content) = message.get("content") else {
        return Err(Refusal::invalid(format!("messages.{index}.content: field required")));
    };
    check_content(&format!("messages.{index}.content"), content, false)
}

/// Content is text or a list of blocks, each with a type and with what its type needs.
fn check_content(place: &str, content: &Value, optional: bool) -> Result<(), Refusal> {
    let blocks = match content {
        Value::Null if optional => return Ok(()),
        Value::String(text) if optional || !text.is_empty() => return Ok(()),
        Value::Array(blocks) if optional || !blocks.is_empty() => blocks,
        Value::String(_) | Value::Array(_) => {
            return Err(Refusal::invalid(format!("{place}: must not be empty")));
        }
        _ => return Err(Refusal::invalid(format!("{place}: must be text or a list of blocks"))),
    };
    for (index, block) in blocks.iter().enumerate() {
        let needs: &[&str] = match block.get("type").and_then(Value::as_str) {
            None => return Err(Refusal::invalid(format!("{place}.{index}.type: field required"))),
            Some("text") => &["text"],
            Some("tool_use") => &["id", "name", "input"],
            Some("tool_result") => &["tool_use_id"],
            Some("image" | "document") => &["source"],
            Some(_) => &[],
        };
        if let Some(name) = needs.iter().find(|name| block.get(name).is_none_or(Value::is_null)) {
            return Err(Refusal::invalid(format!("{place}.{index}.{name}: field required")));
        }
        if block.get("text").is_some_and(|text| text.as_str().is_none_or(str::is_empty)) {
            return Err(Refusal::invalid(format!(
                "{place}.{index}.text: must be a string that is not empty"
            )));
        }
    }
    Ok(())
}

fn check_tools(tools: Option<&Value>) -> Result<(), Refusal> {
    let tools = match tools {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(tools)) => tools,
        Some(_) => return Err(Refusal::invalid("tools: must be a list")),
    };
    for (index, tool) in tools.iter().enumerate() {
        let custom = matches!(tool.get("type").map(Value::as_str), None | Some(None | Some("custom")));
        if custom && tool.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Refusal::invalid(format!("tools.{index}.name: field required")));
        }
        if custom && !tool.get("input_schema").is_some_and(Value::is_object) {
            return Err(Refusal::invalid(format!("tools.{index}.input_schema: field required")));
        }
    }
    Ok(())
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

    fn ask(body: &Value, version: Version) -> Result<Ask, Refusal> {
        Ask::message(body.to_string().as_bytes(), version, &["m".to_owned()])
    }

    fn refusal(change: &Value) -> String {
        let mut body =
            json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        ask(&body, Version::Current).unwrap_err().message
    }

    #[test]
    fn each_mistake_is_named_by_its_place() {
        let blocks = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
        let cases = [
            (json!({"max_tokens": 0}), "max_tokens: must be at least 1"),
            (json!({"max_tokens": -1}), "max_tokens: must be at least 1"),
            (json!({"max_tokens": 128_001}), "max_tokens: must be at most 128000 for this model"),
            (json!({"model": 7}), "model: must be a string"),
            (json!({"model": "other"}), "model: other is unknown"),
            (json!({"messages": []}), "messages: must be a list of at least one message"),
            (json!({"messages": [{"role": "robot"}]}), "messages.0.role: must be user, assistant or system"),
            (json!({"messages": [{"role": "user"}]}), "messages.0.content: field required"),
            (json!({"messages": [{"role": "user", "content": ""}]}), "messages.0.content: must not be empty"),
            (blocks(json!({})), "messages.0.content.0.type: field required"),
            (blocks(json!({"type": "text"})), "messages.0.content.0.text: field required"),
            (blocks(json!({"type": "tool_result"})), "messages.0.content.0.tool_use_id: field required"),
            (json!({"stream": "yes"}), "stream: must be true or false"),
            (json!({"temperature": 1}), "temperature: not supported since anthropic-version 2026-10-21"),
            (json!({"tools": [{"name": "t"}]}), "tools.0.input_schema: field required"),
            (json!({"stop_sequences": "x"}), "stop_sequences: must be a list of strings"),
            (json!({"system": 3}), "system: must be text or a list of blocks"),
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
        ask(&body("user"), Version::Older).unwrap();
        assert!(ask(&body("system"), Version::Older).is_err());
    }

    #[test]
    fn the_echo_takes_text_and_tool_results() {
        let content = json!([
            {"type": "text", "text": "one"},
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "two"}]},
            {"type": "image", "source": {}},
        ]);
        let body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]});
        assert_eq!(ask(&body, Version::Current).unwrap().last_user_text, "one\ntwo");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let refused = |body: &[u8]| Ask::message(body, Version::Current, &[]).unwrap_err().status.as_u16();
        assert_eq!((refused(b"{"), refused(b"[]"), refused(b"\xff")), (400, 400, 400));
    }
}
