//! Lists, page by page: by the ids of their items, or by cursors.

use serde_json::{Value, json};

use super::Refusal;

type Query = [(String, String)];

/// A page as `limit`, `after_id` and `before_id` ask for it.
pub(super) fn by_id(items: &[Value], query: &Query) -> Result<Value, Refusal> {
    let limit = limit(query)?;
    let place = |name: &str, id: &str| {
        let found = items.iter().position(|item| item["id"] == *id);
        found.ok_or_else(|| Refusal::invalid(format!("{name}: there is nothing of this id in the list")))
    };
    let (range, has_more) = match (asked(query, "after_id"), asked(query, "before_id")) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("after_id: cannot be combined with before_id")),
        (None, Some(before)) => {
            let end = place("before_id", before)?;
            let start = end.saturating_sub(limit);
            (start..end, start > 0)
        }
        (after, None) => {
            let start = after.map_or(Ok(0), |after| place("after_id", after).map(|index| index + 1))?;
            let end = items.len().min(start + limit);
            (start..end, end < items.len())
        }
    };
    let data = items.get(range).unwrap_or_default();
    Ok(json!({
        "data": data,
        "has_more": has_more,
        "first_id": data.first().map(|item| &item["id"]),
        "last_id": data.last().map(|item| &item["id"]),
    }))
}

/// A page as `limit` and `page` ask for it. A cursor names the last item of the page before.
pub(super) fn by_cursor(items: &[Value], query: &Query) -> Result<Value, Refusal> {
    let limit = limit(query)?;
    let start = match asked(query, "page").filter(|page| !page.is_empty()) {
        None => 0,
        Some(page) => {
            let last = page.strip_prefix("page_");
            let place = last.and_then(|last| items.iter().position(|item| item["id"] == *last));
            place.ok_or_else(|| Refusal::invalid("page: this is no cursor of the list"))? + 1
        }
    };
    let end = items.len().min(start + limit);
    let data = items.get(start..end).unwrap_or_default();
    let last = data.last().and_then(|item| item["id"].as_str()).filter(|_| end < items.len());
    Ok(json!({"data": data, "next_page": last.map(|last| format!("page_{last}"))}))
}

/// The value of a parameter; the first where there are several.
pub(super) fn asked<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn limit(query: &Query) -> Result<usize, Refusal> {
    match asked(query, "limit").map(str::parse) {
        None => Ok(20),
        Some(Ok(limit @ 1..=1000)) => Ok(limit),
        Some(_) => Err(Refusal::invalid("limit: has to be a number from 1 to 1000")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<Value> {
        ["a", "b", "c", "d"].map(|id| json!({"id": id})).into()
    }

    fn ids(page: &Value) -> Vec<&str> {
        page["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect()
    }

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn ask(pairs: &[(&str, &str)]) -> Result<Value, Refusal> {
        by_id(&items(), &query(pairs))
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
    fn cursors_lead_to_the_end_and_nowhere_else() {
        let first = by_cursor(&items(), &query(&[("limit", "3")])).unwrap();
        assert_eq!(ids(&first), ["a", "b", "c"]);
        let cursor = first["next_page"].as_str().unwrap();
        let second = by_cursor(&items(), &query(&[("limit", "3"), ("page", cursor)])).unwrap();
        assert_eq!((ids(&second), &second["next_page"]), (vec!["d"], &Value::Null));
        assert!(by_cursor(&items(), &query(&[("page", "page_nobody")])).is_err());
        assert!(by_cursor(&items(), &query(&[("page", "a")])).is_err());
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
}
