//! What is a beta in a request, and the headers that it needs.

use serde_json::Value;

use super::super::Refusal;
use super::Terms;
use super::rules::{Members, has, list, refuse};

/// How the names of the betas begin that bring a thing; one of them is enough.
type Begins = &'static [&'static str];

const MEMBERS: [(&str, Begins); 7] = [
    ("billing_policy", &["user-profiles-billing-"]),
    ("compaction", &["compact-"]),
    ("context_management", &["context-management-", "compact-"]),
    ("fallback_credit_token", &["fallback-credit-"]),
    ("fallbacks", &["server-side-fallback-"]),
    ("mcp_servers", &["mcp-client-"]),
    ("thread", &["message-threads-"]),
];
const TOOLS: [(&str, Begins); 7] = [
    ("advisor_20260301", &["advisor-tool-"]),
    ("bash_20241022", &["computer-use-2024-"]),
    ("computer_20241022", &["computer-use-2024-"]),
    ("computer_20250124", &["computer-use-2025-01-"]),
    ("computer_20251124", &["computer-use-2025-11-"]),
    ("mcp_toolset", &["mcp-client-"]),
    ("text_editor_20241022", &["computer-use-2024-"]),
];
const CHANGES: [(&str, Begins); 2] = [
    ("tool_addition", &["mid-conversation-tool-changes-"]),
    ("tool_removal", &["mid-conversation-tool-changes-"]),
];
/// Members of a system message.
const ASIDES: [(&str, Begins); 2] = [
    ("clear_at", &["mid-conversation-system-clear-at-"]),
    ("output_config", &["mid-conversation-output-config-"]),
];

/// Refuses the first beta whose header is missing. The examples of documentation have any of them without.
pub(super) fn check(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
    if terms.examples {
        return Ok(());
    }
    for (name, begins) in MEMBERS.iter().filter(|(name, _)| has(members, name)) {
        need(terms, name, begins)?;
    }
    settings(members, terms)?;
    for (index, tool) in list(members.get("tools")).enumerate() {
        named(terms, &format!("tools.{index}.type"), tool, &TOOLS)?;
    }
    for (index, message) in list(members.get("messages")).enumerate() {
        if message.get("role").and_then(Value::as_str) == Some("system") {
            aside(terms, &format!("messages.{index}"), message)?;
        }
    }
    Ok(())
}

/// Settings within members that are no beta themselves.
fn settings(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
    let within = |member: &str, name: &str| {
        members.get(member).and_then(|member| member.get(name)).filter(|value| !value.is_null())
    };
    if within("output_config", "task_budget").is_some() {
        need(terms, "output_config.task_budget", &["task-budgets-"])?;
    }
    if within("thinking", "block_binding").is_some() {
        need(terms, "thinking.block_binding", &["thinking-binding-controls-"])?;
    }
    if within("thinking", "display").is_some_and(|display| display == "updates") {
        need(terms, "thinking.display", &["thinking-display-updates-"])?;
    }
    Ok(())
}

fn aside(terms: &Terms<'_>, place: &str, message: &Value) -> Result<(), Refusal> {
    for (name, begins) in ASIDES {
        if message.get(name).is_some_and(|value| !value.is_null()) {
            need(terms, &format!("{place}.{name}"), begins)?;
        }
    }
    for (number, block) in list(message.get("content")).enumerate() {
        named(terms, &format!("{place}.content.{number}.type"), block, &CHANGES)?;
    }
    Ok(())
}

/// Whether what is told apart by its type may be there.
fn named(terms: &Terms<'_>, place: &str, value: &Value, all: &[(&str, Begins)]) -> Result<(), Refusal> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    match all.iter().find(|(known, _)| *known == kind) {
        Some((_, begins)) => need(terms, place, begins),
        None => Ok(()),
    }
}

fn need(terms: &Terms<'_>, place: &str, begins: Begins) -> Result<(), Refusal> {
    if terms.betas.iter().any(|beta| begins.iter().any(|name| beta.starts_with(name))) {
        return Ok(());
    }
    refuse(format!("{place}: needs anthropic-beta: {}…", begins.join("… or ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::access::Version;
    use super::super::Call;
    use super::super::rules::tests::told;
    use super::*;

    #[test]
    fn a_beta_is_asked_for_by_its_header() {
        let aside = |message: Value| json!([{"role": "user", "content": "hi"}, message]);
        let change = json!({"role": "system", "content": [{"type": "tool_removal", "tool": {}}]});
        let screen = json!({"type": "computer_20251124", "name": "computer", "display_height_px": 1, "display_width_px": 1});
        let cases = [
            ("mcp_servers", json!([]), "mcp-client-2025-11-20"),
            ("context_management", json!({"edits": []}), "context-management-2025-06-27"),
            ("context_management", json!({"edits": [{"type": "compact_20260112"}]}), "compact-2026-01-12"),
            ("compaction", json!({"type": "summarize"}), "compact-2026-09-04"),
            ("fallbacks", json!("default"), "server-side-fallback-2026-07-01"),
            ("fallback_credit_token", json!("t"), "fallback-credit-2026-07-01"),
            ("thread", json!({"type": "create"}), "message-threads-2026-08-12"),
            ("billing_policy", json!({"type": "billing_policy"}), "user-profiles-billing-2026-10-01"),
            (
                "output_config",
                json!({"task_budget": {"type": "tokens", "total": 1}}),
                "task-budgets-2026-03-13",
            ),
            (
                "thinking",
                json!({"type": "adaptive", "display": "updates"}),
                "thinking-display-updates-2026-08-18",
            ),
            (
                "thinking",
                json!({"type": "adaptive", "block_binding": {}}),
                "thinking-binding-controls-2026-08-01",
            ),
            ("tools", json!([screen]), "computer-use-2025-11-24"),
            ("tools", json!([{"type": "mcp_toolset", "mcp_server_name": "x"}]), "mcp-client-2025-11-20"),
            ("tools", json!([{"type": "bash_20241022", "name": "bash"}]), "computer-use-2024-10-22"),
            ("messages", aside(change), "mid-conversation-tool-changes-2026-07-01"),
            (
                "messages",
                aside(json!({"role": "system", "content": "x", "clear_at": "never"})),
                "mid-conversation-system-clear-at-2026-08-21",
            ),
            (
                "messages",
                aside(json!({"role": "system", "output_config": {"effort": "low"}})),
                "mid-conversation-output-config-2026-07-01",
            ),
        ];
        for (name, value, beta) in cases {
            let change = json!({name: value});
            let told = |betas: &str| told(&change, Version::Current, betas, Call::Message);
            let message = told("").unwrap();
            assert!(message.starts_with(name) && message.contains("needs anthropic-beta: "), "{message}");
            assert_eq!(told(&format!("oauth-2025-04-20,{beta}")), None, "{name}");
            assert_eq!(told("other-2026-01-01"), Some(message), "{name}");
        }
    }
}
