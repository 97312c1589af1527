//! What tools have to do with one another, and with the choice between them.

use std::collections::HashSet;

use serde_json::Value;

use super::{Members, has, list, refuse, word};
use crate::api::Refusal;

/// How long the name of a tool may be.
const LONGEST_NAME: usize = 128;

pub(super) fn tools(members: &Members) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    for (index, tool) in list(members.get("tools")).enumerate() {
        let Some(name) = tool.get("name").and_then(Value::as_str) else { continue };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if name.len() > LONGEST_NAME || !name.bytes().all(fits) {
            let most = LONGEST_NAME;
            return refuse(format!(
                "tools.{index}.name: must be 1 to {most} letters, digits, hyphens and underscores"
            ));
        }
        if !names.insert(name) {
            let twice = Refusal::invalid(format!("tools.{index}.name: there is another tool {name}"));
            return Err(twice.coded("tool_name_conflict"));
        }
        if tool.get("allowed_domains").is_some_and(Value::is_array)
            && tool.get("blocked_domains").is_some_and(Value::is_array)
        {
            return refuse(format!("tools.{index}.allowed_domains: cannot be combined with blocked_domains"));
        }
    }
    Ok(())
}

pub(super) fn tool_choice(members: &Members) -> Result<(), Refusal> {
    if !has(members, "tool_choice") {
        return Ok(());
    }
    let tools = || list(members.get("tools"));
    if tools().next().is_none() && list(members.get("mcp_servers")).next().is_none() {
        return refuse("tool_choice: needs tools to choose from");
    }
    let wanted = word(members, ["tool_choice", "name"]);
    // A toolset does not say here which tools are in it.
    let known = tools().any(|tool| match tool.get("name") {
        Some(name) => name == wanted,
        None => true,
    });
    if word(members, ["tool_choice", "type"]) == "tool" && !known {
        return refuse(format!("tool_choice.name: there is no tool {wanted} in tools"));
    }
    Ok(())
}

pub(super) fn forces_a_tool(members: &Members) -> bool {
    matches!(word(members, ["tool_choice", "type"]), "any" | "tool")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::ask::rules::tests::refused;

    #[test]
    fn a_choice_of_tools_needs_tools_and_names_one_of_them() {
        let cases = [
            (json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}), None),
            (json!({"tool_choice": {"type": "none"}}), None),
            (json!({"tool_choice": {"type": "tool", "name": "t"}}), None),
            (
                json!({"tool_choice": {"type": "tool", "name": "zoom"}, "tools": [{"type": "computer_toolset_20260801"}]}),
                None,
            ),
            (
                json!({"tool_choice": {"type": "some"}}),
                Some("tool_choice.type: must be one of auto, any, tool, none"),
            ),
            (json!({"tool_choice": {"type": "tool"}}), Some("tool_choice.name: field required")),
            (
                json!({"tool_choice": {"type": "none", "disable_parallel_tool_use": true}}),
                Some("tool_choice.disable_parallel_tool_use: the API knows no such member here"),
            ),
            (
                json!({"tool_choice": {"type": "tool", "name": "u"}}),
                Some("tool_choice.name: there is no tool u in tools"),
            ),
            (
                json!({"tool_choice": {"type": "none"}, "tools": []}),
                Some("tool_choice: needs tools to choose from"),
            ),
            (
                json!({"tool_choice": {"type": "any"}, "tools": null}),
                Some("tool_choice: needs tools to choose from"),
            ),
        ];
        for (change, message) in cases {
            assert_eq!(refused(&change).as_deref(), message, "{change}");
        }
    }

    #[test]
    fn tools_have_names_of_their_own_and_one_list_of_domains() {
        let tool = |name: &str| json!({"name": name, "input_schema": {}});
        let twice = refused(&json!({"tools": [tool("a"), tool("a")]}));
        assert_eq!(twice.as_deref(), Some("tools.1.name: there is another tool a"));
        for name in ["a b", "é", &"x".repeat(129)] {
            let message = refused(&json!({"tools": [tool(name)]})).unwrap();
            assert!(message.starts_with("tools.0.name: must be 1 to 128"), "{message}");
        }
        let search = json!({"type": "web_search_20260318", "name": "web_search", "allowed_domains": ["a.example"],
            "blocked_domains": ["b.example"]});
        let message = refused(&json!({"tools": [search]}));
        assert_eq!(
            message.as_deref(),
            Some("tools.0.allowed_domains: cannot be combined with blocked_domains")
        );
    }
}
