//! The models there are, one and page by page.

use serde_json::{Value, json};

use super::Refusal;

/// The largest output of any model here, in tokens.
pub(super) const MAX_TOKENS: u64 = 128_000;

/// One model.
pub(super) fn one(models: &[String], id: &str) -> Result<Value, Refusal> {
    let known = models.iter().find(|known| *known == id);
    known.map(|id| describe(id)).ok_or_else(|| Refusal::not_found(format!("model: {id} is unknown")))
}

/// A page of models, as `limit`, `after_id` and `before_id` ask for it.
pub(super) fn page(models: &[String], query: &[(String, String)]) -> Result<Value, Refusal> {
    let asked = |name| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let limit = match asked("limit").map(str::parse) {
        None => 20,
        Some(Ok(limit @ 1..=1000)) => limit,
        Some(_) => return Err(Refusal::invalid("limit: has to be a number from 1 to 1000")),
    };
    let place = |name: &str, id: &str| {
        let found = models.iter().position(|known| known == id);
        found.ok_or_else(|| Refusal::invalid(format!("{name}: there is no model of this id")))
    };
    let (range, has_more) = match (asked("after_id"), asked("before_id")) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("after_id: cannot be combined with before_id")),
        (None, Some(before)) => {
            let end = place("before_id", before)?;
            let start = end.saturating_sub(limit);
            (start..end, start > 0)
        }
        (after, None) => {
            let start = after.map_or(Ok(0), |after| place("after_id", after).map(|index| index + 1))?;
            let end = models.len().min(start + limit);
            (start..end, end < models.len())
        }
    };
    let data = models.get(range).unwrap_or_default();
    Ok(json!({
        "data": data.iter().map(|id| describe(id)).collect::<Vec<_>>(),
        "has_more": has_more,
        "first_id": data.first(),
        "last_id": data.last(),
    }))
}

fn describe(id: &str) -> Value {
    let mut words = id.strip_prefix("claude-").unwrap_or(id).split('-');
    let line = words.next().unwrap_or(id);
    let mut capital = line.chars();
    let first = capital.next().map(char::to_uppercase).into_iter().flatten();
    let line_name: String = first.chain(capital).collect();
    let version = words.collect::<Vec<_>>().join(".");
    json!({
        "type": "model",
        "id": id,
        "display_name": format!("Claude {line_name} {version}").trim_end(),
        // The epoch stands for an unknown release date.
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "line": line,
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

    fn ids(page: &Value) -> Vec<&str> {
        page["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect()
    }

    fn ask(pairs: &[(&str, &str)]) -> Result<Value, Refusal> {
        let models: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).into();
        let query: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        page(&models, &query)
    }

    #[test]
    fn pages_follow_one_another_in_both_directions() {
        let first = ask(&[("limit", "3")]).unwrap();
        assert_eq!((ids(&first), &first["has_more"]), (vec!["a", "b", "c"], &json!(true)));
        let second = ask(&[("limit", "3"), ("after_id", "c")]).unwrap();
        assert_eq!((ids(&second), &second["has_more"]), (vec!["d"], &json!(false)));
        let back = ask(&[("limit", "2"), ("before_id", "d")]).unwrap();
        assert_eq!((ids(&back), &back["has_more"]), (vec!["b", "c"], &json!(true)));
        let end = ask(&[("after_id", "d")]).unwrap();
        assert_eq!((ids(&end), &end["first_id"]), (vec![], &Value::Null));
    }

    #[test]
    fn a_page_that_makes_no_sense_is_refused() {
        for pairs in [
            &[("limit", "0")][..],
            &[("limit", "1001")],
            &[("limit", "x")],
            &[("after_id", "nobody")],
            &[("after_id", "a"), ("before_id", "b")],
        ] {
            assert!(ask(pairs).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn a_model_has_a_name_for_people() {
        assert_eq!(describe("claude-sonnet-4-6")["display_name"], "Claude Sonnet 4.6");
        assert_eq!(describe("claude-sonnet-4-6")["line"], "sonnet");
    }
}
