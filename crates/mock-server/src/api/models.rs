//! The models there are.

use serde_json::{Value, json};

use super::{Refusal, pages};

/// The largest output of any model here, in tokens.
pub(super) const MAX_TOKENS: u64 = 128_000;
/// The lines that models belong to.
const LINES: [&str; 5] = ["haiku", "sonnet", "opus", "fable", "mythos"];

/// One model.
pub(super) fn one(models: &[String], id: &str) -> Result<Value, Refusal> {
    let known = models.iter().find(|known| *known == id);
    known.map(|id| describe(id)).ok_or_else(|| Refusal::not_found(format!("model: {id} is unknown")))
}

/// A page of models.
pub(super) fn page(models: &[String], query: &[(String, String)]) -> Result<Value, Refusal> {
    let models: Vec<Value> = models.iter().map(|id| describe(id)).collect();
    pages::by_id(&models, query)
}

fn describe(id: &str) -> Value {
    let mut words = id.strip_prefix("claude-").unwrap_or(id).split('-');
    let line = words.next().unwrap_or(id);
    let mut capital = line.chars();
    let first = capital.next().map(char::to_uppercase).into_iter().flatten();
    let line_name: String = first.chain(capital).collect();
    let version = words.collect::<Vec<_>>().join(".");
    let known = LINES.contains(&line).then_some(line);
    json!({
        "type": "model",
        "id": id,
        "display_name": format!("Claude {line_name} {version}").trim_end(),
        // The epoch stands for an unknown release date.
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "line": known,
        "deprecated_at": null,
        "retires_at": null,
        "max_input_tokens": 1_000_000,
        "max_tokens": MAX_TOKENS,
        "capabilities": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_a_name_for_people() {
        assert_eq!(describe("claude-sonnet-4-6")["display_name"], "Claude Sonnet 4.6");
        assert_eq!(describe("claude-sonnet-4-6")["line"], "sonnet");
        assert_eq!(describe("claude-instant-1.2")["line"], Value::Null);
    }
}
