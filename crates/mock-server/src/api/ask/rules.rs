//! What the members of a request have to do with one another, and with its headers.

mod results;
mod thinking;
mod tools;

use serde_json::{Map, Value};

use self::results::results;
use self::thinking::{thinking, warming};
use self::tools::{tool_choice, tools};
use super::super::Refusal;
use super::super::access::Version;
use super::{Call, Terms, betas};

/// How much of a conversation can be marked for the cache.
const MOST_BREAKPOINTS: usize = 4;
const MOST_MESSAGES: usize = 100_000;

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

    pub(super) fn refused(change: &Value) -> Option<String> {
        told(change, Version::Current, "", Call::Message)
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
    fn four_breakpoints_are_enough() {
        let text = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
        let of = |count: usize| json!({"system": vec![text.clone(); count], "cache_control": {"type": "ephemeral"}});
        assert_eq!(refused(&of(3)), None);
        assert_eq!(refused(&of(4)).as_deref(), Some("cache_control: at most 4 blocks can have one"));
    }

    #[test]
    fn a_conversation_has_an_end() {
        let message = json!({"role": "user", "content": "hi"});
        let most = refused(&json!({"messages": vec![message; MOST_MESSAGES + 1]}));
        assert_eq!(most.as_deref(), Some("messages: must be at most 100000"));
    }
}
