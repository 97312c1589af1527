//! What calls of tools and their results have to do with one another.

use std::collections::HashSet;

use serde_json::Value;

use super::{Members, list, refuse, word};
use crate::api::Refusal;

/// Each call of a tool has its result in the turn after it, and each result its call in the turn before.
pub(super) fn results(members: &Members) -> Result<(), Refusal> {
    if word(members, ["thread", "type"]) == "continue" {
        return Ok(());
    }
    let mut open: HashSet<&str> = HashSet::new();
    let mut last = "";
    let messages = list(members.get("messages")).enumerate();
    for (index, message) in messages {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        if role == "system" {
            continue;
        }
        if role == "assistant" && last != role {
            unanswered(&open, index)?;
            open.clear();
        }
        last = role;
        for (number, block) in list(message.get("content")).enumerate() {
            let text = |name| block.get(name).and_then(Value::as_str).unwrap_or_default();
            match text("type") {
                "tool_use" if role == "assistant" => drop(open.insert(text("id"))),
                "tool_result" if !open.remove(text("tool_use_id")) => {
                    let id = text("tool_use_id");
                    let place = format!("messages.{index}.content.{number}.tool_use_id");
                    return refuse(format!("{place}: the message before calls no tool by {id}"));
                }
                _ => {}
            }
        }
    }
    unanswered(&open, list(members.get("messages")).count())
}

fn unanswered(open: &HashSet<&str>, index: usize) -> Result<(), Refusal> {
    match open.iter().min() {
        Some(id) => {
            refuse(format!("messages.{index}: the call {id} needs its tool_result in the message after it"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::access::Version;
    use crate::api::ask::Call;
    use crate::api::ask::rules::tests::{refused, told};

    #[test]
    fn each_call_has_its_result_in_the_next_turn_and_each_result_its_call() {
        let user = |content: Value| json!({"role": "user", "content": content});
        let calls = |ids: &[&str]| {
            let blocks = ids.iter().map(|id| json!({"type": "tool_use", "id": id, "name": "t", "input": {}}));
            json!({"role": "assistant", "content": blocks.collect::<Vec<_>>()})
        };
        let results = |ids: &[&str]| {
            let blocks = ids.iter().map(|id| json!({"type": "tool_result", "tool_use_id": id}));
            user(json!(blocks.collect::<Vec<_>>()))
        };
        let hi = || user(json!("hi"));
        let aside = || json!({"role": "system", "content": "x"});
        let lost = |index: usize, id: &str| {
            format!("messages.{index}: the call {id} needs its tool_result in the message after it")
        };
        let strange = |place: &str, id: &str| {
            format!("messages.{place}.tool_use_id: the message before calls no tool by {id}")
        };
        let cases = [
            (json!([hi(), calls(&["a", "b"]), results(&["b", "a"])]), None),
            (json!([hi(), calls(&["a"]), results(&["a"]), calls(&["b"]), results(&["b"])]), None),
            // Messages of one role in a row are one turn.
            (
                json!([hi(), calls(&["a"]), calls(&["b"]), aside(), results(&["a"]), results(&["b"]), hi()]),
                None,
            ),
            (json!([hi(), calls(&["a"])]), Some(lost(2, "a"))),
            (json!([hi(), calls(&["a"]), hi()]), Some(lost(3, "a"))),
            (json!([hi(), calls(&["a", "b"]), results(&["a"]), calls(&["c"])]), Some(lost(3, "b"))),
            (json!([results(&["a"])]), Some(strange("0.content.0", "a"))),
            (json!([hi(), calls(&["a"]), results(&["a", "a"])]), Some(strange("2.content.1", "a"))),
            (json!([hi(), calls(&["a"]), results(&["b"])]), Some(strange("2.content.0", "b"))),
        ];
        for (messages, message) in cases {
            assert_eq!(refused(&json!({"messages": messages})), message, "{messages}");
        }
        let thread = json!({"thread": {"type": "continue", "previous_message_id": "m"}, "messages": [results(&["a"])]});
        assert_eq!(told(&thread, Version::Current, "message-threads-2026-08-12", Call::Message), None);
    }
}
