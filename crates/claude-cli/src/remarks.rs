//! What somebody would miss of an answer who is shown its text alone. Each remark is a line.

use claude_sdk::types::{ContentBlock, Message, StopDetails, StopReason};
use serde_json::Value;

use crate::console::{plain, tell};

/// The longest part of somebody else's text that is told, in characters.
const TOLD: usize = 500;

/// Tells of the blocks that have no text of the answer: calls of tools, and what is not known here.
pub(crate) fn tell_blocks(message: &Message) {
    remarks(message).for_each(tell);
}

/// Tells why the answer is not what a reader would take it for, where it is not.
pub(crate) fn tell_end(message: &Message) {
    if let Some(remark) = end(message) {
        tell(remark);
    }
}

fn remarks(message: &Message) -> impl Iterator<Item = String> {
    message.content.iter().enumerate().filter_map(|(place, found)| block(place, found))
}

fn block(place: usize, block: &ContentBlock) -> Option<String> {
    Some(match block {
        ContentBlock::Text(_) | ContentBlock::Thinking(_) | ContentBlock::RedactedThinking(_) => return None,
        ContentBlock::ToolUse(call) => format!("the model calls the tool {}", with(&call.name, &call.input)),
        ContentBlock::ServerToolUse(call) => {
            format!("the service ran its tool {}", with(&call.name.to_string(), &call.input))
        }
        ContentBlock::McpToolUse(call) => {
            let server = short(&call.server_name);
            format!("the service called at {server} the tool {}", with(&call.name, &call.input))
        }
        ContentBlock::Unknown(_) => {
            let kind = short(block.type_name());
            format!(
                "`content[{place}]`, a block of type \"{kind}\", is not known here, or not in this shape; see it with --json"
            )
        }
        known => {
            let kind = known.type_name();
            format!("`content[{place}]`, a block of type {kind}, is not shown; see it with --json")
        }
    })
}

fn with(name: &str, input: &Value) -> String {
    format!("{} with {}", short(name), short(&input.to_string()))
}

fn end(message: &Message) -> Option<String> {
    let remark = match &message.stop_reason {
        Some(StopReason::Refusal) => return Some(refusal(message.stop_details.as_ref())),
        Some(StopReason::MaxTokens) => "the answer was cut at its max_tokens (--max-tokens)",
        Some(StopReason::ModelContextWindowExceeded) => "the answer was cut at the model's context window",
        Some(StopReason::PauseTurn) => {
            "the model paused a long turn (pause_turn); the answer goes on when it is sent back"
        }
        Some(StopReason::Compaction) => {
            "the conversation was shortened (compaction); the answer goes on when it is sent back"
        }
        Some(StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse) => {
            if !message.content.is_empty() {
                return None;
            }
            "the answer is empty"
        }
        None if message.content.is_empty() => "the answer is empty, and does not say why it ended",
        None => "the answer does not say why it ended; it may be incomplete",
        Some(other) => {
            let reason = short(&other.to_string());
            return Some(format!("the answer ended for a reason that is not known here: {reason}"));
        }
    };
    Some(remark.to_owned())
}

fn refusal(details: Option<&StopDetails>) -> String {
    let category = details.and_then(|details| details.category.as_ref());
    let explanation = details.and_then(|details| details.explanation.as_deref());
    let category = category.map(|category| format!(" ({})", short(&category.to_string())));
    let explanation = explanation.map(|explanation| format!(": {}", short(explanation)));
    format!("the model refused to answer{}{}", category.unwrap_or_default(), explanation.unwrap_or_default())
}

/// Somebody else's text fit for a line.
fn short(text: &str) -> String {
    let mut line: String = plain(text).chars().take(TOLD).collect();
    if text.chars().nth(TOLD).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(content: &Value, reason: &Value, details: &Value) -> Message {
        let usage = json!({"input_tokens": 1, "output_tokens": 1});
        serde_json::from_value(
            json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": reason, "stop_details": details, "usage": usage}),
        )
        .unwrap()
    }

    #[test]
    fn an_end_that_is_not_the_usual_one_is_told_with_what_it_means() {
        let details = json!({"type": "refusal", "category": "cyber", "explanation": "No\u{1b}[2Jway."});
        let cases = [
            (json!("end_turn"), "the answer is empty"),
            (json!("refusal"), "the model refused to answer (cyber): No [2Jway."),
            (json!("pause_turn"), "the model paused a long turn (pause_turn)"),
            (json!("compaction"), "the conversation was shortened (compaction)"),
            (json!("max_tokens"), "the answer was cut at its max_tokens"),
            (json!("model_context_window_exceeded"), "cut at the model's context window"),
            (json!("moonlight"), "a reason that is not known here: moonlight"),
            (Value::Null, "does not say why it ended"),
        ];
        for (reason, told) in cases {
            let found = end(&message(&json!([]), &reason, &details)).unwrap();
            assert!(found.contains(told), "{reason}: {found}");
        }
        let text = json!([{"type": "text", "text": "Hello"}]);
        for reason in ["end_turn", "stop_sequence", "tool_use"] {
            assert_eq!(end(&message(&text, &json!(reason), &Value::Null)), None);
        }
        assert_eq!(
            end(&message(&text, &json!("refusal"), &Value::Null)).unwrap(),
            "the model refused to answer"
        );
    }

    #[test]
    fn each_block_without_text_is_a_line_of_its_own() {
        let content = json!([
            {"type": "text", "text": "Hello"},
            {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
            {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Ghent\u{202e}"}},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x".repeat(9000)}},
            {"type": "mcp_tool_use", "id": "m", "name": "read", "server_name": "files", "input": {}},
            {"type": "container_upload", "file_id": "file_1"},
            {"type": "hologram\n"},
            {"type": "text", "text": 5},
        ]);
        let message = message(&content, &json!("end_turn"), &Value::Null);
        let told: Vec<String> = remarks(&message).collect();
        assert_eq!(told.len(), 6, "{told:?}");
        assert_eq!(told[0], "the model calls the tool weather with {\"city\":\"Ghent \"}");
        assert!(told[1].starts_with("the service ran its tool web_search with {\"query\":\"xxx"));
        assert!(told[1].ends_with('…') && told[1].len() < 600);
        assert_eq!(told[2], "the service called at files the tool read with {}");
        assert_eq!(
            told[3],
            "`content[5]`, a block of type container_upload, is not shown; see it with --json"
        );
        assert!(
            told[4].starts_with("`content[6]`, a block of type \"hologram \", is not known here"),
            "{told:?}"
        );
        assert!(
            told[5].starts_with(
                "`content[7]`, a block of type \"text\", is not known here, or not in this shape"
            )
        );
    }
}
