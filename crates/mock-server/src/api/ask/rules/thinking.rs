//! What thinking, and filling the cache alone, go together with.

use serde_json::Value;

use super::tools::forces_a_tool;
use super::{Members, has, refuse, word};
use crate::api::Refusal;
use crate::api::ask::{Call, Terms};

/// The least that thinking can be given.
const LEAST_BUDGET: u64 = 1024;

pub(super) fn thinking(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
    if word(members, ["thinking", "type"]) != "enabled" {
        return Ok(());
    }
    let number = |value: Option<&Value>| value.and_then(Value::as_u64);
    let budget = number(members.get("thinking").and_then(|thinking| thinking.get("budget_tokens")))
        .unwrap_or_default();
    if budget < LEAST_BUDGET {
        return refuse(format!("thinking.budget_tokens: must be at least {LEAST_BUDGET}"));
    }
    // Between calls of tools there is a budget for each of the thoughts.
    let interleaved = terms.betas.iter().any(|beta| beta.starts_with("interleaved-thinking-"));
    if !interleaved && number(members.get("max_tokens")).is_some_and(|most| budget >= most) {
        return refuse("thinking.budget_tokens: must be less than max_tokens");
    }
    if forces_a_tool(members) {
        return refuse("tool_choice: cannot force a tool while thinking is enabled");
    }
    let amount = |name| members.get(name).and_then(Value::as_f64);
    if amount("temperature").is_some_and(|temperature| temperature < 1.0) {
        return refuse("temperature: must be 1 while thinking is enabled");
    }
    if amount("top_p").is_some_and(|share| share < 0.95) {
        return refuse("top_p: must be at least 0.95 while thinking is enabled");
    }
    if has(members, "top_k") {
        return refuse("top_k: cannot be combined with thinking");
    }
    Ok(())
}

/// What only fills the cache says nothing, so that nothing can be asked of what it says.
pub(super) fn warming(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
    if members.get("max_tokens").and_then(Value::as_u64) != Some(0) {
        return Ok(());
    }
    let format = members.get("output_config").and_then(|config| config.get("format"));
    let wrong = [
        (terms.call == Call::Batched, "in a batch"),
        (members.get("stream") == Some(&Value::Bool(true)), "with stream"),
        (word(members, ["thinking", "type"]) == "enabled", "with thinking enabled"),
        (format.is_some_and(|format| !format.is_null()), "with output_config.format"),
        (forces_a_tool(members), "with a tool_choice that forces a tool"),
    ];
    match wrong.iter().find(|(wrong, _)| *wrong) {
        Some((_, where_)) => refuse(format!("max_tokens: must be at least 1 {where_}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::access::Version;
    use crate::api::ask::Call;
    use crate::api::ask::rules::tests::{refused, told};

    #[test]
    fn thinking_has_a_budget_within_the_tokens_and_no_tool_is_forced_on_it() {
        let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
        let cases = [
            (json!({"thinking": enabled(1024)}), None),
            (json!({"thinking": enabled(4095), "tool_choice": {"type": "auto"}}), None),
            (json!({"thinking": {"type": "adaptive"}, "tool_choice": {"type": "any"}}), None),
            (json!({"thinking": enabled(1023)}), Some("thinking.budget_tokens: must be at least 1024")),
            (
                json!({"thinking": enabled(4096)}),
                Some("thinking.budget_tokens: must be less than max_tokens"),
            ),
            (json!({"thinking": {"type": "enabled"}}), Some("thinking.budget_tokens: field required")),
            (
                json!({"thinking": {"type": "adaptive", "budget_tokens": 2048}}),
                Some("thinking.budget_tokens: the API knows no such member here"),
            ),
            (
                json!({"thinking": {"type": "often"}}),
                Some("thinking.type: must be one of enabled, adaptive, between_tools, disabled"),
            ),
            (
                json!({"thinking": enabled(1024), "tool_choice": {"type": "any"}}),
                Some("tool_choice: cannot force a tool while thinking is enabled"),
            ),
            (
                json!({"thinking": enabled(1024), "tool_choice": {"type": "tool", "name": "t"}}),
                Some("tool_choice: cannot force a tool while thinking is enabled"),
            ),
        ];
        for (change, message) in cases {
            assert_eq!(refused(&change).as_deref(), message, "{change}");
        }
        let interleaved = "interleaved-thinking-2025-05-14";
        assert_eq!(
            told(&json!({"thinking": enabled(9000)}), Version::Current, interleaved, Call::Message),
            None
        );
        let older = |change| told(&change, Version::Older, "", Call::Message);
        assert_eq!(older(json!({"thinking": enabled(1024), "temperature": 1, "top_p": 0.95})), None);
        for (change, message) in [
            (json!({"temperature": 0.5}), "temperature: must be 1 while thinking is enabled"),
            (json!({"top_p": 0.5}), "top_p: must be at least 0.95 while thinking is enabled"),
            (json!({"top_k": 5}), "top_k: cannot be combined with thinking"),
        ] {
            let mut change = change;
            change["thinking"] = enabled(1024);
            assert_eq!(older(change).as_deref(), Some(message));
        }
    }

    #[test]
    fn what_fills_the_cache_asks_for_no_answer() {
        let schema = json!({"format": {"type": "json_schema", "schema": {}}});
        let cases = [
            (json!({}), None),
            (json!({"stream": false, "thinking": {"type": "disabled"}}), None),
            (json!({"stream": true}), Some("with stream")),
            (json!({"output_config": schema}), Some("with output_config.format")),
            (json!({"tool_choice": {"type": "any"}}), Some("with a tool_choice that forces a tool")),
        ];
        for (mut change, place) in cases {
            change["max_tokens"] = json!(0);
            let message = place.map(|place| format!("max_tokens: must be at least 1 {place}"));
            assert_eq!(refused(&change), message, "{change}");
        }
        let batched = told(&json!({"max_tokens": 0}), Version::Current, "", Call::Batched);
        assert_eq!(batched.as_deref(), Some("max_tokens: must be at least 1 in a batch"));
    }
}
