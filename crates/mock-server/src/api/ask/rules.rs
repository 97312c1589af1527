//! What the members of a request have to do with one another, and with its headers.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::Refusal;
use super::super::access::Version;
use super::{Call, Terms, betas};

/// The least that thinking can be given.
const LEAST_BUDGET: u64 = 1024;
/// How much of a conversation can be marked for the cache.
const MOST_BREAKPOINTS: usize = 4;
const MOST_MESSAGES: usize = 100_000;
/// How long the name of a tool may be.
const LONGEST_NAME: usize = 128;

pub(super) type Members = Map<String, Value>;

/// Checks a request whose members are right, each by itself.
pub(super) fn check(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
    betas::check(members, terms)?;
    roles(members, terms)?;
    tools(members)?;
    tool_choice(members)?;
    thinking(members, terms)?;
    warming(members, terms)?;
    breakpoints(members)?;
    results(members)?;
    alone(members, terms)
}

pub(super) fn refuse(message: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal::invalid(message))
}

pub(super) fn list<'a>(value: Option<&'a Value>) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// A word within members, such as the type of the thinking.
fn word<'a>(members: &'a Members, path: [&str; 2]) -> &'a str {
    let value = members.get(path[0]).and_then(|value| value.get(path[1]));
    value.and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn has(members: &Members, name: &str) -> bool {
    members.get(name).is_some_and(|value| !value.is_null())
}

fn roles(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
    let messages = || list(members.get("messages"));
    if messages().count() > MOST_MESSAGES {
        return refuse(format!("messages: must be at most {MOST_MESSAGES}"));
    }
    for (index, message) in messages().enumerate() {
        let system = message.get("role").and_then(Value::as_str) == Some("system");
        if system && terms.version == Version::Older {
            return refuse(format!("messages.{index}.role: must be one of user, assistant"));
        }
        let says = |name| message.get(name).is_some_and(|value| !value.is_null());
        if system && !says("content") && !says("output_config") {
            return refuse(format!("messages.{index}.content: field required"));
        }
    }
    Ok(())
}

fn tools(members: &Members) -> Result<(), Refusal> {
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

fn tool_choice(members: &Members) -> Result<(), Refusal> {
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

fn forces_a_tool(members: &Members) -> bool {
    matches!(word(members, ["tool_choice", "type"]), "any" | "tool")
}

fn thinking(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
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
fn warming(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
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

fn breakpoints(members: &Members) -> Result<(), Refusal> {
    fn count(value: &Value) -> usize {
        let inner = list(value.get("content")).map(count).sum::<usize>();
        inner + usize::from(value.get("cache_control").is_some_and(Value::is_object))
    }
    let places = ["messages", "system", "tools"].iter().flat_map(|name| list(members.get(*name)));
    let top = usize::from(has(members, "cache_control"));
    if top + places.map(count).sum::<usize>() > MOST_BREAKPOINTS {
        return refuse(format!("cache_control: at most {MOST_BREAKPOINTS} blocks can have one"));
    }
    Ok(())
}

/// Each call of a tool has its result in the turn after it, and each result its call in the turn before.
fn results(members: &Members) -> Result<(), Refusal> {
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

fn alone(members: &Members, terms: &Terms<'_>) -> Result<(), Refusal> {
    if !terms.examples && has(members, "compaction") && has(members, "context_management") {
        return refuse("compaction: cannot be combined with context_management");
    }
    if terms.call == Call::Batched && word(members, ["billing_policy", "bill_to"]) == "user_profile" {
        return refuse("billing_policy.bill_to: must be self in a batch");
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// What is refused, by the last of the members that the request has besides the usual ones.
    pub(in super::super) fn told(
        change: &Value,
        version: Version,
        betas: &str,
        call: Call,
    ) -> Option<String> {
        let tool = json!({"name": "t", "input_schema": {"type": "object"}});
        let mut members = json!({"model": "m", "max_tokens": 4096, "tools": [tool],
            "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in change.as_object().unwrap() {
            members[name] = value.clone();
        }
        let models = ["m".to_owned()];
        let terms =
            Terms { version, call, betas: betas.split(',').collect(), examples: false, models: &models };
        let Value::Object(members) = members else { panic!("no object") };
        super::super::Ask::of(&members, &terms).err().map(|refusal| refusal.message)
    }

    fn refused(change: &Value) -> Option<String> {
        told(change, Version::Current, "", Call::Message)
    }

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

    #[test]
    fn what_excludes_one_another_is_refused() {
        let both = json!({"compaction": {"type": "summarize"}, "context_management": {}});
        let message = told(&both, Version::Current, "compact-2026-09-04", Call::Message);
        assert_eq!(message.as_deref(), Some("compaction: cannot be combined with context_management"));
        let others = json!({"billing_policy": {"type": "billing_policy", "bill_to": "user_profile"}});
        let message = told(&others, Version::Current, "user-profiles-billing-2026-10-01", Call::Batched);
        assert_eq!(message.as_deref(), Some("billing_policy.bill_to: must be self in a batch"));
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

    #[test]
    fn four_breakpoints_are_enough() {
        let text = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
        let of = |count: usize| json!({"system": vec![text.clone(); count], "cache_control": {"type": "ephemeral"}});
        assert_eq!(refused(&of(3)), None);
        assert_eq!(refused(&of(4)).as_deref(), Some("cache_control: at most 4 blocks can have one"));
    }

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

    #[test]
    fn a_conversation_has_an_end() {
        let message = json!({"role": "user", "content": "hi"});
        let most = refused(&json!({"messages": vec![message; MOST_MESSAGES + 1]}));
        assert_eq!(most.as_deref(), Some("messages: must be at most 100000"));
    }
}
